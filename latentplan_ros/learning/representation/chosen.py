"""The objective that a recipe chose for its encoder: before the world model, beside it, or both."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from torch import nn

from latentplan_ros.data.dataset import Dataset
from latentplan_ros.learning import objectives
from latentplan_ros.learning.representation.clips import Clips
from latentplan_ros.learning.representation.objective import Objective, ObjectiveRecipe
from latentplan_ros.learning.representation.pretraining import PretrainingStage

_PREVIEWED = 8  # windows


@dataclass(frozen=True)
class ObjectiveChoice:
    """A recipe's block ``objective``.

    name: of a file in learning/objectives, empty for none; pretrain: updates by it alone, before
    the world model; weight: of its loss beside the world model's, 0 for none; settings: its own.
    """

    name: str = ""
    pretrain: int = 0
    weight: float = 0.0
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Beside:
    """What WorldModelStage adds to its loss: an objective on batches of its own."""

    objective: Objective
    clips: Clips
    weight: float


class ChosenObjective:
    """It and what it is shown: one dataset a camera. Raises DatasetError as Clips does."""

    def __init__(
        self,
        choice: ObjectiveChoice,
        settings: ObjectiveRecipe,
        encoder: nn.Module,
        latent: int,
        views: Sequence[Dataset],
    ) -> None:
        self._choice, self._views = choice, views
        self.objective = objectives.find(choice.name)(encoder, latent, settings)

    def pretraining(self, episodes: np.ndarray) -> PretrainingStage:
        """The stage before the world model."""
        choice = self._choice
        return PretrainingStage(choice.name, self.objective, self._views, episodes, choice.pretrain)

    def beside(self, episodes: np.ndarray) -> Beside | None:
        """What accompanies the world model, if anything."""
        if not self._choice.weight:
            return None
        clips = Clips(self._views, episodes, self.objective.needs)
        return Beside(self.objective, clips, self._choice.weight)

    def write_preview(self, episodes: np.ndarray, file: Path) -> None:
        """The objective's pictures of these episodes, as a PNG."""
        clips = Clips(self._views, episodes, self.objective.needs)
        batch = clips.draw(np.random.default_rng(0), _PREVIEWED)
        device = next(self.objective.parameters()).device
        sheet = self.objective.preview({name: part.to(device) for name, part in batch.items()})
        assert sheet is not None  # has_preview was asked
        cv2.imwrite(str(file), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))


def has_preview(name: str) -> bool:
    """Whether this objective has pictures to look at."""
    return objectives.find(name).preview is not Objective.preview
