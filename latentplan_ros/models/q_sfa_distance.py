"""MBOLD's distance, and beside it how far the slow features are apart."""

import torch

from latentplan_ros.models.mahalanobis_distance import MahalanobisDistance
from latentplan_ros.models.q_distance import QDistance


class QSfaDistance(QDistance):
    """d(z, g) = QDistance's + ``slow_weight`` times ``slow`` (z, g), in usual steps.

    Q knows how the arm gets to a block, but hardly tells 2 cm from 6 beside it; slow features tell
    that, and know no way. Where ``slow`` is below ``arrival`` the objects are there as far as they
    tell: d is 0, and nothing is worth a move that could push them away again.

    hold: what is seen, and not what is imagined, counts as arrived where the ``hold_features``
    slowest features alone are nearer than that to the goal's: two features for each object that
    lies on a table. The distance stays as it is, so that plans still aim at the goal's middle.
    """

    def __init__(
        self,
        latent: int,
        slow_weight: float = 1.0,
        arrival: float = 0.0,
        hold: float = 0.0,
        hold_features: int = 2,
        **sizes: float,
    ) -> None:
        super().__init__(latent, **sizes)  # type: ignore[arg-type]
        self.slow_weight, self.arrival = slow_weight, arrival
        self.hold, self.hold_features = hold, hold_features
        self.slow = MahalanobisDistance(latent)

    def forward(self, state: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        """Distance in time steps, ``[N,D]`` and ``[N,D]`` to ``[N]``."""
        slow: torch.Tensor = self.slow(state, goal)
        whole = super().forward(state, goal) + self.slow_weight * slow
        return torch.where(slow < self.arrival, 0.0, whole)

    def arrived(self, state: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        """``[N,D]`` and ``[1 or N,D]`` to ``bool [N]``."""
        slowest = self.slow.whitening[:, : self.hold_features]
        return torch.linalg.vector_norm((state - goal) @ slowest, dim=1) < self.hold
