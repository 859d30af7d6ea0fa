"""Search on the Replay Buffer (MBOLD B.4): distributional Q-learning and behaviour cloning."""

import numpy as np
import torch
from torch.nn import functional as F

from latentplan_ros.data.dataset import Dataset
from latentplan_ros.data.futures import FutureSampler
from latentplan_ros.learning.mbold import MboldRecipe, MboldStage
from latentplan_ros.learning.stage import Batch
from latentplan_ros.models.latent_world_model import LatentWorldModel
from latentplan_ros.models.sorb_distance import SorbDistance, expected_steps


class SorbStage(MboldStage):
    """MBOLD's Q-learning with -1 a step and a distribution over steps, by KL divergence.

    One step more is one bin further; the last bin is that many steps or more. Beside it the policy
    that gets to waypoints is cloned, as in gcbc. The graph's nodes are drawn from all frames, each
    once where there are enough.
    """

    name = "sorb"
    kind = SorbDistance

    def __init__(
        self,
        model: LatentWorldModel,
        latents: torch.Tensor,
        dataset: Dataset,
        episodes: np.ndarray,
        recipe: MboldRecipe,
        seed: int,
    ) -> None:
        super().__init__(model, latents, dataset, episodes, recipe, seed)
        frames = dataset.frames(episodes)
        nodes, rng = len(self.head.states), np.random.default_rng(seed)
        chosen = rng.choice(frames, size=nodes, replace=nodes > len(frames))
        self.head.states.copy_(latents[torch.from_numpy(chosen)])
        self._futures = FutureSampler(dataset, episodes)

    def sample(self, rng: np.random.Generator, count: int) -> Batch:
        drawn = self._futures.draw(rng, count)
        state = torch.from_numpy(drawn.state)
        return super().sample(rng, count) | {
            "cloned_state": self._latents[state],
            "cloned_goal": self._latents[torch.from_numpy(drawn.goal)],
            "cloned_action": self._actions[state],
        }

    def forward(self, batch: Batch) -> Batch:
        losses = super().forward(batch)
        action = self.head.policy(batch["cloned_state"], batch["cloned_goal"])
        cloning = F.mse_loss(action, batch["cloned_action"])
        return losses | {"loss": losses["loss"] + cloning, "cloning": cloning.detach()}

    def wanted(self, batch: Batch) -> torch.Tensor:
        """Logarithms of the probabilities of 1, 2, ... steps, ``[B,bins]``."""
        following, goal = batch["next"], batch["goal"]
        action = self.smoothed_action(following, goal)
        one, other = (q(following, action, goal) for q in self.target.network.q)
        farther = (expected_steps(one) > expected_steps(other))[:, None]
        steps = torch.where(farther, one, other).softmax(dim=-1)
        later = torch.cat([torch.zeros_like(steps[:, :1]), steps[:, :-1]], dim=1)
        later[:, -1] += steps[:, -1]
        arrived = F.one_hot(torch.zeros_like(batch["done"], dtype=torch.long), steps.shape[1])
        return torch.where(batch["done"][:, None] > 0, arrived, later).clamp_min(1e-12).log()

    def values(self, outputs: torch.Tensor) -> torch.Tensor:
        return -expected_steps(outputs)

    def mismatch(self, outputs: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        predicted = outputs.log_softmax(dim=-1)
        return F.kl_div(predicted, wanted, reduction="batchmean", log_target=True)
