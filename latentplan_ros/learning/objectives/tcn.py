"""Time-contrastive network of one camera (Sermanet et al. 2018)."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from latentplan_ros.learning.representation.moments import at
from latentplan_ros.learning.representation.objective import (
    Needs,
    Objective,
    ObjectiveRecipe,
    pictures,
)
from latentplan_ros.learning.representation.time_contrast import FRAMES, triplets
from latentplan_ros.learning.stage import Batch


@dataclass(frozen=True)
class TcnRecipe(ObjectiveRecipe):
    features: int = 32  # of the embedding, as in the paper
    margin: float = 0.2  # alpha


class Tcn(Objective):
    """|f(a) - f(p)|^2 + alpha < |f(a) - f(n)|^2, as a hinge; f is linear in the latent.

    Positives lie within a step of the anchor, negatives of the same sequence beyond a margin.
    """

    needs = Needs(frames=FRAMES)
    recipe_type = TcnRecipe

    def __init__(self, encoder: nn.Module, latent: int, recipe: Any) -> None:
        super().__init__(encoder, latent, recipe)
        self.embed = nn.Linear(latent, recipe.features)

    def forward(self, batch: Batch) -> Batch:
        frames = pictures(batch)
        moments = torch.stack(triplets(len(frames), frames.device))
        seen = torch.cat([at(frames, moment) for moment in moments])
        anchor, positive, negative = self.embed(self.encode(seen)).chunk(3)
        near, far = (anchor - positive).square().sum(1), (anchor - negative).square().sum(1)
        return {
            "loss": functional.relu(near - far + self.recipe.margin).mean(),
            "right": (near < far).float().mean(),
        }
