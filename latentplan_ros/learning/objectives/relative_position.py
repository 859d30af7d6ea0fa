"""Where a patch lies from another of the same picture (Doersch et al. 2015)."""

from typing import Any

import torch
from torch import nn
from torch.nn import functional

from latentplan_ros.learning.representation.objective import Objective, pictures
from latentplan_ros.learning.representation.patches import PICTURE, cut, enlarged
from latentplan_ros.learning.stage import Batch
from latentplan_ros.models.networks import mlp

# The paper's patches are 96 pixels, half of that apart, and jittered by 7 (section 3); these, of
# pictures of 64 pixels, keep its proportions.
_PATCH, _GAP, _JITTER = 14, 7, 1
_CELL = _PATCH + _GAP
_FEWEST = 10  # pixels a side that a patch is downsampled to: 100 in all
_OFFSETS = tuple((row, column) for row in (-1, 0, 1) for column in (-1, 0, 1) if row or column)


def pairs(shown: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """A patch and one of its eight neighbours of each picture ``[B,2,3,14,14]``, and which
    neighbour it is, int64 ``[B]``: 0 to 7, row by row from the upper left."""
    count, device = len(shown), shown.device
    labels = torch.randint(8, (count,), device=device)
    offsets = torch.tensor(_OFFSETS, device=device)[labels]
    room = PICTURE - (3 * _PATCH + 2 * _GAP) - 2 * _JITTER
    corner = _JITTER + torch.randint(room + 1, (count, 2), device=device)
    places = corner[:, None] + _CELL * torch.stack([torch.ones_like(offsets), 1 + offsets], dim=1)
    places = places + torch.randint(-_JITTER, _JITTER + 1, places.shape, device=device)
    return cut(shown, places[..., 0], places[..., 1], _PATCH), labels


def without_aberration(patches: torch.Tensor) -> torch.Tensor:
    """Patches ``[N,3,h,w]`` whose colours do not tell where in the lens they were seen.

    Half of them have green and magenta shifted towards gray; the others keep one channel of three
    and have noise about gray for the rest, with 1/100 of its standard deviation ("color dropping").
    """
    axis = patches.new_tensor([-1.0, 2.0, -1.0])
    shift = torch.eye(3, device=patches.device) - torch.outer(axis, axis) / axis.dot(axis)
    shifted = torch.einsum("ij,bjhw->bihw", shift, patches)
    kept = functional.one_hot(torch.randint(3, (len(patches),), device=patches.device), 3)
    kept = kept[:, :, None, None].to(patches.dtype)
    spread = (kept * patches).sum(1, keepdim=True).std((2, 3), keepdim=True)
    noise = 0.5 + 0.01 * spread * torch.randn_like(patches)
    dropped = kept * patches + (1.0 - kept) * noise
    return torch.where(_coin(patches), shifted, dropped)


def pixelated(patches: torch.Tensor) -> torch.Tensor:
    """Half of the patches ``[N,3,h,w]`` downsampled, to as little as 100 pixels, and up again."""
    side = int(torch.randint(_FEWEST, patches.shape[-1], ()))
    small = functional.interpolate(patches, (side, side), mode="area")
    coarse = functional.interpolate(small, patches.shape[2:], mode="bilinear", align_corners=False)
    return torch.where(_coin(patches), coarse, patches)


class RelativePosition(Objective):
    """Cross-entropy of the eight places around a patch, from the latents of both.

    Gaps, jitter, colours and pixels are altered as in section 3, so that no edge running on and no
    chromatic aberration gives the answer away. Patches are 14 x 14 pixels, drawn as large as a
    picture.
    """

    def __init__(self, encoder: nn.Module, latent: int, recipe: Any) -> None:
        super().__init__(encoder, latent, recipe)
        self.head = mlp(2 * latent, 256, 2, 8)

    def forward(self, batch: Batch) -> Batch:
        patches, labels = pairs(pictures(batch)[:, 0])
        seen = enlarged(pixelated(without_aberration(patches.flatten(0, 1))))
        logits = self.head(self.encode(seen).unflatten(0, (-1, 2)).flatten(1))
        accuracy = (logits.argmax(1) == labels).float().mean()
        return {"loss": functional.cross_entropy(logits, labels), "accuracy": accuracy}


def _coin(patches: torch.Tensor) -> torch.Tensor:
    return torch.rand_like(patches[:, :1, :1, :1]) < 0.5
