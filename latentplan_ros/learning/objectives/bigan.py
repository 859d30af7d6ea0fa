"""Bidirectional GAN: an encoder as the inverse of a generator (Donahue et al. 2017)."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from latentplan_ros.learning.frozen import frozen
from latentplan_ros.learning.representation.discriminator import (
    Discriminator,
    fooling_loss,
    telling_loss,
)
from latentplan_ros.learning.representation.objective import Objective, ObjectiveRecipe, pictures
from latentplan_ros.learning.stage import Batch
from latentplan_ros.models.networks import Decoder


@dataclass(frozen=True)
class BiganRecipe(ObjectiveRecipe):
    learning_rate: float = 2e-4  # that of DCGAN, which the paper follows
    channels: int = 16  # of the generator and the discriminator


class Bigan(Objective):
    """A discriminator tells pairs (x, E(x)) from pairs (G(z), z); E and G make it fail.

    Latents of the encoder have zero mean and unit variance, so z are normal samples scaled to that
    too; those with points among them are scaled as a whole before they are judged. E and G follow
    the loss with swapped labels, whose gradients do not vanish, through fixed weights of the
    discriminator; it learns from pairs that no gradient leaves.
    """

    recipe_type = BiganRecipe

    def __init__(self, encoder: nn.Module, latent: int, recipe: Any) -> None:
        super().__init__(encoder, latent, recipe)
        self.generator = Decoder(latent, recipe.channels)
        self.discriminator = Discriminator(recipe.channels, beside=latent)

    def scaled(self, latents: torch.Tensor) -> torch.Tensor:
        """With zero mean and unit variance each."""
        return functional.layer_norm(latents, (self.latent,))

    def generate(self, codes: torch.Tensor) -> torch.Tensor:
        """Pictures in [0, 1]."""
        drawn: torch.Tensor = self.generator(codes).sigmoid()
        return drawn

    def forward(self, batch: Batch) -> Batch:
        seen = pictures(batch)[:, 0]
        codes = self.scaled(self.encode(seen))
        normal = self.scaled(torch.randn_like(codes))
        made = self.generate(normal)
        telling = telling_loss(
            self.discriminator(seen, codes.detach()), self.discriminator(made.detach(), normal)
        )
        # Swapped: a picture's own pair should pass for one that was made, and the reverse.
        inferring = functional.softplus(frozen(self.discriminator, seen, codes)).mean()
        generating = fooling_loss(frozen(self.discriminator, made, normal))
        with torch.no_grad():
            reconstruction = (self.generate(codes) - seen).square().mean()
        return {
            "loss": telling + inferring + generating,
            "telling": telling,
            "reconstruction": reconstruction,
        }
