"""Goal-conditioned behaviour cloning (MBOLD B.3)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from latentplan_ros.data.dataset import Dataset
from latentplan_ros.data.futures import FutureSampler
from latentplan_ros.learning.stage import Batch, Stage
from latentplan_ros.models.behaviour_cloning import BehaviourCloning
from latentplan_ros.models.latent_world_model import LatentWorldModel


@dataclass(frozen=True)
class GcbcRecipe:
    # The paper: 3,125,000 updates of 32, through a convolutional encoder; on latents that are there
    # already, fewer and larger ones do.
    updates: int = 50_000
    batch_size: int = 256
    learning_rate: float = 3e-4  # Table 2, as for the distance of MBOLD


class GcbcStage(Stage):
    """Squared error of the action that was taken where the goal was reached later."""

    name = "gcbc"

    def __init__(
        self,
        model: LatentWorldModel,
        latents: torch.Tensor,
        dataset: Dataset,
        episodes: np.ndarray,
        recipe: GcbcRecipe,
        seed: int,
    ) -> None:
        super().__init__()
        assert isinstance(model.head, BehaviourCloning)
        self.head, self.recipe = model.head, recipe
        self.updates, self.batch_size = recipe.updates, recipe.batch_size
        self._latents, self._actions = latents, torch.from_numpy(dataset.action)
        self._futures = FutureSampler(dataset, episodes)

    def parameter_groups(self) -> list[dict[str, Any]]:
        return [{"params": list(self.head.parameters()), "lr": self.recipe.learning_rate}]

    def sample(self, rng: np.random.Generator, count: int) -> Batch:
        drawn = self._futures.draw(rng, count)
        state = torch.from_numpy(drawn.state)
        return {
            "state": self._latents[state],
            "goal": self._latents[torch.from_numpy(drawn.goal)],
            "action": self._actions[state],
        }

    def forward(self, batch: Batch) -> Batch:
        return {"loss": F.mse_loss(self.head.act(batch["state"], batch["goal"]), batch["action"])}
