"""Improved cross-entropy method (Pinneri et al., CoRL 2020)."""

from dataclasses import dataclass

import torch

from latentplan_ros.planning.errors import PlanningError
from latentplan_ros.planning.noise import coloured_noise, moved
from latentplan_ros.planning.search import SamplingPlanner, Search


@dataclass(frozen=True)
class ICEM(SamplingPlanner):
    """Noise with a power-law spectrum, fewer samples each iteration, elites kept for the next.

    exponent: of the spectrum 1/f^exponent; 0 is white, 2 Brownian. decay: each iteration has that
    many times fewer samples. kept: share of the elites that join the next iteration. momentum: of
    mean and spread.
    """

    exponent: float = 2.0
    decay: float = 1.25
    kept: float = 0.3
    momentum: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.exponent < 0 or self.decay < 1:
            raise PlanningError(
                f"exponent must be at least 0 and decay at least 1, not {self.exponent} and "
                f"{self.decay}"
            )
        if not 0 <= self.kept <= 1 or not 0 <= self.momentum < 1:
            raise PlanningError(
                f"kept must lie in [0, 1] and momentum in [0, 1), not {self.kept} and "
                f"{self.momentum}"
            )

    def candidates(self, search: Search) -> torch.Tensor:
        count = max(2 * self.elites, int(self.samples / self.decay**search.iteration))
        shape = (count, *search.mean.shape[1:])
        noise = torch.stack([coloured_noise(shape, self.exponent, g) for g in search.generators])
        drawn = search.mean[:, None] + moved(noise, search.mean.device) * search.spread[:, None]
        again = int(self.kept * self.elites)
        if search.elites is None or not again:
            return drawn
        return torch.cat([drawn, search.elites[:, :again]], dim=1)

    def improve(self, search: Search, actions: torch.Tensor, ranked: torch.Tensor) -> None:
        assert search.elites is not None
        new, old = 1.0 - self.momentum, self.momentum
        search.mean = new * search.elites.mean(dim=1) + old * search.mean
        spread = search.elites.std(dim=1) if self.elites > 1 else torch.zeros_like(search.mean)
        search.spread = new * spread + old * search.spread
