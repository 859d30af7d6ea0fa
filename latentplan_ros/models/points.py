"""Latents with places in them: points that the network learns to keep on things that move.

Where an object is enters the latent as coordinates, so that pushing it is a small step of a few
numbers, and not a turn of the whole code (Finn et al. 2016; Jakab et al. 2018).
"""

import torch
from torch import nn

from latentplan_ros.models.networks import coarse_features

_CELLS = 16  # a picture of 64 x 64, halved twice
_GAIN = 3.0  # points lie in [-1, 1]; with it they spread about as far as the other numbers do
# Of the soft maximum over a map with unit variance: without it, points begin as the mean of all
# cells, hardly move, and are not learned to be used.
_SHARPNESS = 4.0
_WIDTH = 0.15  # of the spot that a point is drawn as, half the picture's side being 1


class PointEncoder(nn.Module):
    """``uint8 [B,3,64,64]`` to ``float32 [B,D]``: ``points`` times (x, y), the rest features.

    A point is the expected place under a soft maximum over one feature map; x to the right and y
    down the picture, in [-3, 3]. The features have zero mean and unit variance.
    """

    def __init__(self, latent: int, channels: int, points: int) -> None:
        super().__init__()
        c = channels
        self.low = nn.Sequential(
            nn.Conv2d(3, c, 4, 2, 1), nn.SiLU(), nn.Conv2d(c, 2 * c, 4, 2, 1), nn.SiLU()
        )
        self.maps = nn.Sequential(
            nn.Conv2d(2 * c, 2 * c, 3, 1, 1),
            nn.SiLU(),
            nn.Conv2d(2 * c, points, 1),
            nn.InstanceNorm2d(points),
        )
        self.features = nn.Sequential(
            nn.Conv2d(2 * c, 4 * c, 4, 2, 1),
            nn.SiLU(),
            nn.Conv2d(4 * c, 4 * c, 4, 2, 1),
            nn.SiLU(),
            nn.Flatten(),
            nn.Linear(4 * c * 16, latent - 2 * points),
            nn.LayerNorm(latent - 2 * points, elementwise_affine=False),
        )
        self.register_buffer("axis", torch.linspace(-1.0, 1.0, _CELLS), persistent=False)

    axis: torch.Tensor

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        low = self.low(images.float() / 127.5 - 1.0)
        share = (_SHARPNESS * self.maps(low)).flatten(2).softmax(-1).unflatten(2, (_CELLS, _CELLS))
        x = (share.sum(2) * self.axis).sum(-1)
        y = (share.sum(3) * self.axis).sum(-1)
        places = _GAIN * torch.stack([x, y], dim=-1).flatten(1)
        return torch.cat([places, self.features(low)], dim=1)

    def pyramid(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Features that keep their place: fine ``[B,c,32,32]``, coarse ``[B,2c,16,16]``."""
        fine = self.low[:2](images.float() / 127.5 - 1.0)
        return fine, self.low[2:](fine)


class PointDecoder(nn.Module):
    """``[B,D]`` to ``float32 [B,3,64,64]``: each point drawn as a spot, beside the features."""

    def __init__(self, latent: int, channels: int, points: int) -> None:
        super().__init__()
        c = channels
        self._points = points
        self.features = coarse_features(latent - 2 * points, c)
        self.draw = nn.Sequential(
            nn.Conv2d(2 * c + points, 2 * c, 3, 1, 1),
            nn.SiLU(),
            nn.ConvTranspose2d(2 * c, c, 4, 2, 1),
            nn.SiLU(),
            nn.ConvTranspose2d(c, 3, 4, 2, 1),
        )
        self.register_buffer("axis", torch.linspace(-1.0, 1.0, _CELLS), persistent=False)

    axis: torch.Tensor

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        places, features = latents.split([2 * self._points, latents.shape[1] - 2 * self._points], 1)
        x, y = (places / _GAIN).unflatten(1, (-1, 2)).unbind(-1)
        across = (-0.5 * ((x[..., None] - self.axis) / _WIDTH).square()).exp()
        down = (-0.5 * ((y[..., None] - self.axis) / _WIDTH).square()).exp()
        spots = down[..., :, None] * across[..., None, :]
        return self.draw(torch.cat([self.features(features), spots], dim=1)) + 0.5
