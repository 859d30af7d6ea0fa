"""SPR: self-predictive representations (Schwarzer et al. 2021)."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from latentplan_ros.learning.representation.augmentation import intensity_jitter, random_shift
from latentplan_ros.learning.representation.objective import (
    Needs,
    Objective,
    ObjectiveRecipe,
    pictures,
)
from latentplan_ros.learning.stage import Batch
from latentplan_ros.learning.target_network import TargetNetwork
from latentplan_ros.models.networks import mlp

_STEPS = 5  # K


@dataclass(frozen=True)
class SprRecipe(ObjectiveRecipe):
    pad: int = 4  # pixels that pictures are moved by at most
    intensity: float = 0.05  # scale of the jitter in brightness
    rate: float = 0.01  # of the targets, the paper's 1 - tau
    projected: int = 64  # width of projections


class Spr(Objective):
    """The latents of the next K = 5 pictures, predicted one from the other with the actions.

    Loss: negative cosine similarity of q(g(predicted)) to the target's g(seen), summed over the
    steps (equation 3). What the encoder gives here is a vector and not a map, so that the
    transition model is a small network instead of two convolutions; each predicted latent is
    scaled as the encoder's are. Batch norm in projection and predictor is ours: in the paper the
    loss of the reinforcement learner keeps latents apart, and here nothing else would.
    """

    needs = Needs(frames=_STEPS + 1)
    recipe_type = SprRecipe

    def __init__(self, encoder: nn.Module, latent: int, recipe: Any) -> None:
        super().__init__(encoder, latent, recipe)
        self.transition = mlp(latent + 4, 128, 1, latent)
        self.projection = nn.Sequential(
            nn.Linear(latent, recipe.projected), nn.BatchNorm1d(recipe.projected)
        )
        self.prediction = nn.Linear(recipe.projected, recipe.projected)
        self.target_encoder = TargetNetwork(encoder)
        self.target_projection = TargetNetwork(self.projection)

    def forward(self, batch: Batch) -> Batch:
        recipe, frames = self.recipe, pictures(batch)
        flat = random_shift(frames.flatten(0, 1), recipe.pad)
        frames = intensity_jitter(flat, recipe.intensity).view_as(frames)
        latent, predicted = self.encode(frames[:, 0]), []
        for action in batch["actions"].unbind(1):
            change = self.transition(torch.cat([latent, action], dim=1))
            latent = functional.layer_norm(latent + change, latent.shape[1:])
            predicted.append(latent)
        guesses = self.prediction(self.projection(torch.cat(predicted)))
        later = frames[:, 1:].transpose(0, 1).flatten(0, 1)
        targets = self.target_projection(self.target_encoder(255.0 * later))
        alike = functional.cosine_similarity(guesses, targets, dim=1)
        return {"loss": -_STEPS * alike.mean()}

    def after_update(self) -> None:
        self.target_encoder.follow(self.encoder, self.recipe.rate)
        self.target_projection.follow(self.projection, self.recipe.rate)
