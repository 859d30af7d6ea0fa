"""MBOLD's Q-learning, and slow features of the same latents beside it."""

from dataclasses import dataclass

import numpy as np
import torch

from latentplan_ros.data.dataset import Dataset
from latentplan_ros.learning.mahalanobis import slow_features
from latentplan_ros.learning.mbold import MboldRecipe, MboldStage
from latentplan_ros.models.latent_world_model import LatentWorldModel
from latentplan_ros.models.q_sfa_distance import QSfaDistance


@dataclass(frozen=True)
class MboldSfaRecipe(MboldRecipe):
    """ridge, slowness: as SfaRecipe has them."""

    ridge: float = 0.01
    slowness: float = 0.5


class MboldSfaStage(MboldStage):
    name = "mbold_sfa"
    kind = QSfaDistance


def fit_slow(
    model: LatentWorldModel,
    latents: torch.Tensor,
    dataset: Dataset,
    episodes: np.ndarray,
    recipe: MboldSfaRecipe,
) -> None:
    """Sets the weights of the head's slow features. Raises DatasetError where nothing moves."""
    assert isinstance(model.head, QSfaDistance)
    model.head.slow.whitening.copy_(
        slow_features(latents, dataset, episodes, recipe.ridge, recipe.slowness)
    )
