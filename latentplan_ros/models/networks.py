"""The small networks that the world models are made of."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F


def mlp(inputs: int, hidden: int, layers: int, outputs: int) -> nn.Sequential:
    """``layers`` hidden layers with layer norm and SiLU, then a linear output."""
    widths = [inputs] + [hidden] * layers
    blocks: list[nn.Module] = []
    for a, b in pairwise(widths):
        blocks += [nn.Linear(a, b), nn.LayerNorm(b), nn.SiLU()]
    return nn.Sequential(*blocks, nn.Linear(widths[-1], outputs))


def zero_output(network: nn.Sequential) -> None:
    """Sets the last layer of an ``mlp`` so that it says 0 whatever it is given."""
    last = network[-1]
    assert isinstance(last, nn.Linear)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)


class Encoder(nn.Module):
    """``uint8 [B,3,64,64]`` to ``float32 [B,D]``; every latent has zero mean and unit variance."""

    def __init__(self, latent: int, channels: int) -> None:
        super().__init__()
        c = channels
        self.convolutions = nn.Sequential(
            nn.Conv2d(3, c, 4, 2, 1),
            nn.SiLU(),
            nn.Conv2d(c, 2 * c, 4, 2, 1),
            nn.SiLU(),
            nn.Conv2d(2 * c, 4 * c, 4, 2, 1),
            nn.SiLU(),
            nn.Conv2d(4 * c, 4 * c, 4, 2, 1),
            nn.SiLU(),
            nn.Flatten(),
        )
        self.project = nn.Linear(4 * c * 16, latent)
        self.scale = nn.LayerNorm(latent, elementwise_affine=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = self.convolutions(images.float() / 127.5 - 1.0)
        return self.scale(self.project(features))

    def pyramid(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Features that keep their place: fine ``[B,c,32,32]``, coarse ``[B,2c,16,16]``."""
        fine = self.convolutions[:2](images.float() / 127.5 - 1.0)
        return fine, self.convolutions[2:4](fine)


class Decoder(nn.Module):
    """``[B,D]`` to ``float32 [B,3,64,64]``, nominally in [0, 1]."""

    def __init__(self, latent: int, channels: int) -> None:
        super().__init__()
        c = channels
        self.project = nn.Sequential(nn.Linear(latent, 4 * c * 16), nn.SiLU())
        self.convolutions = nn.Sequential(
            nn.Unflatten(1, (4 * c, 4, 4)),
            nn.ConvTranspose2d(4 * c, 4 * c, 4, 2, 1),
            nn.SiLU(),
            nn.ConvTranspose2d(4 * c, 2 * c, 4, 2, 1),
            nn.SiLU(),
            nn.ConvTranspose2d(2 * c, c, 4, 2, 1),
            nn.SiLU(),
            nn.ConvTranspose2d(c, 3, 4, 2, 1),
        )

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        return self.convolutions(self.project(latents)) + 0.5


def coarse_features(latent: int, channels: int) -> nn.Sequential:
    """``[B,D]`` to features of 16 x 16 places, ``[B,2c,16,16]``."""
    c = channels
    return nn.Sequential(
        nn.Linear(latent, 4 * c * 16),
        nn.SiLU(),
        nn.Unflatten(1, (4 * c, 4, 4)),
        nn.ConvTranspose2d(4 * c, 2 * c, 4, 2, 1),
        nn.SiLU(),
        nn.ConvTranspose2d(2 * c, 2 * c, 4, 2, 1),
        nn.SiLU(),
    )


class Dynamics(nn.Module):
    """Residual transition z' = z + f(z, a, a_last).

    The last action belongs to the state: an arm is still on its way to where that action sent it,
    and one picture does not show that.

    It begins with z' = z: that most things stay where they are is then known from the start, and
    over thirteen steps a random change would grow beyond what training undoes soon (docs/mbold.md
    says how much that is worth).
    """

    def __init__(self, latent: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.change = mlp(latent + 8, hidden, layers, latent)
        zero_output(self.change)

    def forward(
        self, latent: torch.Tensor, action: torch.Tensor, last: torch.Tensor, dropout: float = 0.0
    ) -> torch.Tensor:
        """dropout: share of the hidden units that are left out, for training."""
        change = torch.cat([latent, action, last], dim=-1)
        for layer in self.change:
            change = layer(change)
            if dropout and isinstance(layer, nn.SiLU):
                change = F.dropout(change, dropout)
        return latent + change


def imagine(
    members: Sequence[nn.Module],
    latent: torch.Tensor,
    last: torch.Tensor,
    actions: torch.Tensor,
    dropout: float = 0.0,
) -> torch.Tensor:
    """Every member's future, open loop and on its own: ``[K,N,H,D]``.

    latent: ``[N,D]``; last: the action before, ``[N,A]``; actions: ``[N,H,A]``; dropout: in every
    step of its own.
    """
    futures = []
    for member in members:
        here, before, future = latent, last, []
        for action in actions.unbind(1):
            here, before = member(here, action, before, dropout), action
            future.append(here)
        futures.append(torch.stack(future, dim=1))
    return torch.stack(futures)
