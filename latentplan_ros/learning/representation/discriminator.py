"""The adversary of a generative adversarial network, and both sides' losses (Goodfellow 2014)."""

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm


class Discriminator(nn.Module):
    """A logit ``[B]`` of how real pictures ``[B,3,64,64]`` in [0, 1] are, given what lies beside.

    beside: how many numbers it sees of each picture besides the picture. Its layers have a spectral
    norm of 1 (Miyato et al. 2018), without which it is soon too sure for anyone to learn from it.
    """

    def __init__(self, channels: int, beside: int = 0) -> None:
        super().__init__()
        c = channels
        self.convolutions = nn.Sequential(
            spectral_norm(nn.Conv2d(3, c, 4, 2, 1)),
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Conv2d(c, 2 * c, 4, 2, 1)),
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Conv2d(2 * c, 4 * c, 4, 2, 1)),
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Conv2d(4 * c, 4 * c, 4, 2, 1)),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
        )
        self.judge = nn.Sequential(
            spectral_norm(nn.Linear(4 * c * 16 + beside, 128)),
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Linear(128, 1)),
        )

    def forward(self, pictures: torch.Tensor, *beside: torch.Tensor) -> torch.Tensor:
        seen = self.convolutions(2.0 * pictures - 1.0)
        logits: torch.Tensor = self.judge(torch.cat([seen, *beside], dim=1))[:, 0]
        return logits


def telling_loss(real: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
    """Of a discriminator: cross-entropy of its logits."""
    return functional.softplus(-real).mean() + functional.softplus(made).mean()


def fooling_loss(made: torch.Tensor) -> torch.Tensor:
    """Of what made them: -log D, whose gradient does not vanish where the adversary is sure."""
    return functional.softplus(-made).mean()
