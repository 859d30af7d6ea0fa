"""What action led from one picture to the next, and what it led to (ICM, Pathak et al. 2017)."""

import torch
from torch import nn
from torch.nn import functional

from latentplan_ros.models.networks import mlp

_FORWARD = 0.2  # beta, the share of the forward loss


class ActionPrediction(nn.Module):
    """The base loss of RAD and DrQ here.

    Both were published as augmentations of whatever a reinforcement learner learns by: actions,
    rewards and values. Recordings have no rewards, so they augment what can be learned from actions
    alone: (1 - beta) times the squared error of the action read from the latents of two neighbours
    (inverse dynamics), and beta times that of the second latent, predicted from the first and the
    action (forward dynamics; 0.5 times it, as in ICM, equations 2 to 7). The target of the forward
    half is given, as the target of a value is.
    """

    def __init__(self, latent: int) -> None:
        super().__init__()
        self.inverse = mlp(2 * latent, 128, 1, 4)
        self.change = mlp(latent + 4, 128, 1, latent)

    def forward(
        self,
        here: torch.Tensor,
        following: torch.Tensor,
        action: torch.Tensor,
        target: torch.Tensor,
    ) -> torch.Tensor:
        """here, following: latents ``[B,D]``; action between them ``[B,4]``; target ``[B,D]``: what
        the following latent shall be predicted as, without gradient."""
        read = self.inverse(torch.cat([here, following], dim=1))
        predicted = here + self.change(torch.cat([here, action], dim=1))
        wrong = 0.5 * (predicted - target.detach()).square().mean()
        return (1.0 - _FORWARD) * functional.mse_loss(read, action) + _FORWARD * wrong
