"""By how many quarter turns a picture was rotated (Gidaris et al. 2018)."""

from typing import Any

import torch
from torch import nn
from torch.nn import functional

from latentplan_ros.learning.representation.objective import Objective, pictures
from latentplan_ros.learning.stage import Batch
from latentplan_ros.models.networks import mlp


def every_turn(shown: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """All four rotations of each picture ``[4B,3,64,64]``, and the number of counterclockwise
    quarter turns of each, int64 ``[4B]``."""
    turned = torch.cat([torch.rot90(shown, turns, (2, 3)) for turns in range(4)])
    turns = torch.arange(4, device=shown.device).repeat_interleave(len(shown))
    return turned, turns


class Rotation(Objective):
    """Cross-entropy of 0, 90, 180 or 270 degrees, with all four of each picture in the batch
    (eq. 2, 3)."""

    def __init__(self, encoder: nn.Module, latent: int, recipe: Any) -> None:
        super().__init__(encoder, latent, recipe)
        self.head = mlp(latent, 128, 1, 4)

    def forward(self, batch: Batch) -> Batch:
        turned, turns = every_turn(pictures(batch)[:, 0])
        logits = self.head(self.encode(turned))
        accuracy = (logits.argmax(1) == turns).float().mean()
        return {"loss": functional.cross_entropy(logits, turns), "accuracy": accuracy}
