"""Actions of a stochastic policy: a normal distribution squashed into [-1, 1] (Haarnoja 2018)."""

import math

import torch
from torch.nn import functional


def squashed_sample(
    mean: torch.Tensor, deviation: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """tanh of a draw ``[B,A]``, with gradients, and the logarithm of its density ``[B]``."""
    normal = torch.distributions.Normal(mean, deviation)
    raw = normal.rsample()
    # log(1 - tanh(x)^2), in a form that does not lose what is far from 0.
    squashing = 2.0 * (math.log(2.0) - raw - functional.softplus(-2.0 * raw))
    return raw.tanh(), (normal.log_prob(raw) - squashing).sum(-1)
