"""Shuffle and Learn: whether three pictures are in the order of time (Misra et al. 2016)."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from latentplan_ros.learning.representation.moments import at, drawn
from latentplan_ros.learning.representation.objective import (
    Needs,
    Objective,
    ObjectiveRecipe,
    pictures,
)
from latentplan_ros.learning.stage import Batch
from latentplan_ros.models.networks import mlp

FRAMES = 9
# Steps, in the proportion of the paper's 60 and 15 frames of video, 2 s and 0.5 s: in a quarter of
# a second an exploring arm goes as far as people in half a second.
TAU_MAX, TAU_MIN = 4, 1


@dataclass(frozen=True)
class ShuffleAndLearnRecipe(ObjectiveRecipe):
    batch_size: int = 24  # tuples; each is five pictures
    hidden: int = 128  # of the classifier


def tuples(count: int, device: torch.device) -> torch.Tensor:
    """Moments a < b < c < d < e of windows of FRAMES, int64 ``[count,5]``.

    |b - d| is at most TAU_MAX, |a - b| and |d - e| at least TAU_MIN (section 3.1).
    """
    first = torch.zeros(count, dtype=torch.long, device=device)
    span = drawn(first + 2, first + TAU_MAX)
    b = drawn(first + TAU_MIN, FRAMES - 1 - TAU_MIN - span)
    d = b + span
    a, c, e = drawn(first, b - TAU_MIN), drawn(b + 1, d - 1), drawn(d + TAU_MIN, first + FRAMES - 1)
    return torch.stack([a, b, c, d, e], dim=1)


class ShuffleAndLearn(Objective):
    """(b, c, d) is in order; (b, a, d) and (b, e, d) are not, and begin and end alike.

    A siamese network: three latents, side by side, classified. The paper's classifier is linear on
    4,096 features; ours has a hidden layer, as a latent has no room for what compares it.
    """

    needs = Needs(frames=FRAMES, moving=True)
    recipe_type = ShuffleAndLearnRecipe

    def __init__(self, encoder: nn.Module, latent: int, recipe: Any) -> None:
        super().__init__(encoder, latent, recipe)
        self.classify = mlp(3 * latent, recipe.hidden, 1, 1)

    def forward(self, batch: Batch) -> Batch:
        frames = pictures(batch)
        moments = tuples(len(frames), frames.device)
        latents = self.encode(at(frames, moments).flatten(0, 1)).unflatten(0, (-1, 5))
        a, b, c, d, e = latents.unbind(1)
        middles = torch.stack([c, a, e], dim=1)
        ends = [end[:, None].expand_as(middles) for end in (b, d)]
        logits = self.classify(torch.cat([ends[0], middles, ends[1]], dim=2)).squeeze(2)
        in_order = logits.new_tensor([1.0, 0.0, 0.0]).expand_as(logits)
        return {
            "loss": functional.binary_cross_entropy_with_logits(logits, in_order),
            "right": ((logits > 0) == in_order.bool()).float().mean(),
        }
