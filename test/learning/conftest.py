"""A tiny world: an arm that slides along a corridor, a picture of it, and networks to match."""

import numpy as np
import pytest
import torch
from corridor_data import write_corridor


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    """Networks this small only wait for each other's threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


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
