"""Plan2vec's local metric: how far apart two pictures are, where that is a step or none (eq. 4, 5).

Pictures are gray, ``uint8 [B,64,64]``. A distance of 1 is a step; 2 is anything further apart.
"""

import torch
from torch import nn

from latentplan_ros.models.picture_encoder import PictureEncoder

EPSILON = 1e-6  # under a root, so that its gradient stays finite at 0


def _convolution(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 4, stride), nn.BatchNorm2d(outputs), nn.ReLU()]


def maze_trunk() -> nn.Sequential:
    """``LocalMetricConvLarge`` of appendix G: two stacked pictures to one number."""
    return nn.Sequential(
        *_convolution(2, 32, 2),
        *_convolution(32, 64, 2),
        *_convolution(64, 64, 2),
        *_convolution(64, 32, 2),
        nn.Flatten(),
        *_head(128),
    )


def wide_trunk() -> nn.Sequential:
    """``LocalMetric`` of appendix G, for rope and streets."""
    return nn.Sequential(
        *_convolution(2, 128, 2),
        *_convolution(128, 128, 2),
        *(layer for _ in range(4) for layer in _convolution(128, 128, 1)),
        nn.Flatten(),
        *_head(512),
    )


def _head(inputs: int) -> list[nn.Module]:
    return [
        nn.Linear(inputs, 128),
        nn.ReLU(),
        nn.Linear(128, 100),
        nn.ReLU(),
        nn.Linear(100, 1),
    ]


TRUNKS = {"maze": maze_trunk, "wide": wide_trunk}


class StackedMetric(nn.Module):
    """The paper's: both pictures in one network. kind: of TRUNKS."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.trunk = TRUNKS[kind]()

    def forward(self, start: torch.Tensor, end: torch.Tensor) -> torch.Tensor:
        """``uint8 [B,64,64]`` each to ``float32 [B]``."""
        pair = torch.stack([start, end], dim=1).float() / 127.5 - 1.0
        return self.trunk(pair).squeeze(-1)


class SiameseMetric(nn.Module):
    """Euclidean distance between features of each picture by itself (below eq. 5).

    All pairs of N pictures cost N passes of the network in place of N^2, and FAISS finds what is
    near by the same features.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.encoder = PictureEncoder(features)

    def forward(self, start: torch.Tensor, end: torch.Tensor) -> torch.Tensor:
        """``uint8 [B,64,64]`` each to ``float32 [B]``."""
        return euclidean(self.encoder(start), self.encoder(end))


def euclidean(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """``[...,D]`` and ``[...,D]`` to ``[...]``."""
    return ((a - b).square().sum(-1) + EPSILON).sqrt()
