"""Odd-one-out network O3N: which of six clips is out of order (Fernando et al. 2017)."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from latentplan_ros.learning.representation.moments import at
from latentplan_ros.learning.representation.objective import (
    Needs,
    Objective,
    ObjectiveRecipe,
    pictures,
)
from latentplan_ros.learning.stage import Batch
from latentplan_ros.models.networks import mlp

FRAMES = 8
CLIPS = 6  # N + 1 with the paper's N of 5
LENGTH = 4  # W, pictures of a clip; the paper's videos are long enough for 6


@dataclass(frozen=True)
class OddOneOutRecipe(ObjectiveRecipe):
    batch_size: int = 16  # questions; each is eight pictures
    hidden: int = 128
    features: int = 64  # of a clip


def questions(count: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Moments of each clip's pictures, int64 ``[count,CLIPS,LENGTH]``; which is odd ``[count]``.

    Every clip is of pictures at random moments of the same window (the paper's random sampling),
    in order but for the odd one, which is in any other order.
    """
    moments = torch.rand(count, CLIPS, FRAMES, device=device).argsort(2)[..., :LENGTH].sort(2)[0]
    odd = torch.randint(CLIPS, (count,), device=device)
    orders = torch.cartesian_prod(*[torch.arange(LENGTH, device=device)] * LENGTH)
    permutations = orders[orders.sort(1)[0].eq(orders.new_tensor(range(LENGTH))).all(1)]
    # The first is the right order.
    order = permutations[torch.randint(1, len(permutations), (count,), device=device)]
    which = torch.arange(count, device=device)
    moments[which, odd] = moments[which, odd].gather(1, order)
    return moments, odd


class OddOneOut(Objective):
    """A network of six branches that share weights; their activations are fused by the sum of
    their differences, and classified.

    The paper's branch sees a clip as one picture of frame differences. Ours sees the clip's latents
    side by side, as the encoder shall learn from pictures such as it is used on.
    """

    needs = Needs(frames=FRAMES, moving=True)
    recipe_type = OddOneOutRecipe

    def __init__(self, encoder: nn.Module, latent: int, recipe: Any) -> None:
        super().__init__(encoder, latent, recipe)
        self.branch = mlp(LENGTH * latent, recipe.hidden, 1, recipe.features)
        self.classify = mlp(recipe.features, recipe.hidden, 1, CLIPS)
        # Sum over i < j of v_i - v_j: how often each v_i is added, less how often it is taken away.
        self.register_buffer("fusion", torch.arange(CLIPS - 1.0, -CLIPS, -2.0), persistent=False)

    fusion: torch.Tensor

    def forward(self, batch: Batch) -> Batch:
        frames = pictures(batch)
        latents = self.encode(frames.flatten(0, 1)).unflatten(0, (-1, FRAMES))
        moments, odd = questions(len(frames), frames.device)
        clips = at(latents, moments.flatten(1)).unflatten(1, (CLIPS, LENGTH))
        activations = self.branch(clips.flatten(2))
        logits = self.classify(torch.einsum("i,bic->bc", self.fusion, activations))
        return {
            "loss": functional.cross_entropy(logits, odd),
            "right": (logits.argmax(1) == odd).float().mean(),
        }
