"""What an objective of representation learning is: what it needs to see, and a loss."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from latentplan_ros.learning.stage import Batch


@dataclass(frozen=True)
class Needs:
    """What a batch of an objective holds.

    frames: pictures of one episode in a row; views: cameras that saw the same moments (1 or 2);
    moving: windows in which much moves are drawn more often; source: the task whose recordings it
    takes, where it cannot learn from others.
    """

    frames: int = 1
    views: int = 1
    moving: bool = False
    source: str = ""


@dataclass(frozen=True)
class ObjectiveRecipe:
    """Settings that every objective has; its own come with it."""

    batch_size: int = 64
    learning_rate: float = 8e-4


class Objective(nn.Module, ABC):
    """A loss for an encoder, and the heads that the loss needs. One file in learning/objectives.

    A batch holds ``images`` uint8 ``[B,frames,3,64,64]``; ``actions`` float32 ``[B,frames-1,4]``,
    of which the t-th leads from picture t to t+1; ``episode`` int64 ``[B]``; and with two views
    ``second``, what the other camera saw, shaped as images. Whatever else is drawn at random, an
    objective draws with torch's generator, which the trainer seeds and keeps.

    needs: of its batches; recipe_type: its settings, a frozen dataclass.
    """

    needs: ClassVar[Needs] = Needs()
    recipe_type: ClassVar[type[ObjectiveRecipe]] = ObjectiveRecipe

    def __init__(self, encoder: nn.Module, latent: int, recipe: Any) -> None:
        """encoder: pictures ``[B,3,64,64]`` in [0, 255] to ``[B,latent]``, with a ``pyramid``
        (models/networks.py); it is shared with the world model, and trained."""
        super().__init__()
        self.encoder, self.latent, self.recipe = encoder, latent, recipe

    def encode(self, pictures: torch.Tensor) -> torch.Tensor:
        """Latents ``[B,latent]`` of pictures ``[B,3,64,64]`` in [0, 1]."""
        latents: torch.Tensor = self.encoder(255.0 * pictures)
        return latents

    @abstractmethod
    def forward(self, batch: Batch) -> Batch:
        """``{"loss": a number, more numbers to log}``."""

    def after_update(self) -> None:
        """What follows an optimiser step: target networks."""

    def preview(self, batch: Batch) -> np.ndarray | None:
        """What a person looks at to judge it, ``uint8 [H,W,3]``; None where there is nothing."""
        return None


def pictures(batch: Batch, view: str = "images") -> torch.Tensor:
    """A batch's pictures in [0, 1], ``float32 [B,frames,3,64,64]``."""
    return batch[view].float() / 255.0
