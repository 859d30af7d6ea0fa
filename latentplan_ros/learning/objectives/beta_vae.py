"""The beta-VAE of RIG, whose goals are imagined from it (Nair et al. 2018)."""

from dataclasses import dataclass
from typing import Any

from torch import nn

from latentplan_ros.learning.representation.gaussian_latent import GaussianLatent, surprise
from latentplan_ros.learning.representation.objective import Objective, ObjectiveRecipe, pictures
from latentplan_ros.learning.stage import Batch
from latentplan_ros.models.networks import Decoder


@dataclass(frozen=True)
class BetaVaeRecipe(ObjectiveRecipe):
    # RIG's released code, for pushing. With 5, what moves is not worth its nats at a variance of 1,
    # and the latents lose it.
    beta: float = 10.0 / 128.0
    channels: int = 16  # of the decoder


class BetaVae(Objective):
    """-log p(s|z) + beta KL(q(z|s) || N(0, I)), divided by the number of a picture's values.

    e(s) is the encoder's latent. Where the encoder gives its latents zero mean and unit variance,
    the divergence cannot draw the means to 0, and acts by the variance of q alone: what is not
    worth its nats drowns in noise.
    """

    recipe_type = BetaVaeRecipe

    def __init__(self, encoder: nn.Module, latent: int, recipe: Any) -> None:
        super().__init__(encoder, latent, recipe)
        self.gaussian = GaussianLatent(latent)
        self.decoder = Decoder(latent, recipe.channels)

    def forward(self, batch: Batch) -> Batch:
        seen = pictures(batch)[:, 0]
        sample, divergence = self.gaussian(self.encode(seen))
        error = surprise(self.decoder(sample), seen)
        return {
            "loss": (error + self.recipe.beta * divergence).mean() / seen[0].numel(),
            "error": error.detach().mean(),
            "divergence": divergence.detach().mean(),
        }
