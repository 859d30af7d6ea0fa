"""What else teaches SAC's encoder: a loss, and the heads that it needs."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import nn

Batch = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Seen:
    """What the encoders made of a batch.

    pictures: ``uint8 [4,B,3,84,84]``, the observation's three and the next one; fine, coarse,
    latent: of the observation, with gradients, ``[3,B,32,41,41]``, ``[3,B,32,16,16]``, ``[B,50]``;
    target_fine, target_coarse: of the next observation, by the slow encoder; other_latent: of the
    observation in another window, by the slow encoder, where the method has two.
    """

    pictures: torch.Tensor
    fine: torch.Tensor
    coarse: torch.Tensor
    latent: torch.Tensor
    target_fine: torch.Tensor
    target_coarse: torch.Tensor
    other_latent: torch.Tensor | None


class Auxiliary(nn.Module, ABC):
    """Its weights are trained with the encoder's."""

    @abstractmethod
    def forward(self, seen: Seen, actions: torch.Tensor) -> Batch:
        """``{"loss": a number, more numbers}``; actions ``[B,A]`` led from the observation to the
        next one."""

    def follow(self, rate: float) -> None:
        """Moves slow copies of its own weights, when SAC's are moved."""
