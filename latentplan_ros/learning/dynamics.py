"""Open-loop dynamics on cached latents, as long as the planner looks, more often where wrong."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from latentplan_ros.data.dataset import Dataset
from latentplan_ros.data.windows import Windows
from latentplan_ros.learning.stage import Batch, Stage
from latentplan_ros.models.latent_world_model import LatentWorldModel


@dataclass(frozen=True)
class DynamicsRecipe:
    updates: int = 20_000
    batch_size: int = 256
    learning_rate: float = 1e-3
    horizon: int = 13


class DynamicsStage(Stage):
    """Mean squared error of imagined latents, each dimension scaled by its spread over the data."""

    name = "dynamics"

    def __init__(
        self,
        model: LatentWorldModel,
        latents: torch.Tensor,
        dataset: Dataset,
        episodes: np.ndarray,
        recipe: DynamicsRecipe,
    ) -> None:
        super().__init__()
        self.dynamics, self.recipe = model.dynamics, recipe
        self.updates, self.batch_size = recipe.updates, recipe.batch_size
        self._latents = latents
        self._windows = Windows(dataset, episodes, recipe.horizon)
        self.register_buffer("spread", latents.std(0).clamp_min(1e-3), persistent=False)

    def rate(self, progress: float) -> float:
        """Cosine decay: what is left of the error late in training is noise of the updates."""
        return 0.5 * (1.0 + math.cos(math.pi * progress))

    def parameter_groups(self) -> list[dict[str, Any]]:
        return [{"params": list(self.dynamics.parameters()), "lr": self.recipe.learning_rate}]

    def sample(self, rng: np.random.Generator, count: int) -> Batch:
        rows = self._windows.draw(rng, count)
        starts = self._windows.starts[rows]
        indices = starts[:, None] + np.arange(self.recipe.horizon + 1)
        return {
            "latents": self._latents[torch.from_numpy(indices)],
            "actions": torch.from_numpy(self._windows.actions(rows)),
            "rows": torch.from_numpy(rows),
        }

    def forward(self, batch: Batch) -> Batch:
        latent, errors = batch["latents"][:, 0], []
        for step in range(self.recipe.horizon):
            last, action = batch["actions"][:, step], batch["actions"][:, step + 1]
            latent = self.dynamics(latent, action, last)
            errors.append(
                ((latent - batch["latents"][:, step + 1]) / self.spread).square().mean(-1)
            )
        by_step = torch.stack(errors, dim=1)
        return {
            "loss": by_step.mean(),
            "first_step": by_step[:, 0].mean().detach(),
            "last_step": by_step[:, -1].mean().detach(),
            "errors": by_step.mean(1).detach(),
        }

    def after_update(self, batch: Batch, losses: Batch) -> None:
        self._windows.report(batch["rows"].cpu().numpy(), losses["errors"].cpu().numpy())

    def extra_state(self) -> dict[str, torch.Tensor]:
        return {"priority": torch.from_numpy(self._windows.priority)}

    def load_extra_state(self, state: dict[str, torch.Tensor]) -> None:
        self._windows.priority = state["priority"].cpu().numpy()
