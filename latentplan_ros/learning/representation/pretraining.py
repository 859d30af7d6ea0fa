"""An encoder trained by an objective alone, before the world model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from latentplan_ros.data.dataset import Dataset
from latentplan_ros.learning.representation.clips import Clips
from latentplan_ros.learning.representation.objective import Objective, ObjectiveRecipe
from latentplan_ros.learning.stage import Batch, Stage


@dataclass(frozen=True)
class PretrainingRecipe:
    """How long, and the objective's own settings."""

    updates: int
    settings: ObjectiveRecipe


class PretrainingStage(Stage):
    """The objective's loss, and nothing else."""

    def __init__(
        self,
        name: str,
        objective: Objective,
        views: Sequence[Dataset],
        episodes: np.ndarray,
        updates: int,
    ) -> None:
        super().__init__()
        self.name, self.objective, self.updates = f"pretraining_{name}", objective, updates
        settings = objective.recipe
        self.recipe, self.batch_size = PretrainingRecipe(updates, settings), settings.batch_size
        self._clips = Clips(views, episodes, objective.needs)

    def parameter_groups(self) -> list[dict[str, Any]]:
        trained = [weight for weight in self.parameters() if weight.requires_grad]
        return [{"params": trained, "lr": self.objective.recipe.learning_rate}]

    def sample(self, rng: np.random.Generator, count: int) -> Batch:
        return self._clips.draw(rng, count)

    def forward(self, batch: Batch) -> Batch:
        losses: Batch = self.objective(batch)
        return losses

    def after_update(self, batch: Batch, losses: Batch) -> None:
        self.objective.after_update()
