"""MBOLD's distance as A.1 has it: every network sees the pictures through convolutions of its own.

The straightforward implementation, for comparison with ours, which learns on a world model's
latents. Its targets and losses are ours, from ``MboldStage``.
"""

from typing import Any

import numpy as np
import torch
from torch import nn

from latentplan_ros.data.dataset import Dataset
from latentplan_ros.learning.mbold import MboldRecipe, MboldStage
from latentplan_ros.learning.stage import Batch
from latentplan_ros.models.latent_world_model import LatentWorldModel
from latentplan_ros.models.q_distance import GoalActor, GoalQ
from latentplan_ros.models.vae_distance import CHANNELS, FEATURES


class Seeing(nn.Module):
    """A network on the features of state and goal; pictures ``uint8 [B,3,64,64]``."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        widths, layers = (3, *CHANNELS), []
        for inputs, outputs in zip(widths, CHANNELS, strict=False):
            layers += [nn.Conv2d(inputs, outputs, 4, 2, 1), nn.LeakyReLU()]
        self.convolutions = nn.Sequential(*layers, nn.Flatten())
        self.network = network

    def forward(self, state: torch.Tensor, *others: torch.Tensor) -> torch.Tensor:
        *action, goal = others
        see = self.convolutions
        return self.network(see(state / 255.0), *action, see(goal / 255.0))


class PictureHead(nn.Module):
    """Twin Q and actor of ``QDistance``, on pictures."""

    def __init__(self, hidden: int, layers: int, actor_layers: int, discount: float) -> None:
        super().__init__()
        self.discount = discount
        self.q = nn.ModuleList(Seeing(GoalQ(FEATURES, hidden, layers)) for _ in range(2))
        self.actor = Seeing(GoalActor(FEATURES, hidden, actor_layers))


class PerImageStage(MboldStage):
    name = "per_image"
    kind = PictureHead

    def __init__(
        self,
        sizes: dict[str, Any],
        dataset: Dataset,
        episodes: np.ndarray,
        recipe: MboldRecipe,
        seed: int,
    ) -> None:
        model = LatentWorldModel(
            {"latent": 1, "channels": 1, "hidden": 1, "layers": 1, "distance": None}
        )
        model.head = PictureHead(**sizes)
        super().__init__(model, torch.empty(0), dataset, episodes, recipe, seed)
        self._dataset = dataset

    def sample(self, rng: np.random.Generator, count: int) -> Batch:
        drawn = self._goals.draw(rng, count)
        rows = {"state": drawn.state, "next": drawn.state + 1, "goal": drawn.goal}
        return {
            **{name: self._pictures(frames) for name, frames in rows.items()},
            "action": self._actions[torch.from_numpy(drawn.state)],
            "done": torch.from_numpy((drawn.steps == 1).astype(np.float32)),
            "reached": torch.from_numpy(drawn.steps > 0),
        }

    def _pictures(self, frames: np.ndarray) -> torch.Tensor:
        images = self._dataset.images(frames).transpose(0, 3, 1, 2)
        return torch.from_numpy(np.ascontiguousarray(images)).float()
