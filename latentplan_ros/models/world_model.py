"""What a planner sees of a model, whatever is inside."""

from typing import Protocol

import torch


class WorldModel(Protocol):
    """Latent world model with a distance in time steps. A video predictor's latents are images."""

    def encode(self, images: torch.Tensor, last: torch.Tensor | None = None) -> torch.Tensor:
        """``uint8 [B,3,64,64]`` to ``float32 [B,D]``.

        last: ``[B,4]``, the action that led to the picture; None where the arm was at rest.
        """

    def rollout(self, latent: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        """``[1 or N,D]`` and ``[N,H,4]`` to the imagined latents after each action, ``[N,H,D]``."""

    def distance(self, latent: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        """``[N,D]`` and ``[1 or N,D]`` to the distance in time steps, ``[N]``."""

    def arrived(self, latent: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        """``[N,D]`` and ``[1 or N,D]`` to whether the goal is reached, ``bool [N]``.

        As far as the model can tell; a planner keeps still there.
        """

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """``[...,D]`` to pictures for people, ``float32 [...,3,64,64]`` in [0, 1]."""


def nowhere(latent: torch.Tensor) -> torch.Tensor:
    """What ``arrived`` is of a model that cannot tell, ``[N,D]`` to ``bool [N]``."""
    return torch.zeros(len(latent), dtype=torch.bool, device=latent.device)
