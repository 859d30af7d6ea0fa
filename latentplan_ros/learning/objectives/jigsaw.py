"""In which order nine shuffled tiles of a picture are (Noroozi & Favaro 2016)."""

from dataclasses import dataclass
from functools import cache
from itertools import permutations
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from latentplan_ros.learning.representation.objective import Objective, ObjectiveRecipe, pictures
from latentplan_ros.learning.representation.patches import cut, enlarged
from latentplan_ros.learning.stage import Batch
from latentplan_ros.models.networks import mlp

# The paper's cells are 75 pixels and its tiles 64; these keep about that proportion.
_CELL, _TILE = 21, 18
_PERMUTATIONS = 64  # the paper goes up to 1000, for a million pictures


@dataclass(frozen=True)
class JigsawRecipe(ObjectiveRecipe):
    batch_size: int = 16  # of pictures: the encoder sees nine times as many


@cache
def permutation_set(count: int) -> torch.Tensor:
    """Permutations of nine tiles far from each other, int64 ``[count,9]``.

    Algorithm 1: the next is the one with the largest sum of Hamming distances to those before. It
    begins with tiles in order, where the paper draws, so that the set is always the same.
    """
    every = np.array(list(permutations(range(9))), np.uint8).T.copy()
    total = np.zeros(every.shape[1], np.int32)
    chosen = [0]
    while len(chosen) < count:
        last = chosen[-1]
        for tiles in every:
            total += tiles != tiles[last]
        total[last] = -9 * count  # never again
        chosen.append(int(total.argmax()))
    return torch.from_numpy(every.T[chosen].astype(np.int64))


def random_tiles(shown: torch.Tensor) -> torch.Tensor:
    """One tile at random in each cell of a 3 x 3 grid, row by row, ``[B,9,3,18,18]``.

    The gaps keep edges that run on from giving neighbours away.
    """
    cells = torch.arange(9, device=shown.device)
    corner = _CELL * torch.stack([torch.div(cells, 3, rounding_mode="floor"), cells % 3], dim=1)
    inside = torch.randint(_CELL - _TILE + 1, (len(shown), 9, 2), device=shown.device)
    top, left = (corner + inside).unbind(-1)
    return cut(shown, top, left, _TILE)


def normalised(tiles: torch.Tensor) -> torch.Tensor:
    """Every tile with zero mean and unit variance, so that shading does not tell where it was."""
    mean = tiles.mean((-3, -2, -1), keepdim=True)
    spread = tiles.std((-3, -2, -1), keepdim=True)
    return (tiles - mean) / spread.clamp_min(1.0 / 255.0)  # a tile may be of one colour


class Jigsaw(Objective):
    """Cross-entropy of which of 64 permutations a picture's tiles are in.

    The encoder sees one tile at a time, drawn as large as a picture; a head sees all nine latents
    (the context-free network). Tiles are 18 x 18 pixels.
    """

    recipe_type = JigsawRecipe

    def __init__(self, encoder: nn.Module, latent: int, recipe: Any) -> None:
        super().__init__(encoder, latent, recipe)
        self.register_buffer("permutations", permutation_set(_PERMUTATIONS), persistent=False)
        self.head = mlp(9 * latent, 256, 2, _PERMUTATIONS)

    permutations: torch.Tensor

    def forward(self, batch: Batch) -> Batch:
        tiles = normalised(random_tiles(pictures(batch)[:, 0]))
        labels = torch.randint(_PERMUTATIONS, (len(tiles),), device=tiles.device)
        order = self.permutations[labels]
        shuffled = tiles[torch.arange(len(tiles), device=tiles.device)[:, None], order]
        # The encoder takes 0.5 as zero and half of the range as one.
        seen = 0.5 + 0.5 * enlarged(shuffled.flatten(0, 1))
        logits = self.head(self.encode(seen).unflatten(0, (-1, 9)).flatten(1))
        accuracy = (logits.argmax(1) == labels).float().mean()
        return {"loss": functional.cross_entropy(logits, labels), "accuracy": accuracy}
