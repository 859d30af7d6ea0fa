"""Denoising autoencoder: a picture from itself with parts destroyed (Vincent et al. 2008)."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from latentplan_ros.learning.representation.objective import Objective, ObjectiveRecipe, pictures
from latentplan_ros.learning.stage import Batch
from latentplan_ros.models.networks import Decoder


@dataclass(frozen=True)
class DenoisingRecipe(ObjectiveRecipe):
    destroyed: float = 0.25  # nu: share of a picture's pixels that are set to 0
    channels: int = 16  # of the decoder


class Denoising(Objective):
    """Squared error of the clean picture; which pixels are destroyed is drawn for each picture."""

    recipe_type = DenoisingRecipe

    def __init__(self, encoder: nn.Module, latent: int, recipe: Any) -> None:
        super().__init__(encoder, latent, recipe)
        self.decoder = Decoder(latent, recipe.channels)

    def forward(self, batch: Batch) -> Batch:
        clean = pictures(batch)[:, 0]
        kept = torch.rand_like(clean[:, :1]) >= self.recipe.destroyed
        drawn = self.decoder(self.encode(clean * kept))
        return {"loss": (drawn - clean).square().mean()}
