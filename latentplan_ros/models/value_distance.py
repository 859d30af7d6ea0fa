"""An action-free goal-conditioned value read as time steps (expectile value learning, GCIVL)."""

import torch
from torch import nn

from latentplan_ros.models.networks import mlp


class ValueDistance(nn.Module):
    """Ensemble of V(s, g) = -(1 - gamma^d) / (1 - gamma): the discounted cost of d steps of -1."""

    def __init__(self, latent: int, hidden: int, layers: int, discount: float) -> None:
        super().__init__()
        self.value = nn.ModuleList(mlp(2 * latent, hidden, layers, 1) for _ in range(2))
        self.discount = discount

    def values(self, state: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        """``[B,D]`` and ``[B,D]`` to ``[2,B]``, each in (-1 / (1 - gamma), 0)."""
        pair = torch.cat([state, goal], dim=-1)
        raw = torch.stack([value(pair).squeeze(-1) for value in self.value])
        return -torch.sigmoid(raw) / (1.0 - self.discount)

    def forward(self, state: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        """Distance in time steps, ``[N,D]`` and ``[N,D]`` to ``[N]``."""
        cost = -self.values(state, goal).mean(0) * (1.0 - self.discount)
        return torch.log1p(-cost.clamp_max(1.0 - 1e-5)) / torch.log(torch.tensor(self.discount))
