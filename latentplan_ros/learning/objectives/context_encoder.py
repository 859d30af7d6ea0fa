"""Context encoder: parts of a picture from what surrounds them (Pathak et al. 2016)."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from latentplan_ros.learning.frozen import frozen
from latentplan_ros.learning.representation.discriminator import (
    Discriminator,
    fooling_loss,
    telling_loss,
)
from latentplan_ros.learning.representation.objective import Objective, ObjectiveRecipe, pictures
from latentplan_ros.learning.stage import Batch
from latentplan_ros.models.networks import Decoder

_RECONSTRUCTION, _ADVERSARY = 0.999, 0.001  # lambda_rec and lambda_adv of eq. 3
_BLOCKS, _BLOCK = 4, 16  # together at most a quarter of 64 x 64 pixels


@dataclass(frozen=True)
class ContextEncoderRecipe(ObjectiveRecipe):
    central: bool = False  # the middle of the picture is missing, in place of random blocks
    channels: int = 16  # of the decoder and the adversary


def central_region(shown: torch.Tensor) -> torch.Tensor:
    """1 where a quarter in the middle is missing, ``[B,1,H,W]``."""
    missing = torch.zeros_like(shown[:, :1])
    height, width = shown.shape[2] // 4, shown.shape[3] // 4
    missing[:, :, height:-height, width:-width] = 1.0
    return missing


def random_blocks(shown: torch.Tensor) -> torch.Tensor:
    """1 where blocks are missing, ``[B,1,H,W]``: up to a quarter, as they may overlap."""
    along = torch.arange(shown.shape[2], device=shown.device)
    corner = torch.randint(
        shown.shape[2] - _BLOCK + 1, (2, len(shown), _BLOCKS, 1), device=shown.device
    )
    rows, columns = ((along >= corner) & (along < corner + _BLOCK)).unbind()
    blocks = rows[..., :, None] & columns[..., None, :]
    return blocks.any(1, keepdim=True).to(shown.dtype)


class ContextEncoder(Objective):
    """Squared error of the missing pixels, and an adversary that judges the whole drawn picture
    (eq. 1 to 3).

    Missing pixels are gray, which the encoder takes as 0. The adversary learns by its own loss,
    in the same sum; the decoder and encoder fool it through fixed weights. Blocks are missing by
    default. The paper's heavier weight on the overlap of region and context is left out.
    """

    recipe_type = ContextEncoderRecipe

    def __init__(self, encoder: nn.Module, latent: int, recipe: Any) -> None:
        super().__init__(encoder, latent, recipe)
        self.decoder = Decoder(latent, recipe.channels)
        self.adversary = Discriminator(recipe.channels)

    def forward(self, batch: Batch) -> Batch:
        whole = pictures(batch)[:, 0]
        missing = central_region(whole) if self.recipe.central else random_blocks(whole)
        drawn = self.decoder(self.encode(torch.where(missing > 0.0, 0.5, whole)))
        squared = (missing * (drawn - whole).square()).sum()
        reconstruction = squared / (whole.shape[1] * missing.sum())
        fooling = fooling_loss(frozen(self.adversary, drawn))
        telling = telling_loss(self.adversary(whole), self.adversary(drawn.detach()))
        return {
            "loss": _RECONSTRUCTION * reconstruction + _ADVERSARY * fooling + telling,
            "reconstruction": reconstruction,
            "telling": telling,
        }
