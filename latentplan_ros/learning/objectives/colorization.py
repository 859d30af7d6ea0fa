"""A picture's colours from its lightness (Zhang et al. 2016)."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from latentplan_ros.learning.representation.coarse_decoder import CoarseDecoder
from latentplan_ros.learning.representation.lab import ab_bins, gray, nearest, to_lab
from latentplan_ros.learning.representation.objective import Objective, ObjectiveRecipe, pictures
from latentplan_ros.learning.stage import Batch

_NEAREST, _SIGMA = 5, 5.0  # bins that a colour is spread over, and how far, in units of a and b
_LAMBDA = 0.5  # how much of the uniform distribution is mixed into that of colours
_SLOWEST = 0.01  # of the running average of colours: the least that a batch counts


@dataclass(frozen=True)
class ColorizationRecipe(ObjectiveRecipe):
    channels: int = 16  # of the decoder


def soft_encoding(ab: torch.Tensor, bins: torch.Tensor) -> torch.Tensor:
    """Shares of the bins ``[N,Q]`` that colours ``[N,2]`` are spread over: Gaussian weights of the
    five nearest."""
    distances, indices = nearest(ab, bins, _NEAREST)
    shares = (-0.5 * (distances / _SIGMA).square()).softmax(1)
    return ab.new_zeros(len(ab), len(bins)).scatter(1, indices, shares)


def rebalancing(prior: torch.Tensor, bins: torch.Tensor) -> torch.Tensor:
    """Weights of colours ``[Q]``, larger for rare ones, with mean 1 over the prior (eq. 4)."""
    kernel = (-0.5 * (torch.cdist(bins, bins) / _SIGMA).square()).exp()
    smoothed = prior @ (kernel / kernel.sum(1, keepdim=True))
    weights = 1.0 / ((1.0 - _LAMBDA) * smoothed + _LAMBDA / len(bins))
    return weights / (smoothed * weights).sum()


class Colorization(Objective):
    """Cross-entropy of 313 colours at each of 16 x 16 places, rare colours weighing more (eq. 2).

    The encoder sees L as a gray picture. The paper's distribution of colours is ImageNet's; here
    it is the running average of the batches' own.
    """

    recipe_type = ColorizationRecipe

    def __init__(self, encoder: nn.Module, latent: int, recipe: Any) -> None:
        super().__init__(encoder, latent, recipe)
        bins = ab_bins()
        self.decoder = CoarseDecoder(latent, recipe.channels, len(bins))
        self.register_buffer("bins", bins, persistent=False)
        self.register_buffer("prior", torch.full((len(bins),), 1.0 / len(bins)))
        self.register_buffer("batches", torch.zeros(()))  # that the prior has seen

    bins: torch.Tensor
    prior: torch.Tensor
    batches: torch.Tensor

    def forward(self, batch: Batch) -> Batch:
        lab = to_lab(pictures(batch)[:, 0])
        colours = functional.avg_pool2d(lab[:, 1:], 4).permute(0, 2, 3, 1).flatten(0, 2)
        target = soft_encoding(colours, self.bins)
        if self.training:
            self.batches += 1.0
            self.prior.lerp_(target.mean(0), (1.0 / self.batches).clamp_min(_SLOWEST))
        weight = rebalancing(self.prior, self.bins)[target.argmax(1)]
        logits = self.decoder(self.encode(gray(lab))).permute(0, 2, 3, 1).flatten(0, 2)
        errors = functional.cross_entropy(logits, target, reduction="none")
        return {"loss": (weight * errors).mean(), "unweighted": errors.mean()}
