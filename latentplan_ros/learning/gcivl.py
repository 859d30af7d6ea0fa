"""Action-free expectile value learning as a distance.

GCIVL of OGBench, with MBOLD's arm-pose negatives.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from latentplan_ros.data.dataset import Dataset
from latentplan_ros.data.goals import GoalSampler
from latentplan_ros.learning.stage import Batch, Stage
from latentplan_ros.learning.target_network import TargetNetwork
from latentplan_ros.models.latent_world_model import LatentWorldModel
from latentplan_ros.models.value_distance import ValueDistance


@dataclass(frozen=True)
class GcivlRecipe:
    updates: int = 25_000
    batch_size: int = 256
    learning_rate: float = 3e-4
    p: float = 0.15
    negatives: float = 0.4
    polyak: float = 0.995
    expectile: float = 0.9


class GcivlStage(Stage):
    """V learns the upper expectile of -1 + gamma V'(s', g), 0 at the goal.

    That is the best of what the data did next.
    """

    name = "gcivl"

    def __init__(
        self,
        model: LatentWorldModel,
        latents: torch.Tensor,
        dataset: Dataset,
        episodes: np.ndarray,
        recipe: GcivlRecipe,
        seed: int,
    ) -> None:
        super().__init__()
        assert isinstance(model.head, ValueDistance)
        self.head, self.recipe = model.head, recipe
        self.target = TargetNetwork(model.head)
        self.updates, self.batch_size = recipe.updates, recipe.batch_size
        self._latents = latents
        self._goals = GoalSampler(
            dataset, episodes, np.random.default_rng(seed), recipe.p, recipe.negatives
        )

    def parameter_groups(self) -> list[dict[str, Any]]:
        return [{"params": list(self.head.parameters()), "lr": self.recipe.learning_rate}]

    def sample(self, rng: np.random.Generator, count: int) -> Batch:
        drawn = self._goals.draw(rng, count)
        state, goal, steps = drawn.state.copy(), drawn.goal, drawn.steps.copy()
        # A share of pairs are the goal itself, distance 0.
        same = rng.random(count) < 0.1
        state = np.where(same & (steps > 0), goal, state)
        steps = np.where(same & (steps > 0), 0, steps)
        following = np.where(same, state, state + 1)
        rows = torch.from_numpy
        return {
            "state": self._latents[rows(state)],
            "next": self._latents[rows(following)],
            "goal": self._latents[rows(goal)],
            "arrived": rows((state == goal).astype(np.float32)),
            "reached": rows(drawn.steps > 0),
        }

    def forward(self, batch: Batch) -> Batch:
        recipe, state, goal, arrived = self.recipe, batch["state"], batch["goal"], batch["arrived"]
        with torch.no_grad():
            future = self.target.network.values(batch["next"], goal)
            # Each member's own target keeps the two apart; the smaller one decides which side of
            # the expectile.
            wanted = (1.0 - arrived) * (-1.0 + self.head.discount * future)
            now = self.target.network.values(state, goal).mean(0)
            better = (1.0 - arrived) * (-1.0 + self.head.discount * future.amin(0)) >= now
            weight = torch.where(better, recipe.expectile, 1.0 - recipe.expectile)
        values = self.head.values(state, goal)
        loss = (weight * (values - wanted).square()).mean()
        reached = batch["reached"]
        return {
            "loss": loss,
            "v_reached": values[:, reached].mean().detach(),
            "v_negative": (
                values[:, ~reached].mean().detach() if (~reached).any() else values.new_zeros(())
            ),
        }

    def after_update(self, batch: Batch, losses: Batch) -> None:
        self.target.follow(self.head, 1.0 - self.recipe.polyak)
