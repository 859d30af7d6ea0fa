"""Tracked patches: the same thing now and later looks alike (Wang & Gupta 2015)."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from latentplan_ros.data.dataset import DatasetError
from latentplan_ros.learning.representation.following import followed, most_moving
from latentplan_ros.learning.representation.objective import (
    Needs,
    Objective,
    ObjectiveRecipe,
    pictures,
)
from latentplan_ros.learning.representation.patches import cut, enlarged
from latentplan_ros.learning.stage import Batch
from latentplan_ros.models.networks import mlp

FRAMES = 6
SIZE = 24  # pixels a side of a patch; the paper's are 227 of 448 x 600


@dataclass(frozen=True)
class TrackingRecipe(ObjectiveRecipe):
    margin: float = 0.5  # M
    decay: float = 0.0005  # lambda
    negatives: int = 4  # K, for each pair
    random_updates: int = 200  # with random negatives, then with the hardest; the paper's 10 epochs
    hidden: int = 128  # of the two layers that follow the latent
    features: int = 64


class Tracking(Objective):
    """max(0, D(X, X+) - D(X, X-) + M) and lambda / 2 |W|^2 (equations 2 and 3).

    D is one minus the cosine of features. X is the patch around what moves most, X+ where it was
    followed to in a few steps, X- a patch of another episode of the batch. Patches are enlarged to
    the encoder's pictures. The paper follows 30 frames of video with a correlation filter; ours
    matches windows from picture to picture.
    """

    needs = Needs(frames=FRAMES, moving=True)
    recipe_type = TrackingRecipe

    def __init__(self, encoder: nn.Module, latent: int, recipe: Any) -> None:
        super().__init__(encoder, latent, recipe)
        self.features = mlp(latent, recipe.hidden, 1, recipe.features)
        self.register_buffer("updates", torch.zeros((), dtype=torch.long))

    updates: torch.Tensor

    def forward(self, batch: Batch) -> Batch:
        patches = torch.cat(_pairs(pictures(batch)))
        features = functional.normalize(self.features(self.encode(patches)), dim=1)
        first, later = features.chunk(2)
        near = 1.0 - (first * later).sum(1)
        far = self._chosen(1.0 - first @ features.T, batch["episode"])
        hinge = functional.relu(near[:, None] - far + self.recipe.margin)
        decay = sum(weight.square().sum() for weight in self.parameters())
        return {
            "loss": hinge.mean() + 0.5 * self.recipe.decay * decay,
            "hinge": hinge.detach().mean(),
            "right": (near[:, None] < far).float().mean(),
        }

    def after_update(self) -> None:
        self.updates += 1

    def _chosen(self, far: torch.Tensor, episode: torch.Tensor) -> torch.Tensor:
        """Of the distances ``[B,2B]`` to all patches, those to the negatives ``[B,K]``."""
        other = (episode[:, None] != episode).repeat(1, 2)
        if not other.any(1).all():
            raise DatasetError(
                "tracking needs patches of other episodes, and all windows of this batch are of "
                "one: record more episodes, or enlarge objective.settings.batch_size"
            )
        hard = self.updates >= self.recipe.random_updates
        rank = torch.where(hard, far, torch.rand_like(far)).masked_fill(~other, torch.inf)
        chosen = rank.topk(min(self.recipe.negatives, far.shape[1]), largest=False)[1]
        # Further away than any: of these a small batch has too few.
        return far.masked_fill(~other, torch.inf).gather(1, chosen)


def _pairs(frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Patches X and X+ of windows ``[B,FRAMES,3,64,64]``, as large as pictures.

    X is of the second picture: what moves there shows against those before and after it.
    """
    top, left = most_moving(frames[:, 0], frames[:, 1], frames[:, 2], SIZE)
    later = followed(frames[:, 1:], top, left, SIZE)
    first = cut(frames[:, 1], top[:, None], left[:, None], SIZE)
    last = cut(frames[:, -1], later[0][:, None], later[1][:, None], SIZE)
    return enlarged(first)[:, 0], enlarged(last)[:, 0]
