"""Latents compared by how far one step moves them: a Mahalanobis distance."""

import torch
from torch import nn


class MahalanobisDistance(nn.Module):
    """d(z, g) = sqrt((z - g)^T S^-1 (z - g)), S the second moment of what one step changes.

    What hardly ever moves, such as a block, weighs much, and an arm, which moves in every step,
    little. Random actions carry latents about as a random walk does, whose density after t steps
    falls with d^2 / 2t. Unlike a learned value it has no horizon behind which all goals are as far,
    and several objects' ways add up. Weights may favour directions in which the data varies much
    for what one step changes, the slow features (learning/mahalanobis.py): those of a block, where
    the arm's are fast and the rest is noise.
    """

    whitening: torch.Tensor

    def __init__(self, latent: int) -> None:
        super().__init__()
        # W; without weights W W^T = S^-1, up to a scale.
        self.register_buffer("whitening", torch.eye(latent))

    def forward(self, state: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        """Distance in usual steps, ``[N,D]`` and ``[N,D]`` to ``[N]``."""
        return torch.linalg.vector_norm((state - goal) @ self.whitening, dim=-1)
