"""Small datasets for the tests: random numbers and pictures in episodes of uneven length."""

from pathlib import Path

import numpy as np

from latentplan_ros.control.action_space import ActionSpace
from latentplan_ros.data.dataset import Dataset, DatasetInfo, DatasetWriter
from latentplan_ros.data.episode import Episode

SIZE = 8
INFO = DatasetInfo(
    action_space=ActionSpace("franka", 0.1, 10.0, (0.0, 0.08)),
    camera="main",
    image_size=SIZE,
    state_names=("joint1", "joint2", "tcp_x", "tcp_y", "tcp_z"),
    truth_names=("block_x", "block_y"),
    source="sim",
    task="test",
)


def episode(length: int, seed: int = 0) -> Episode:
    """An arm that drifts a few millimetres a step; nothing in it repeats."""
    rng = np.random.default_rng([seed, length])
    action = rng.uniform(-1, 1, (length, 4)).astype(np.float32)
    action[-1] = 0
    return Episode(
        image=rng.integers(1, 255, (length, SIZE, SIZE, 3), dtype=np.uint8),
        action=action,
        state=np.cumsum(rng.normal(0, 0.005, (length, 5)), axis=0).astype(np.float32),
        truth=np.cumsum(rng.normal(0, 0.005, (length, 2)), axis=0).astype(np.float32),
    )


def write(path: Path, episodes: list[Episode], info: DatasetInfo = INFO) -> Dataset:
    with DatasetWriter(path, info) as writer:
        for each in episodes:
            writer.append(each)
    return Dataset.open(path)


def same(left: Episode, right: Episode) -> bool:
    names = ("image", "action", "state", "truth")
    return all(np.array_equal(getattr(left, n), getattr(right, n)) for n in names)
