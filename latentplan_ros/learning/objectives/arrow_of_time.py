"""The arrow of time: whether a clip plays forwards or backwards (Wei et al. 2018)."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from latentplan_ros.learning.representation.objective import (
    Needs,
    Objective,
    ObjectiveRecipe,
    pictures,
)
from latentplan_ros.learning.stage import Batch
from latentplan_ros.models.networks import mlp

FRAMES = 8
GROUPS = 2  # T, with which the paper compares itself


@dataclass(frozen=True)
class ArrowOfTimeRecipe(ObjectiveRecipe):
    batch_size: int = 16  # clips; each is eight pictures
    hidden: int = 128
    features: int = 64  # of a group


class ArrowOfTime(Objective):
    """The temporal class-activation-map network: features of T groups of pictures, fused late.

    Groups share their weights; their features, side by side in the order in which the clip plays,
    are classified. Every clip is shown both ways. The paper sees optical flow, and fuses
    feature maps by convolutions and a mean over places; ours sees pictures, and fuses latents, as
    these are what shall be learned.
    """

    needs = Needs(frames=FRAMES, moving=True)
    recipe_type = ArrowOfTimeRecipe

    def __init__(self, encoder: nn.Module, latent: int, recipe: Any) -> None:
        super().__init__(encoder, latent, recipe)
        self.group = mlp(FRAMES // GROUPS * latent, recipe.hidden, 1, recipe.features)
        self.fuse = mlp(GROUPS * recipe.features, recipe.hidden, 1, 1)

    def forward(self, batch: Batch) -> Batch:
        frames = pictures(batch)
        latents = self.encode(frames.flatten(0, 1)).unflatten(0, (-1, FRAMES))
        logits = self.classify(torch.cat([latents, latents.flip(1)]))
        forwards = torch.arange(len(logits), device=logits.device) < len(frames)
        return {
            "loss": functional.binary_cross_entropy_with_logits(logits, forwards.float()),
            "right": ((logits > 0) == forwards).float().mean(),
        }

    def classify(self, latents: torch.Tensor) -> torch.Tensor:
        """Logit that a clip plays forwards ``[B]``, of its latents ``[B,FRAMES,D]``."""
        groups = latents.unflatten(1, (GROUPS, -1)).flatten(2)
        logits: torch.Tensor = self.fuse(self.group(groups).flatten(1)).squeeze(1)
        return logits
