"""Reinforcement learning with imagined goals: a policy on a VAE's codes (RIG; MBOLD B.1)."""

import torch
from torch import nn

from latentplan_ros.models.squashed import squashed_sample
from latentplan_ros.models.vae_distance import VaeDistance

VAE_HIDDEN = 128  # B.1
_LOG_STD = (-20.0, 2.0)  # SAC's bounds


def relu_mlp(inputs: int, hidden: int, layers: int, outputs: int) -> nn.Sequential:
    """``layers`` hidden layers without normalisation, as in the SAC that the paper used."""
    blocks: list[nn.Module] = []
    for index in range(layers):
        blocks += [nn.Linear(inputs if index == 0 else hidden, hidden), nn.ReLU()]
    return nn.Sequential(*blocks, nn.Linear(hidden, outputs))


class RigPolicy(nn.Module):
    """The autoencoder's encoder and SAC's actor on its codes.

    It sees pictures and not the world model's latents; ``latent`` is not used. It acts without
    planning and knows no distance.
    """

    def __init__(self, latent: int, hidden: int, layers: int, code: int) -> None:
        super().__init__()
        self.vae = VaeDistance(latent, VAE_HIDDEN, code)
        self.actor = relu_mlp(2 * code, hidden, layers, 8)

    def act(self, pictures: torch.Tensor, goals: torch.Tensor) -> torch.Tensor:
        """``[B,3,64,64]`` in [0, 1] each, to the policy's mean action ``[B,4]``."""
        return self.moments(self.vae.means(pictures), self.vae.means(goals))[0].tanh()

    def moments(self, code: torch.Tensor, goal: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """``[B,code]`` each to mean and log standard deviation before tanh, ``[B,4]`` each."""
        mean, log_std = self.actor(torch.cat([code, goal], dim=-1)).chunk(2, dim=-1)
        return mean, log_std.clamp(*_LOG_STD)

    def sample(self, code: torch.Tensor, goal: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """A drawn action ``[B,4]`` and the logarithm of its density ``[B]``."""
        mean, log_std = self.moments(code, goal)
        return squashed_sample(mean, log_std.exp())
