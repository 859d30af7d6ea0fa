"""What the corridor of conftest looks like to a method: smooth latents, and distances to judge."""

import numpy as np
import torch
from lightning_fabric import Fabric

from latentplan_ros.learning.trainer import run_stage
from latentplan_ros.models.latent_world_model import LatentWorldModel

CELLS = 12
CENTRES = torch.linspace(-0.5, CELLS - 0.5, 8)
EPISODES = np.arange(40)


def features(cells):
    """Smooth latents of corridor cells, ``[...]`` to ``[...,8]``."""
    cells = torch.as_tensor(cells, dtype=torch.float32)
    return 2.0 * torch.exp(-0.5 * ((cells[..., None] - CENTRES) / 1.5).square())


def positions(latents):
    """Inverse of features but for an increasing map, ``[...,8]`` to ``[...]``."""
    return (latents @ CENTRES) / latents.sum(-1)


def model(head=None, hidden=32, members=1):
    torch.manual_seed(0)
    sizes = {"latent": 8, "channels": 4, "hidden": hidden, "layers": 2, "members": members}
    return LatentWorldModel({**sizes, "distance": head})


def learn(stage, folder, updates):
    stage.updates = updates
    run_stage(Fabric(accelerator="cpu", devices=1), stage, folder, seed=0, log_every=10**6)


def every_pair():
    """All pairs of cells: state, goal, ``int [CELLS**2]`` each."""
    return [grid.flatten() for grid in np.indices((CELLS, CELLS))]


def distances(head):
    """Of the head between all cells, ``[CELLS,CELLS]``."""
    state, goal = every_pair()
    with torch.no_grad():
        return head(features(state), features(goal)).reshape(CELLS, CELLS)
