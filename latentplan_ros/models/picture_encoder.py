"""Gray pictures to a few numbers each: the trunk of Plan2vec's Siamese metrics and baselines."""

import torch
from torch import nn


class PictureEncoder(nn.Module):
    """``uint8 [B,64,64]`` to ``float32 [B,D]``.

    Half the paper's resolution and a hundredth of its multiply-adds: means over two pixels still
    show a block's place to a fraction of a pixel, and two cores train it in minutes.
    """

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.AvgPool2d(2),
            nn.Conv2d(1, 16, 4, 2, 1),
            nn.SiLU(),
            nn.Conv2d(16, 32, 4, 2, 1),
            nn.SiLU(),
            nn.Conv2d(32, 64, 4, 2, 1),
            nn.SiLU(),
            nn.Flatten(),
            nn.Linear(1024, 256),
            nn.LayerNorm(256),
            nn.SiLU(),
            nn.Linear(256, outputs),
        )

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.layers(pictures[:, None].float() / 127.5 - 1.0)
