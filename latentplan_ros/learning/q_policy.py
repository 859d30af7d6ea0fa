"""Q-learning by random shooting, for acting without a plan (MBOLD C.3)."""

import torch

from latentplan_ros.learning.mbold import MboldStage
from latentplan_ros.models.q_policy import QPolicy


class QPolicyStage(MboldStage):
    """MBOLD's Q-learning with the best of random actions in the place of the actor's."""

    name = "q_policy"
    kind = QPolicy

    def future(self, following: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        shape = len(following), self.head.candidates, 4
        actions = torch.rand(shape, device=following.device) * 2.0 - 1.0
        return self.target.network.values(following, actions, goal).amax(dim=1)

    def actor_loss(self, state: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        """There is none to train."""
        return state.new_zeros(())
