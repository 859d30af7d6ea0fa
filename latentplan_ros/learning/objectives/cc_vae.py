"""The context-conditioned VAE of CC-RIG (Nair et al. 2020)."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from latentplan_ros.learning.representation.gaussian_latent import GaussianLatent, surprise
from latentplan_ros.learning.representation.moments import at, drawn
from latentplan_ros.learning.representation.objective import (
    Needs,
    Objective,
    ObjectiveRecipe,
    pictures,
)
from latentplan_ros.learning.stage import Batch
from latentplan_ros.models.networks import Decoder, Encoder

FRAMES = 8


@dataclass(frozen=True)
class CcVaeRecipe(ObjectiveRecipe):
    beta: float = 10.0 / 128.0  # as for the beta-VAE
    context: int = 32  # numbers of c
    channels: int = 16  # of the context's encoder and of both decoders


class CcVae(Objective):
    """-log p(s_t|z, c) + beta KL(q(z|s_t) || N(0, I)) - log p(s_0|c), a value of a picture.

    c = e_0(s_0) is of another encoder than the shared e(s), which so may leave to the context what
    stays the same in a sequence. s_0 is the first picture of a window, s_t any later one.
    """

    needs = Needs(frames=FRAMES)
    recipe_type = CcVaeRecipe

    def __init__(self, encoder: nn.Module, latent: int, recipe: Any) -> None:
        super().__init__(encoder, latent, recipe)
        self.context = Encoder(recipe.context, recipe.channels)
        self.gaussian = GaussianLatent(latent)
        self.decoder = Decoder(latent + recipe.context, recipe.channels)
        self.context_decoder = Decoder(recipe.context, recipe.channels)

    def forward(self, batch: Batch) -> Batch:
        frames = pictures(batch)
        begin = torch.ones(len(frames), dtype=torch.long, device=frames.device)
        first, later = frames[:, 0], at(frames, drawn(begin, begin * (FRAMES - 1)))
        context = self.context(255.0 * first)
        sample, divergence = self.gaussian(self.encode(later))
        error = surprise(self.decoder(torch.cat([sample, context], dim=1)), later)
        context_error = surprise(self.context_decoder(context), first)
        total = error + self.recipe.beta * divergence + context_error
        return {
            "loss": total.mean() / later[0].numel(),
            "error": error.detach().mean(),
            "divergence": divergence.detach().mean(),
            "context_error": context_error.detach().mean(),
        }
