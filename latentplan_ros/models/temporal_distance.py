"""Time steps between two situations, regressed as they came in the data (MBOLD C.2)."""

import torch
from torch import nn

from latentplan_ros.models.networks import mlp


class TemporalDistance(nn.Module):
    """One network on the pair of latents. layers: fully connected ones, with the last."""

    def __init__(self, latent: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.network = mlp(2 * latent, hidden, layers - 1, 1)

    def forward(self, state: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        """Distance in time steps, ``[N,D]`` and ``[N,D]`` to ``[N]``."""
        return self.network(torch.cat([state, goal], dim=-1)).squeeze(-1)
