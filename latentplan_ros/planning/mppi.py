"""Model-predictive path integral control (Williams et al. 2017)."""

from dataclasses import dataclass

import torch

from latentplan_ros.planning.cem import CEM
from latentplan_ros.planning.search import Search


@dataclass(frozen=True)
class MPPI(CEM):
    """CEM's noise, but every candidate counts: the mean moves to their average with weights
    softmax(-cost / temperature), temperature in time steps."""

    temperature: float = 0.2

    def improve(self, search: Search, actions: torch.Tensor, ranked: torch.Tensor) -> None:
        weights = torch.softmax(-ranked / self.temperature, dim=1)
        search.mean = (weights[:, :, None, None] * actions).sum(dim=1)
