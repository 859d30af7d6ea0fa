"""RAD: learning from augmented pictures and nothing else (Laskin et al. 2020)."""

from dataclasses import dataclass
from typing import Any

from torch import nn

from latentplan_ros.learning.representation.action_prediction import ActionPrediction
from latentplan_ros.learning.representation.augmentation import random_shift
from latentplan_ros.learning.representation.objective import (
    Needs,
    Objective,
    ObjectiveRecipe,
    pictures,
)
from latentplan_ros.learning.stage import Batch


@dataclass(frozen=True)
class RadRecipe(ObjectiveRecipe):
    pad: int = 4  # pixels that pictures are moved by at most


class Rad(Objective):
    """Actions and what they lead to (action_prediction.py), from pictures moved at random.

    The paper's point is that the loss stays what it is. Of its augmentations this is translation,
    one draw for both pictures of a pair, as the paper has one for all pictures of a stack: another
    for each would hide the motion between them. The paper crops 84 from 100 pixels; pictures here
    are as large as the encoder's input, so that the border repeats where nothing was recorded.
    """

    needs = Needs(frames=2)
    recipe_type = RadRecipe

    def __init__(self, encoder: nn.Module, latent: int, recipe: Any) -> None:
        super().__init__(encoder, latent, recipe)
        self.prediction = ActionPrediction(latent)

    def forward(self, batch: Batch) -> Batch:
        pairs = pictures(batch)
        moved = random_shift(pairs.flatten(1, 2), self.recipe.pad).view_as(pairs)
        here, following = self.encode(moved.flatten(0, 1)).unflatten(0, (-1, 2)).unbind(1)
        action = batch["actions"][:, 0]
        return {"loss": self.prediction(here, following, action, following)}
