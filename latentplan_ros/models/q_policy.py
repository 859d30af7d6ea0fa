"""A Q-function that acts by itself: the best of some random actions (MBOLD C.3)."""

import torch
from torch import nn

from latentplan_ros.models.q_distance import GoalQ


class QPolicy(nn.Module):
    """Twin Q without an actor. candidates: random actions among which the best is looked for."""

    def __init__(
        self, latent: int, hidden: int, layers: int, discount: float, candidates: int
    ) -> None:
        super().__init__()
        self.q = nn.ModuleList(GoalQ(latent, hidden, layers) for _ in range(2))
        self.discount, self.candidates = discount, candidates

    def values(
        self, state: torch.Tensor, actions: torch.Tensor, goal: torch.Tensor
    ) -> torch.Tensor:
        """The smaller Q of each action: ``[B,D]``, ``[B,M,4]``, ``[B,D]`` to ``[B,M]``."""
        return torch.minimum(*(q(state, actions, goal) for q in self.q))

    def act(self, state: torch.Tensor, goal: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        """The best of ``actions [B,M,4]`` in each situation, ``[B,4]``."""
        best = self.values(state, actions, goal).argmax(dim=1)
        return actions[torch.arange(len(actions), device=actions.device), best]
