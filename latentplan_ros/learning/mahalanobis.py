"""The distance that needs no training: latents in units of what one step of the data changes."""

from dataclasses import dataclass

import numpy as np
import torch

from latentplan_ros.data.dataset import Dataset, DatasetError
from latentplan_ros.models.latent_world_model import LatentWorldModel
from latentplan_ros.models.mahalanobis_distance import MahalanobisDistance


@dataclass(frozen=True)
class MahalanobisRecipe:
    # Of the mean variance, added to each number's: what never moves in the data would weigh
    # infinitely much.
    ridge: float = 0.01


def fit_mahalanobis(
    model: LatentWorldModel,
    latents: torch.Tensor,
    dataset: Dataset,
    episodes: np.ndarray,
    recipe: MahalanobisRecipe,
) -> None:
    """Sets the head's whitening so that the median distance of two pictures in a row is 1.

    Raises DatasetError where mostly nothing moves.
    """
    assert isinstance(model.head, MahalanobisDistance)
    before = torch.from_numpy(dataset.frames(episodes, before_end=1))
    steps = (latents[before + 1] - latents[before]).double()
    if not steps.any(dim=1).double().mean() > 0.5:
        raise DatasetError(
            f"{dataset.path}: most pictures are to the model the same as the one before, so it has "
            "no usual step: record an arm that explores"
        )
    moment = steps.T @ steps / len(steps)
    moment += recipe.ridge * moment.diag().mean() * torch.eye(len(moment), dtype=torch.double)
    whitening = torch.linalg.cholesky(torch.linalg.inv(moment))
    usual = torch.linalg.vector_norm(steps @ whitening, dim=1).median()
    model.head.whitening.copy_(whitening / usual)
