"""The distance that needs no training: latents in units of what one step of the data changes."""

from dataclasses import dataclass

import numpy as np
import torch

from latentplan_ros.data.dataset import Dataset, DatasetError
from latentplan_ros.models.latent_world_model import LatentWorldModel
from latentplan_ros.models.mahalanobis_distance import MahalanobisDistance
from latentplan_ros.models.q_sfa_distance import QSfaDistance


@dataclass(frozen=True)
class MahalanobisRecipe:
    """slowness: what a feature adds to the squared distance is weighed by (its variance over the
    data, in units of its mean squared change in one step)^slowness."""

    # Of the mean variance, added to each number's: what never moves in the data would weigh
    # infinitely much.
    ridge: float = 0.01
    slowness: float = 0.0


@dataclass(frozen=True)
class SfaRecipe(MahalanobisRecipe):
    slowness: float = 0.5


def fit_whitening(
    model: LatentWorldModel,
    latents: torch.Tensor,
    dataset: Dataset,
    episodes: np.ndarray,
    recipe: MahalanobisRecipe,
) -> None:
    """Sets the head's whitening so that the median distance of two pictures in a row is 1.

    Raises DatasetError where mostly nothing moves.
    """
    part = model.head.slow if isinstance(model.head, QSfaDistance) else model.head
    assert isinstance(part, MahalanobisDistance)
    part.whitening.copy_(slow_features(latents, dataset, episodes, recipe.ridge, recipe.slowness))


def slow_features(
    latents: torch.Tensor, dataset: Dataset, episodes: np.ndarray, ridge: float, slowness: float
) -> torch.Tensor:
    """``[D,D]``: latents times this are slow features, slowest first, times their weights.

    Slow feature analysis (Wiskott and Sejnowski 2002): in coordinates in which one step changes all
    directions as much, the slow ones are those in which the data varies most. Raises DatasetError
    where mostly nothing moves.
    """
    before = torch.from_numpy(dataset.frames(episodes, before_end=1))
    steps = (latents[before + 1] - latents[before]).double()
    if not steps.any(dim=1).double().mean() > 0.5:
        raise DatasetError(
            f"{dataset.path}: most pictures are to the model the same as the one before, so it has "
            "no usual step: record an arm that explores"
        )
    moment = steps.T @ steps / len(steps)
    moment += ridge * moment.diag().mean() * torch.eye(len(moment), dtype=torch.double)
    whitening = torch.linalg.cholesky(torch.linalg.inv(moment))
    variances, directions = torch.linalg.eigh(torch.cov((latents[before].double() @ whitening).T))
    # What varies in no direction gives tiny numbers of either sign.
    weights = (variances.clamp_min(0.0) / variances.max()) ** (slowness / 2.0)
    features = whitening @ (directions * weights).flip(1)
    return (features / torch.linalg.vector_norm(steps @ features, dim=1).median()).float()
