"""Plan2vec on latents: points whose l^p distance is the length of the shortest recorded way."""

import torch
from torch import nn

from latentplan_ros.models.global_metric import lp_distance
from latentplan_ros.models.local_metric import euclidean
from latentplan_ros.models.networks import mlp


class Plan2vecDistance(nn.Module):
    """The global metric D (section 2), beside the local one that the graph was joined by.

    features: numbers of the local metric; points: of the global one; p: of its norm, 1 to 2.
    """

    def __init__(
        self, latent: int, hidden: int, layers: int, features: int, points: int, p: float
    ) -> None:
        super().__init__()
        self.local = mlp(latent, hidden, layers, features)
        self.embed = mlp(latent, hidden, layers, points)
        self.p = p

    def near(self, state: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """Local metric, ``[N,D]`` and ``[N,D]`` to ``[N]``: 1 is a step, 2 anything further."""
        return euclidean(self.local(state), self.local(other))

    def forward(self, state: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        """Distance in time steps, ``[N,D]`` and ``[N,D]`` to ``[N]``."""
        return lp_distance(self.embed(state), self.embed(goal), self.p)
