"""Interval quasimetric embedding (Wang and Isola, 2022) as a distance."""

import torch
from torch import nn

from latentplan_ros.models.networks import mlp


class IqeDistance(nn.Module):
    """Embeds both situations alike; how far apart is how much of the line their intervals cover.

    Never negative, 0 from a situation to itself, and never shorter than a detour (triangle
    inequality), whatever the weights; there and back may differ. An embedding is ``components``
    groups of ``size`` numbers; the components' distances are reduced to alpha max + (1 - alpha)
    mean with a learned alpha ("maxmean").
    """

    def __init__(self, latent: int, hidden: int, layers: int, components: int, size: int) -> None:
        super().__init__()
        self.embed = mlp(latent, hidden, layers, components * size)
        self.raw_alpha = nn.Parameter(torch.tensor(-1.0))  # before the sigmoid: alpha .27 at first
        self.shape = (components, size)

    def forward(self, state: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        """Distance in time steps, ``[N,D]`` and ``[N,D]`` to ``[N]``."""
        covered = covered_length(
            self.embed(state).unflatten(-1, self.shape), self.embed(goal).unflatten(-1, self.shape)
        )
        return torch.lerp(covered.mean(-1), covered.amax(-1), self.raw_alpha.sigmoid())


def covered_length(start: torch.Tensor, end: torch.Tensor) -> torch.Tensor:
    """Length of the union of the intervals [start_i, max(start_i, end_i)]: ``[...,K]`` to ``[...]``

    With the intervals in the order of their starts, each adds what it reaches beyond all before it.
    """
    start, order = start.sort(dim=-1)
    reach = torch.maximum(start, end.gather(-1, order)).cummax(dim=-1).values
    before = torch.maximum(start[..., 1:], reach[..., :-1])
    return (reach[..., 0] - start[..., 0]) + (reach[..., 1:] - before).sum(dim=-1)
