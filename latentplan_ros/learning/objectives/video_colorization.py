"""Video colorization: a gray picture's colours, copied from pictures before it (Vondrick et al.
2018)."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from latentplan_ros.learning.representation.clusters import k_means
from latentplan_ros.learning.representation.coarse_decoder import CoarseDecoder
from latentplan_ros.learning.representation.lab import gray, to_lab
from latentplan_ros.learning.representation.objective import (
    Needs,
    Objective,
    ObjectiveRecipe,
    pictures,
)
from latentplan_ros.learning.stage import Batch

REFERENCES = 3
COLOURS, _ROUNDS = 16, 5
_CELL = 4  # pixels of a picture a cell of the map, either way: 16 x 16 cells
_SMALLEST = 1e-6  # probability, so that its logarithm is finite


@dataclass(frozen=True)
class VideoColorizationRecipe(ObjectiveRecipe):
    batch_size: int = 16  # windows; each is four pictures
    channels: int = 16  # of the decoder
    features: int = 64  # f of a place, as in the paper


def copied(reference: torch.Tensor, target: torch.Tensor, colours: torch.Tensor) -> torch.Tensor:
    """c_j = sum over i of A_ij c_i, with A_ij = exp(f_i . f_j) / sum over i' of exp(f_i' . f_j).

    reference: f_i ``[B,N,F]``; target: f_j ``[B,M,F]``; colours: c_i ``[B,N,C]``; c_j ``[B,M,C]``.
    """
    return (target @ reference.transpose(1, 2)).softmax(2) @ colours


class VideoColorization(Objective):
    """Cross-entropy of the target's colour at each place, of 16, copied by pointers to places of
    three reference pictures before it.

    The paper's features come from a convolutional network; ours are drawn from the latent of each
    gray picture, so that the latent must say where everything is. Taken from the encoder's
    first layers, they would teach these alone. Colours are clusters of a and b. The paper's are of
    the dataset; ours are of each batch, as they are only ever copied, and no weight of the network
    belongs to one of them.
    """

    needs = Needs(frames=REFERENCES + 1, moving=True)
    recipe_type = VideoColorizationRecipe

    def __init__(self, encoder: nn.Module, latent: int, recipe: Any) -> None:
        super().__init__(encoder, latent, recipe)
        self.decoder = CoarseDecoder(latent, recipe.channels, recipe.features)

    def forward(self, batch: Batch) -> Batch:
        lab = to_lab(pictures(batch).flatten(0, 1))
        maps = self.decoder(self.encode(gray(lab)))
        features = maps.flatten(2).transpose(1, 2).unflatten(0, (-1, REFERENCES + 1))
        labels = _clustered(lab).unflatten(0, (-1, REFERENCES + 1))
        shown = functional.one_hot(labels[:, :REFERENCES], COLOURS).flatten(1, 2).float()
        reference, target = features[:, :REFERENCES].flatten(1, 2), features[:, REFERENCES]
        share = copied(reference, target, shown)
        wanted = labels[:, REFERENCES]
        errors = -share.clamp_min(_SMALLEST).log().gather(2, wanted[..., None])
        right = (share.argmax(2) == wanted).float().mean()
        return {"loss": errors.mean(), "right": right}


def _clustered(lab: torch.Tensor) -> torch.Tensor:
    """Which colour of the batch's each place has, int64 ``[B,256]``."""
    colours = functional.avg_pool2d(lab[:, 1:], _CELL).flatten(2).transpose(1, 2)
    centres = k_means(colours.flatten(0, 1), COLOURS, _ROUNDS)
    return torch.cdist(colours, centres[None].expand(len(colours), -1, -1)).argmin(2)
