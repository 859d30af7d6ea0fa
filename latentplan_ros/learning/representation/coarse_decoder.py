"""Classes of a picture's places, from its latent."""

import torch
from torch import nn

from latentplan_ros.models.networks import coarse_features


class CoarseDecoder(nn.Module):
    """``[B,D]`` to logits ``[B,classes,16,16]``, one place for each 4 x 4 pixels."""

    def __init__(self, latent: int, channels: int, classes: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *coarse_features(latent, channels), nn.Conv2d(2 * channels, classes, 1)
        )

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.layers(latents)
        return logits
