"""A latent made a Gaussian of which it is the mean: what a variational autoencoder adds."""

import torch
from torch import nn


class GaussianLatent(nn.Module):
    """q(z|s): the encoder's latent is its mean, a linear function of it the logarithm of its
    variance."""

    def __init__(self, latent: int) -> None:
        super().__init__()
        self.log_variance = nn.Linear(latent, latent)

    def forward(self, mean: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """A sample ``[B,D]`` of each, and the divergences from N(0, I) in nats ``[B]``."""
        log_variance = self.log_variance(mean)
        sample = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).sum(1)
        return sample, divergence


def surprise(drawn: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    """-log p(s|z) in nats less a constant ``[B]``, of a Gaussian with variance 1 a value."""
    return 0.5 * (drawn - seen).square().flatten(1).sum(1)
