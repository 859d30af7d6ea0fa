"""Grasp2Vec: what a grasp took is what is missing afterwards (Jang, Devin et al. 2018)."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from latentplan_ros.learning.representation.n_pairs import n_pairs
from latentplan_ros.learning.representation.objective import (
    Needs,
    Objective,
    ObjectiveRecipe,
    pictures,
)
from latentplan_ros.learning.stage import Batch
from latentplan_ros.models.networks import Encoder


@dataclass(frozen=True)
class Grasp2VecRecipe(ObjectiveRecipe):
    features: int = 64  # of both embeddings
    channels: int = 16  # of the outcome's encoder
    norm_weight: float = 0.0005  # lambda, of the embeddings' squared lengths


class Grasp2Vec(Objective):
    """phi_s(before) - phi_s(after) = phi_o(outcome), by the n-pairs loss both ways.

    An episode is three pictures: the scene before the grasp and after it, and the thing alone
    (sim/tasks/franka_grasp.py). phi_s is the shared encoder, phi_o one of its own. The paper's
    embeddings are the means of non-negative feature maps; here they are non-negative functions,
    linear but for that, of the latents, which have no places.
    """

    needs = Needs(frames=3, source="franka_grasp")
    recipe_type = Grasp2VecRecipe

    def __init__(self, encoder: nn.Module, latent: int, recipe: Any) -> None:
        super().__init__(encoder, latent, recipe)
        self.scene = nn.Sequential(nn.Linear(latent, recipe.features), nn.ReLU())
        self.outcome = nn.Sequential(
            Encoder(latent, recipe.channels), nn.Linear(latent, recipe.features), nn.ReLU()
        )

    def forward(self, batch: Batch) -> Batch:
        before, after, outcome = pictures(batch).unbind(1)
        had, has = self.scene(self.encode(torch.cat([before, after]))).chunk(2)
        taken, thing = had - has, self.outcome(255.0 * outcome)
        weight, own = self.recipe.norm_weight, torch.arange(len(taken), device=taken.device)
        return {
            "loss": n_pairs(taken, thing, weight) + n_pairs(thing, taken, weight),
            "right": ((taken @ thing.T).argmax(1) == own).float().mean(),
        }
