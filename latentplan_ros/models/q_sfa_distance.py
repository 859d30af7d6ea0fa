"""MBOLD's distance, and beside it how far the slow features are apart."""

import torch

from latentplan_ros.models.mahalanobis_distance import MahalanobisDistance
from latentplan_ros.models.q_distance import QDistance


class QSfaDistance(QDistance):
    """d(z, g) = QDistance's + ``slow_weight`` times ``slow`` (z, g), in usual steps.

    Q knows how the arm gets to a block, but hardly tells 2 cm from 6 beside it; slow features tell
    that, and know no way. Where ``slow`` is below ``arrival`` the objects are there as far as they
    tell: d is 0, and nothing is worth a move that could push them away again.
    """

    def __init__(
        self, latent: int, slow_weight: float = 1.0, arrival: float = 0.0, **sizes: float
    ) -> None:
        super().__init__(latent, **sizes)  # type: ignore[arg-type]
        self.slow_weight, self.arrival = slow_weight, arrival
        self.slow = MahalanobisDistance(latent)

    def forward(self, state: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        """Distance in time steps, ``[N,D]`` and ``[N,D]`` to ``[N]``."""
        slow: torch.Tensor = self.slow(state, goal)
        whole = super().forward(state, goal) + self.slow_weight * slow
        return torch.where(slow < self.arrival, 0.0, whole)
