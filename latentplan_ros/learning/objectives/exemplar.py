"""Exemplar-CNN: which patch distorted patches come from (Dosovitskiy et al. 2015)."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from latentplan_ros.learning.representation.augmentation import colour_jitter
from latentplan_ros.learning.representation.objective import Objective, ObjectiveRecipe, pictures
from latentplan_ros.learning.representation.patches import PICTURE
from latentplan_ros.learning.stage import Batch

_PATCH = 32  # pixels a side, of a picture's 64
_STEP = 4  # between the places at which a patch may lie
# How far a distortion moves a patch, as a share of its side; how it scales what the patch takes
# in; how far it turns it. All as in the paper.
_SHIFT, _ZOOM, _TURN = 0.2, (0.7, 1.4), math.radians(20.0)


@dataclass(frozen=True)
class ExemplarRecipe(ObjectiveRecipe):
    distortions: int = 2  # of each patch
    temperature: float = 0.1  # of the softmax over cosines


def gradient_energy(shown: torch.Tensor) -> torch.Tensor:
    """Mean squared gradient in a patch at each place that one may have, ``[B,9,9]``."""
    gray = shown.mean(1, keepdim=True)
    down = functional.pad(gray.diff(dim=2), (0, 0, 0, 1)).square()
    right = functional.pad(gray.diff(dim=3), (0, 1, 0, 0)).square()
    return functional.avg_pool2d(down + right, _PATCH, _STEP)[:, 0]


def exemplary_places(shown: torch.Tensor) -> torch.Tensor:
    """Centres (x, y) of one patch of each picture ``[B,2]``, picture coordinates in [-1, 1].

    Drawn in proportion to the squared gradient, since edges and objects are where it is large.
    """
    energy = gradient_energy(shown)
    # A picture without any gradient has no better place than another.
    place = torch.multinomial(energy.flatten(1) + 1e-8, 1)[:, 0]
    row = torch.div(place, energy.shape[2], rounding_mode="floor")
    corner = _STEP * torch.stack([place % energy.shape[2], row], dim=1)
    return (corner + _PATCH / 2) / (PICTURE / 2) - 1.0


def cut_out(
    shown: torch.Tensor, centre: torch.Tensor, side: torch.Tensor, turn: torch.Tensor
) -> torch.Tensor:
    """Turned squares of pictures, as large as pictures; beyond the border it repeats.

    centre: (x, y) in [-1, 1], ``[B,2]``; side: share of the picture's, ``[B]``; turn: rad, ``[B]``.
    """
    cos, sin = side * turn.cos(), side * turn.sin()
    rows = [torch.stack([cos, -sin, centre[:, 0]], 1), torch.stack([sin, cos, centre[:, 1]], 1)]
    grid = functional.affine_grid(torch.stack(rows, 1), list(shown.shape), align_corners=False)
    return functional.grid_sample(shown, grid, padding_mode="border", align_corners=False)


def distort(shown: torch.Tensor, centre: torch.Tensor) -> torch.Tensor:
    """Patches around these centres, each moved, scaled, turned and coloured at random."""
    side = _PATCH / PICTURE * torch.empty_like(centre[:, 0]).uniform_(*_ZOOM)
    # A picture is 2 wide in coordinates, so a patch's side is twice its share.
    moved = centre + 2.0 * _PATCH / PICTURE * torch.empty_like(centre).uniform_(-_SHIFT, _SHIFT)
    turn = torch.empty_like(side).uniform_(-_TURN, _TURN)
    patches = cut_out(shown, moved, side, turn)
    return colour_jitter(patches, brightness=0.3, contrast=0.5, saturation=0.5, hue=0.1)


class Exemplar(Objective):
    """Cross-entropy of surrogate classes, each one patch and what transformations make of it.

    The paper fixes the patches before training and has an output unit for each. Here every batch
    draws new ones, one of each picture, so this is the batch-wise form of that softmax: a patch's
    class is the normalised embedding of the patch itself, and its distortions are classified
    against the batch's B classes. Patches are 32 x 32 pixels, drawn as large as a picture. They are
    moved, scaled and turned as far as there; contrast and colour change by jitter in place of its
    factors on principal components and powers of saturation and value.
    """

    recipe_type = ExemplarRecipe

    def __init__(self, encoder: nn.Module, latent: int, recipe: Any) -> None:
        super().__init__(encoder, latent, recipe)
        self.head = nn.Linear(latent, 64)

    def forward(self, batch: Batch) -> Batch:
        seen = pictures(batch)[:, 0]
        centre = exemplary_places(seen)
        side = torch.full_like(centre[:, 0], _PATCH / PICTURE)
        exemplars = cut_out(seen, centre, side, torch.zeros_like(side))
        copies = self.recipe.distortions
        distorted = distort(seen.repeat(copies, 1, 1, 1), centre.repeat(copies, 1))
        embedded = functional.normalize(self.head(self.encode(torch.cat([exemplars, distorted]))))
        classes, members = embedded.split([len(seen), copies * len(seen)])
        labels = torch.arange(len(seen), device=seen.device).repeat(copies)
        logits = members @ classes.T / self.recipe.temperature
        accuracy = (logits.argmax(1) == labels).float().mean()
        return {"loss": functional.cross_entropy(logits, labels), "accuracy": accuracy}
