"""Plan2vec's global metric: pictures as points whose l^p distance is that of the shortest path."""

import torch
from torch import nn

from latentplan_ros.models.local_metric import EPSILON
from latentplan_ros.models.picture_encoder import PictureEncoder


class GlobalMetric(nn.Module):
    """D_Phi(x, x') = ||phi(x) - phi(x')||_p (section 2), in steps.

    latent: numbers of a point, 2 for a map to look at; p: of the norm, 1 to 2 (Table 4).
    """

    def __init__(self, latent: int, p: float) -> None:
        super().__init__()
        self.encoder, self.p = PictureEncoder(latent), p

    def forward(self, start: torch.Tensor, end: torch.Tensor) -> torch.Tensor:
        """``uint8 [B,64,64]`` each to ``float32 [B]``."""
        return lp_distance(self.encoder(start), self.encoder(end), self.p)


def lp_distance(a: torch.Tensor, b: torch.Tensor, p: float) -> torch.Tensor:
    """``[...,D]`` and ``[...,D]`` to ``[...]``."""
    return ((a - b).abs() + EPSILON).pow(p).sum(-1).pow(1.0 / p)
