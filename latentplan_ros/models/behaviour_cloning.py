"""A policy that imitates what the data did on its way to the goal (MBOLD B.3)."""

import torch
from torch import nn

from latentplan_ros.models.q_distance import GoalActor


class BehaviourCloning(nn.Module):
    """The actor network of MBOLD by itself. It acts without planning and knows no distance."""

    def __init__(self, latent: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.actor = GoalActor(latent, hidden, layers)

    def act(self, state: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        """``[B,D]`` and ``[B,D]`` to actions ``[B,4]``."""
        return self.actor(state, goal)
