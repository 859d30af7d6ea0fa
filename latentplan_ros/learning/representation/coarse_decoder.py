"""Classes of a picture's places, from its latent."""

import torch
from torch import nn


class CoarseDecoder(nn.Module):
    """``[B,D]`` to logits ``[B,classes,16,16]``, one place for each 4 x 4 pixels."""

    def __init__(self, latent: int, channels: int, classes: int) -> None:
        super().__init__()
        c = channels
        self.layers = nn.Sequential(
            nn.Linear(latent, 4 * c * 16),
            nn.SiLU(),
            nn.Unflatten(1, (4 * c, 4, 4)),
            nn.ConvTranspose2d(4 * c, 2 * c, 4, 2, 1),
            nn.SiLU(),
            nn.ConvTranspose2d(2 * c, 2 * c, 4, 2, 1),
            nn.SiLU(),
            nn.Conv2d(2 * c, classes, 1),
        )

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.layers(latents)
        return logits
