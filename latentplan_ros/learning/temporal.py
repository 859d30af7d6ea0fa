"""Temporal distance regression (MBOLD C.2): how long it took in the data, up to a limit."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from latentplan_ros.data.dataset import Dataset
from latentplan_ros.data.futures import FutureSampler
from latentplan_ros.learning.stage import Batch, Stage
from latentplan_ros.models.latent_world_model import LatentWorldModel
from latentplan_ros.models.temporal_distance import TemporalDistance


@dataclass(frozen=True)
class TemporalRecipe:
    # The paper: 3,125,000 updates of 32, through a convolutional encoder; on latents that are there
    # already, fewer and larger ones do.
    updates: int = 50_000
    batch_size: int = 256
    learning_rate: float = 3e-4  # Table 2, as for the distance of MBOLD
    max_steps: float = 10.0  # maxdist of C.2; makes distances shorter than random data's detours


class TemporalStage(Stage):
    """Squared error against min(steps that passed, max_steps)."""

    name = "temporal"

    def __init__(
        self,
        model: LatentWorldModel,
        latents: torch.Tensor,
        dataset: Dataset,
        episodes: np.ndarray,
        recipe: TemporalRecipe,
        seed: int,
    ) -> None:
        super().__init__()
        assert isinstance(model.head, TemporalDistance)
        self.head, self.recipe = model.head, recipe
        self.updates, self.batch_size = recipe.updates, recipe.batch_size
        self._latents, self._futures = latents, FutureSampler(dataset, episodes)

    def parameter_groups(self) -> list[dict[str, Any]]:
        return [{"params": list(self.head.parameters()), "lr": self.recipe.learning_rate}]

    def sample(self, rng: np.random.Generator, count: int) -> Batch:
        drawn = self._futures.draw(rng, count)
        return {
            "state": self._latents[torch.from_numpy(drawn.state)],
            "goal": self._latents[torch.from_numpy(drawn.goal)],
            "steps": torch.from_numpy(drawn.steps.astype(np.float32)),
        }

    def forward(self, batch: Batch) -> Batch:
        wanted = batch["steps"].clamp_max(self.recipe.max_steps)
        error = self.head(batch["state"], batch["goal"]) - wanted
        return {"loss": error.square().mean(), "error_steps": error.detach().abs().mean()}
