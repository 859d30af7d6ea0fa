"""200 pictures of a tiny table: a hand that actions move, a block that it pushes along.

And as many of grasps: things on the table, one of them taken away, and that one alone.
"""

from dataclasses import replace

import numpy as np
import pytest

from latentplan_ros.control.action_space import ActionSpace
from latentplan_ros.data.dataset import Dataset, DatasetInfo, DatasetWriter
from latentplan_ros.data.episode import Episode

EPISODES, LENGTH = 20, 10
INFO = DatasetInfo(
    action_space=ActionSpace("franka", 0.1, 10.0, (0.0, 0.08)),
    camera="main",
    image_size=64,
    state_names=("hand_x", "hand_y"),
    truth_names=("hand_x", "hand_y", "block_x", "block_y"),
    source="sim",
    task="tiny_table",
    exploration_std=(0.5, 0.5, 0.5, 0.5),
)


def drawn(hand, block, turned):
    """One picture; turned: what a camera at the other side of the table sees."""
    picture = np.empty((64, 64, 3), np.uint8)
    picture[:] = (150, 145, 140)
    picture[::8, :, :] = (120, 118, 112)  # boards of a table
    for (x, y), colour in ((block, (230, 180, 30)), (hand, (40, 60, 200))):
        x, y = round(float(x)), round(float(y))
        picture[y - 5 : y + 5, x - 5 : x + 5] = colour
    return np.ascontiguousarray(picture[::-1, ::-1] // 2 + 60) if turned else picture


def moved(rng, turned):
    hand, block = rng.uniform(10, 54, 2), rng.uniform(14, 50, 2)
    action = rng.uniform(-1, 1, (LENGTH, 4)).astype(np.float32)
    action[-1] = 0
    images, truths = [], []
    for t in range(LENGTH):
        images.append(drawn(hand, block, turned))
        truths.append(np.concatenate([hand, block]))
        before, hand = hand, np.clip(hand + 5 * action[t, :2], 6, 58)
        if np.abs(hand - block).max() < 9:
            block = np.clip(block + hand - before, 6, 58)
    truth = np.array(truths, np.float32)
    return Episode(np.stack(images), action, truth[:, :2], truth)


def write_table(path, turned):
    with DatasetWriter(path, INFO) as writer:
        for episode in range(EPISODES):
            writer.append(moved(np.random.default_rng([5, episode]), turned))
    return Dataset.open(path)


@pytest.fixture(scope="session")
def table(tmp_path_factory):
    return write_table(tmp_path_factory.mktemp("table") / "main.zarr", False)


@pytest.fixture(scope="session")
def other_side(tmp_path_factory):
    """The same moments from the other side."""
    return write_table(tmp_path_factory.mktemp("table") / "other.zarr", True)


THINGS = ((230, 180, 30), (40, 60, 200), (200, 40, 40), (30, 150, 60), (150, 60, 190))


def grasped(rng):
    """Three of five things, then two of them, then the third alone, large.

    Truth: which are in the picture.
    """
    tray = rng.choice(len(THINGS), 3, replace=False)
    cells = rng.choice(9, 3, replace=False)
    pictures, seen = [], []
    for shown in (tray, tray[1:], tray[:1]):
        picture = np.full((64, 64, 3), (150, 145, 140), np.uint8)
        for thing, cell in zip(tray, cells, strict=True):
            if thing in shown:
                y, x, half = 12 + 20 * (cell // 3), 12 + 20 * (cell % 3), 6
                if len(shown) == 1:
                    y, x, half = 32, 32, 16
                picture[y - half : y + half, x - half : x + half] = THINGS[thing]
        pictures.append(picture)
        seen.append(np.isin(np.arange(len(THINGS)), shown))
    zeros = np.zeros((3, 4), np.float32)
    return Episode(np.stack(pictures), zeros, zeros[:, :2], np.array(seen, np.float32))


@pytest.fixture(scope="session")
def grasps(tmp_path_factory):
    path = tmp_path_factory.mktemp("grasps") / "main.zarr"
    names = tuple(f"thing{number}" for number in range(len(THINGS)))
    with DatasetWriter(path, replace(INFO, task="franka_grasp", truth_names=names)) as writer:
        for episode in range(66):
            writer.append(grasped(np.random.default_rng([6, episode])))
    return Dataset.open(path)


@pytest.fixture
def recordings(table, other_side, grasps):
    """Objective -> the datasets it may learn from, one a camera."""
    of_task = {"": [table, other_side], "franka_grasp": [grasps]}
    return lambda objective: of_task[objective.needs.source]
