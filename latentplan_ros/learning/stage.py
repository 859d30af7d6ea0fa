"""What the trainer asks of a method: batches, a loss, and nothing about how they are run."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import torch
from torch import nn

Batch = dict[str, torch.Tensor]


class Stage(nn.Module, ABC):
    """One training run; one optimiser steps all of it.

    Its ``forward`` returns ``{"loss": ..., more to log}``.
    name: of logs and checkpoints; recipe: its dataclass of hyperparameters; updates: how many;
    batch_size: over all processes together.
    recordable: whether ``forward`` does the same work with every batch, so that a GPU may replay it
    (update.py): no look at a number, no shape or constant that changes.
    """

    name: str
    recipe: Any
    updates: int
    batch_size: int
    recordable = False

    @abstractmethod
    def sample(self, rng: np.random.Generator, count: int) -> Batch:
        """The next batch of ``count`` items."""

    @abstractmethod
    def forward(self, batch: Batch) -> Batch:
        """Losses on a batch."""

    @abstractmethod
    def parameter_groups(self) -> list[dict[str, Any]]:
        """What the optimiser trains, with learning rates."""

    def rate(self, progress: float) -> float:
        """Factor on the learning rates when that share of the updates is done."""
        return 1.0

    def after_update(self, batch: Batch, losses: Batch) -> None:
        """What follows an optimiser step: target networks, sampling priorities."""

    def extra_state(self) -> dict[str, torch.Tensor]:
        """Tensors beside the module's own that a resumed run needs to continue bit for bit."""
        return {}

    def load_extra_state(self, state: dict[str, torch.Tensor]) -> None:
        """Takes back what extra_state gave."""
