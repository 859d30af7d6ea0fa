"""CURL: two augmentations of a picture found among those of others (Laskin et al. 2020)."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from latentplan_ros.learning.representation.augmentation import random_shift
from latentplan_ros.learning.representation.objective import Objective, ObjectiveRecipe, pictures
from latentplan_ros.learning.stage import Batch
from latentplan_ros.learning.target_network import TargetNetwork


@dataclass(frozen=True)
class CurlRecipe(ObjectiveRecipe):
    pad: int = 5  # pixels that pictures are moved by at most
    rate: float = 0.05  # of the key encoder, the paper's momentum 0.95 (table 4: 0.05)


class Curl(Objective):
    """InfoNCE with a bilinear product q^T W k and keys by a momentum encoder (equations 3 and 4).

    Negatives are the other pictures of the batch. The paper crops 84 from 100 pixels at random and
    shows the middle when it acts; pictures here are as large as the encoder's input, so that a crop
    would be seen larger than what the encoder is given later. The window is instead taken from the
    picture with its border repeated: by 5 of 64 pixels to each side, as 8 of 100.
    """

    recipe_type = CurlRecipe

    def __init__(self, encoder: nn.Module, latent: int, recipe: Any) -> None:
        super().__init__(encoder, latent, recipe)
        self.key_encoder = TargetNetwork(encoder)
        self.product = nn.Parameter(torch.rand(latent, latent))

    def forward(self, batch: Batch) -> Batch:
        seen, pad = pictures(batch)[:, 0], self.recipe.pad
        queries = self.encode(random_shift(seen, pad))
        keys = self.key_encoder(255.0 * random_shift(seen, pad))
        logits = queries @ self.product @ keys.T
        own = torch.arange(len(seen), device=seen.device)
        found = (logits.argmax(1) == own).float().mean()
        return {"loss": functional.cross_entropy(logits, own), "found": found}

    def after_update(self) -> None:
        self.key_encoder.follow(self.encoder, self.recipe.rate)
