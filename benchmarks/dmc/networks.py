"""The networks of pixel SAC, in the paper's sizes (supplement, table 2), as CURL has them."""

import torch
from torch import nn

from benchmarks.dmc.tasks import STACKED
from latentplan_ros.models.squashed import squashed_sample

FILTERS, LATENT, HIDDEN = 32, 50, 1024
CELLS = 16  # a side of what the convolutions leave of 84 x 84
# What the coarse cells stand on, 4 pixels each, and the fine cells there, 2 pixels each: without
# padding, convolutions keep off the border.
COVERED, FINE_COVERED = slice(9, 73), slice(4, 36)
_LOG_STD = (-10.0, 2.0)


class FrameEncoder(nn.Module):
    """Each picture on its own: ``uint8 [N,3,84,84]`` to fine and coarse features.

    Fine are ``[N,32,41,41]``, after the first layer; coarse ``[N,32,16,16]``, after all four. The
    supplement's table 3 encodes I_t to I_{t+M} one by one as well. Strides are nowhere given;
    CURL's 2, 1, 1, 1 take three times as long as 2, 2, 1, 1. Products are made in bfloat16, which
    takes half the time; weights, coarse features and everything behind them stay float32. Colours
    count from the middle of their range: of those above zero, weights with no bias make channels
    that nothing in a picture turns on.
    """

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, FILTERS, 3, 2), nn.ReLU(inplace=True))
        self.rest = nn.Sequential(
            *(nn.Conv2d(FILTERS, FILTERS, 3, 2), nn.ReLU(inplace=True)),
            *(nn.Conv2d(FILTERS, FILTERS, 3, 1), nn.ReLU(inplace=True)),
            *(nn.Conv2d(FILTERS, FILTERS, 3, 1), nn.ReLU(inplace=True)),
        )
        _orthogonal(self)
        # Half the time on a CPU, and how pictures come from the replay anyway.
        self.to(memory_format=torch.channels_last)

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        with torch.autocast(pictures.device.type, torch.bfloat16):
            fine = self.first(pictures.float() / 255.0 - 0.5)
            coarse = self.rest(fine)
        return fine, coarse.float()


class Latent(nn.Module):
    """Coarse features of three pictures ``[3,B,32,16,16]`` to what Q sees, ``[B,50]``.

    It is handed those of the last picture, and what changed from each to the next (Shang et al.
    2021, Reinforcement Learning with Latent Flow): velocities are small beside the rest.
    """

    def __init__(self) -> None:
        super().__init__()
        inputs = STACKED * FILTERS * CELLS * CELLS
        self.project = nn.Sequential(nn.Linear(inputs, LATENT), nn.LayerNorm(LATENT), nn.Tanh())
        _orthogonal(self)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        flow = torch.cat([features[-1:], features.diff(dim=0)])
        latents: torch.Tensor = self.project(flow.transpose(0, 1).flatten(1))
        return latents


class Critic(nn.Module):
    """Two Q functions of a latent and an action."""

    def __init__(self, actions: int) -> None:
        super().__init__()
        self.q = nn.ModuleList(_mlp(LATENT + actions, 1) for _ in range(2))
        _orthogonal(self)

    def forward(self, latent: torch.Tensor, action: torch.Tensor) -> torch.Tensor:
        """``[2,B]``."""
        inputs = torch.cat([latent, action], dim=1)
        return torch.stack([q(inputs).squeeze(1) for q in self.q])


class Actor(nn.Module):
    """A normal distribution squashed by tanh, on a latent of its own, as CURL's actor has one."""

    def __init__(self, actions: int) -> None:
        super().__init__()
        self.latent = Latent()
        self.policy = _mlp(LATENT, 2 * actions)
        _orthogonal(self.policy)

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and deviation before the squashing, ``[B,A]`` each."""
        mean, log_std = self.policy(self.latent(features)).chunk(2, dim=1)
        low, high = _LOG_STD
        return mean, (low + (high - low) * (log_std.tanh() + 1.0) / 2.0).exp()

    def sample(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Actions ``[B,A]`` in [-1, 1], and the logarithm of their density ``[B]``."""
        return squashed_sample(*self(features))


def _mlp(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        *(nn.Linear(inputs, HIDDEN), nn.ReLU(inplace=True)),
        *(nn.Linear(HIDDEN, HIDDEN), nn.ReLU(inplace=True)),
        nn.Linear(HIDDEN, outputs),
    )


def _orthogonal(network: nn.Module) -> None:
    """Orthogonal weights over whole kernels, biases zero.

    SAC+AE and CURL begin with kernels that are zero but at the middle. Of pictures in which a pole
    is a few pixels wide and layers have strides these see one pixel of sixteen at first.
    """
    for part in network.modules():
        if isinstance(part, nn.Linear):
            nn.init.orthogonal_(part.weight)
            nn.init.zeros_(part.bias)
        elif isinstance(part, nn.Conv2d):
            nn.init.orthogonal_(part.weight, nn.init.calculate_gain("relu"))
            nn.init.zeros_(part.bias)
