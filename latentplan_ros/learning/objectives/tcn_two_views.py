"""Time-contrastive network of two cameras (Sermanet et al. 2018)."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from latentplan_ros.learning.representation.moments import at
from latentplan_ros.learning.representation.n_pairs import n_pairs
from latentplan_ros.learning.representation.objective import (
    Needs,
    Objective,
    ObjectiveRecipe,
    pictures,
)
from latentplan_ros.learning.representation.time_contrast import FRAMES, triplets
from latentplan_ros.learning.stage import Batch


@dataclass(frozen=True)
class TcnTwoViewsRecipe(ObjectiveRecipe):
    features: int = 32  # of the embedding, as in the paper
    norm_weight: float = 0.002  # of the embeddings' squared lengths


class TcnTwoViews(Objective):
    """The positive is what the other camera saw at the anchor's moment; the negative what the
    anchor's camera saw at another moment of the sequence, so that looking alike is no help.

    By the n-pairs loss, with the other positives of the batch as further negatives. By the paper's
    hinge on one negative, embeddings first fall together, as views differ more than moments.
    """

    needs = Needs(frames=FRAMES, views=2)
    recipe_type = TcnTwoViewsRecipe

    def __init__(self, encoder: nn.Module, latent: int, recipe: Any) -> None:
        super().__init__(encoder, latent, recipe)
        self.embed = nn.Linear(latent, recipe.features)

    def forward(self, batch: Batch) -> Batch:
        first, second = pictures(batch), pictures(batch, "second")
        moment, _, other = triplets(len(first), first.device)
        seen = torch.cat([at(first, moment), at(second, moment), at(first, other)])
        anchor, positive, negative = self.embed(self.encode(seen)).chunk(3)
        right = (anchor * positive).sum(1) > (anchor * negative).sum(1)
        return {
            "loss": n_pairs(anchor, positive, self.recipe.norm_weight, negative),
            "right": right.float().mean(),
        }
