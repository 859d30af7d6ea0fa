"""Dreamer's actor, told where to go (MBOLD B.2)."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from latentplan_ros.models.networks import mlp

# Dreamer's own: means are kept where tanh still has a slope, actions begin wide.
_MEAN_SCALE, _FIRST_STD, _LEAST_STD = 5.0, 5.0, 1e-4
_OFFSET = math.log(math.expm1(_FIRST_STD))  # its softplus is the first standard deviation


class DreamerPolicy(nn.Module):
    """A policy on the world model's latents. It acts without planning and knows no distance."""

    def __init__(self, latent: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.actor = mlp(2 * latent, hidden, layers, 8)

    def act(self, state: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        """``[B,D]`` and ``[B,D]`` to the policy's mean action ``[B,4]``."""
        return self.moments(state, goal)[0].tanh()

    def sample(self, state: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        """A drawn action ``[B,4]``, through which gradients reach the actor."""
        mean, std = self.moments(state, goal)
        return (mean + std * torch.randn_like(std)).tanh()

    def moments(self, state: torch.Tensor, goal: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and standard deviation before tanh, ``[B,4]`` each."""
        mean, raw = self.actor(torch.cat([state, goal], dim=-1)).chunk(2, dim=-1)
        return _MEAN_SCALE * (mean / _MEAN_SCALE).tanh(), F.softplus(raw + _OFFSET) + _LEAST_STD
