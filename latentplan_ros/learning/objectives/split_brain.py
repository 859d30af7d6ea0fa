"""Split-brain autoencoder: colours from lightness and lightness from colours (Zhang 2017)."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from latentplan_ros.learning.representation.coarse_decoder import CoarseDecoder
from latentplan_ros.learning.representation.lab import ab_bins, gray, nearest, to_lab, to_rgb
from latentplan_ros.learning.representation.objective import Objective, ObjectiveRecipe, pictures
from latentplan_ros.learning.stage import Batch

_LIGHTNESS = 100  # classes of L, one for each unit


@dataclass(frozen=True)
class SplitBrainRecipe(ObjectiveRecipe):
    channels: int = 16  # of either decoder


def isoluminant(lab: torch.Tensor) -> torch.Tensor:
    """The colours alone: red, green and blue of a and b with L = 50 everywhere."""
    return to_rgb(torch.cat([torch.full_like(lab[:, :1], 50.0), lab[:, 1:]], dim=1))


class SplitBrain(Objective):
    """Cross-entropies of 313 colours and of 100 lightnesses at each of 16 x 16 places.

    The paper's two networks each have half of every layer's channels. Here one encoder sees two
    pictures, and each prediction has half of one latent: the first half of the gray picture's
    predicts colours, the second half of the isoluminant picture's predicts lightness.
    """

    recipe_type = SplitBrainRecipe

    def __init__(self, encoder: nn.Module, latent: int, recipe: Any) -> None:
        super().__init__(encoder, latent, recipe)
        bins, self.parting = ab_bins(), latent // 2
        self.colour = CoarseDecoder(self.parting, recipe.channels, len(bins))
        self.lightness = CoarseDecoder(latent - self.parting, recipe.channels, _LIGHTNESS)
        self.register_buffer("bins", bins, persistent=False)

    bins: torch.Tensor

    def forward(self, batch: Batch) -> Batch:
        lab = to_lab(pictures(batch)[:, 0])
        coarse = functional.avg_pool2d(lab, 4)
        colours = coarse[:, 1:].permute(0, 2, 3, 1)
        index = nearest(colours.flatten(0, 2), self.bins, 1)[1].reshape(colours.shape[:3])
        level = coarse[:, 0].floor().long().clamp(0, _LIGHTNESS - 1)
        latents = self.encode(torch.cat([gray(lab), isoluminant(lab)]))
        of_gray, of_colours = latents.chunk(2)
        colour = functional.cross_entropy(self.colour(of_gray[:, : self.parting]), index)
        lightness = functional.cross_entropy(self.lightness(of_colours[:, self.parting :]), level)
        return {"loss": colour + lightness, "colour": colour, "lightness": lightness}
