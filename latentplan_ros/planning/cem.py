"""Cross-entropy method over action sequences (MBOLD section 4.3, A.2, Table 3)."""

from dataclasses import dataclass

import torch

from latentplan_ros.planning.errors import PlanningError
from latentplan_ros.planning.noise import filter_matrix, smoothed_noise
from latentplan_ros.planning.search import SamplingPlanner, Search


@dataclass(frozen=True)
class CEM(SamplingPlanner):
    """Shift the mean to the elites and sample around it with the same spread again.

    beta: weight of new noise against the last. temperature: time steps; elites are averaged with
    weights softmax(-cost / temperature). The spread stays that of the data from one iteration to
    the next, as in MBOLD's released code.
    """

    beta: float = 0.5
    temperature: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.temperature > 0 or not 0 < self.beta <= 1:
            raise PlanningError(
                f"temperature must exceed 0 and beta lie in (0, 1], not "
                f"{self.temperature} and {self.beta}"
            )

    def candidates(self, search: Search) -> torch.Tensor:
        matrix = filter_matrix(self.horizon, self.beta, search.mean.device)
        std = search.spread[0, 0]
        noise = [smoothed_noise(self.samples, matrix, std, g) for g in search.generators]
        return search.mean[:, None] + torch.stack(noise)

    def improve(self, search: Search, actions: torch.Tensor, ranked: torch.Tensor) -> None:
        assert search.elites is not None
        assert search.elite_ranks is not None
        weights = torch.softmax(-search.elite_ranks / self.temperature, dim=1)
        search.mean = (weights[:, :, None, None] * search.elites).sum(dim=1)
