"""DrQ: losses and targets averaged over augmentations (Yarats et al. 2021)."""

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
from latentplan_ros.learning.target_network import TargetNetwork


@dataclass(frozen=True)
class DrqRecipe(ObjectiveRecipe):
    pad: int = 4  # pixels that pictures are moved by at most
    targets: int = 2  # K: augmentations that a target is the mean of
    losses: int = 2  # M: augmentations that the loss is the mean of
    rate: float = 0.01  # of the target encoder


class Drq(Objective):
    """Actions and what they lead to (action_prediction.py), as DrQ regularises a value.

    The target is the following picture's latent by a target encoder, the mean over K random shifts
    of it; the loss is the mean over M random shifts of the pair, towards the same target (the
    paper's equations 1 to 3, in which both are values of actions). Unlike RAD it therefore also
    asks for latents that do not depend on the shift.
    """

    needs = Needs(frames=2)
    recipe_type = DrqRecipe

    def __init__(self, encoder: nn.Module, latent: int, recipe: Any) -> None:
        super().__init__(encoder, latent, recipe)
        self.target_encoder = TargetNetwork(encoder)
        self.prediction = ActionPrediction(latent)

    def forward(self, batch: Batch) -> Batch:
        recipe, pairs = self.recipe, pictures(batch)
        after = pairs[:, 1].repeat(recipe.targets, 1, 1, 1)
        targets = self.target_encoder(255.0 * random_shift(after, recipe.pad))
        target = targets.unflatten(0, (recipe.targets, -1)).mean(0)
        several = pairs.repeat(recipe.losses, 1, 1, 1, 1)
        moved = random_shift(several.flatten(1, 2), recipe.pad).view_as(several)
        here, following = self.encode(moved.flatten(0, 1)).unflatten(0, (-1, 2)).unbind(1)
        action = batch["actions"][:, 0].repeat(recipe.losses, 1)
        loss = self.prediction(here, following, action, target.repeat(recipe.losses, 1))
        return {"loss": loss}

    def after_update(self) -> None:
        self.target_encoder.follow(self.encoder, self.recipe.rate)
