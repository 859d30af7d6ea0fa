"""Counts that add up: of a picture's four tiles and of the whole (Noroozi et al. 2017)."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from latentplan_ros.learning.representation.objective import Objective, ObjectiveRecipe, pictures
from latentplan_ros.learning.representation.patches import PICTURE, enlarged, tiles
from latentplan_ros.learning.stage import Batch

_DOWNSAMPLING = ("area", "bilinear", "bicubic")


@dataclass(frozen=True)
class CountingRecipe(ObjectiveRecipe):
    batch_size: int = 32  # the encoder sees five times as many
    counts: int = 64  # numbers in phi; the paper has 1000
    margin: float = 10.0  # M of the contrastive term


def downsampled(shown: torch.Tensor) -> torch.Tensor:
    """Half as large. How is drawn anew every time, so that its traces do not tell a downsampled
    picture from a tile."""
    way = _DOWNSAMPLING[int(torch.randint(len(_DOWNSAMPLING), ()))]
    half = functional.interpolate(shown, (PICTURE // 2, PICTURE // 2), mode=way)
    return half.clamp(0.0, 1.0)


class Counting(Objective):
    """``L_feat + L_diff`` of counts phi, a linear map of the latent and a ReLU.

    L_feat: counts of the downsampled picture D x are the sum of those of its tiles T_j x;
    L_diff: those of another picture y are not, by at least M. Tiles and downsampled pictures are
    32 x 32 pixels, drawn as large as a picture. Where every picture holds the same few things in
    front of one camera, counts can hardly differ, and the loss stays near M.
    """

    recipe_type = CountingRecipe

    def __init__(self, encoder: nn.Module, latent: int, recipe: Any) -> None:
        super().__init__(encoder, latent, recipe)
        self.head = nn.Sequential(nn.Linear(latent, recipe.counts), nn.ReLU())

    def counts(self, shown: torch.Tensor) -> torch.Tensor:
        """phi ``[B,counts]`` of pictures, not negative."""
        numbers: torch.Tensor = self.head(self.encode(shown))
        return numbers

    def forward(self, batch: Batch) -> Batch:
        whole = pictures(batch)[:, 0]
        of_whole = self.counts(enlarged(downsampled(whole)))
        parts = enlarged(tiles(whole, 2))
        of_parts = self.counts(parts.flatten(0, 1)).unflatten(0, (-1, 4)).sum(1)
        same = (of_whole - of_parts).square().sum(1)
        other = (of_whole.roll(1, dims=0) - of_parts).square().sum(1)
        feat, diff = same.mean(), (self.recipe.margin - other).clamp_min(0.0).mean()
        return {"loss": feat + diff, "feat": feat, "diff": diff}
