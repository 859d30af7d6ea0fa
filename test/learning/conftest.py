"""A tiny world: an arm that slides along a corridor, a picture of it, and networks to match."""

import numpy as np
import pytest
import torch

from latentplan_ros.control.action_space import ActionSpace
from latentplan_ros.data.dataset import Dataset, DatasetInfo, DatasetWriter
from latentplan_ros.data.episode import Episode

CELLS = 12
INFO = DatasetInfo(
    action_space=ActionSpace("franka", 0.1, 10.0, (0.0, 0.08)),
    camera="main",
    image_size=64,
    state_names=("joint1", "tcp_x", "tcp_y", "tcp_z"),
    source="sim",
    task="corridor",
    exploration_std=(0.5, 0.5, 0.5, 0.5),
)


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    """Networks this small only wait for each other's threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def slide(rng, length):
    """One episode: a step left or right by the sign of the first action, walls at both ends."""
    action = rng.uniform(-1, 1, (length, 4)).astype(np.float32)
    heading = np.where(rng.random(length) < 0.2, -1.0, 1.0).cumprod() * rng.choice([-1, 1])
    action[:, 0] = np.abs(action[:, 0]) * heading
    cells = np.zeros(length, int)
    cells[0] = rng.integers(CELLS)
    for t in range(length - 1):
        cells[t + 1] = np.clip(cells[t] + np.sign(action[t, 0]), 0, CELLS - 1)
    action[-1] = 0
    image = np.full((length, 64, 64, 3), 30, np.uint8)
    for t, cell in enumerate(cells):
        image[t, 28:36, 2 + 5 * cell : 7 + 5 * cell] = (250, 200, 20)
    state = np.repeat(cells[:, None], 4, axis=1).astype(np.float32)
    return Episode(image, action, state, None)


def write_corridor(path, generators):
    """A dataset with an episode from each."""
    with DatasetWriter(path, INFO) as writer:
        for rng in generators:
            writer.append(slide(rng, 25))
    return Dataset.open(path)


@pytest.fixture(scope="session")
def corridor(tmp_path_factory):
    path = tmp_path_factory.mktemp("corridor") / "D.zarr"
    return write_corridor(path, [np.random.default_rng(0)] * 40)


@pytest.fixture
def other_corridor(tmp_path):
    return write_corridor(tmp_path / "other.zarr", [np.random.default_rng(1)] * 10)


@pytest.fixture
def one_episode_again(tmp_path):
    return write_corridor(tmp_path / "same.zarr", [np.random.default_rng(0) for _ in range(5)])


@pytest.fixture(scope="session")
def cells(corridor):
    """The cell of every frame."""
    return corridor.state[:, 0].astype(int)


@pytest.fixture
def recipe_file(tmp_path):
    """A whole training in seconds."""
    path = tmp_path / "tiny.yaml"
    path.write_text(
        "model: {latent: 8, channels: 2, hidden: 32, layers: 2}\n"
        "head: {hidden: 16}\n"
        "world_model: {updates: 12, batch_size: 8, horizon: 4}\n"
        "dynamics: {updates: 12, batch_size: 16, horizon: 4, learning_rate: 1e-3}\n"
        "distance: {updates: 12, batch_size: 16}\n"
        "save_every: 5\n"
    )
    return path
