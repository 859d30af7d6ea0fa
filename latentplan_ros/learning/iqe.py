"""A quasimetric learned by pulling everything apart but neighbours in time (QRL on IQE).

Objective of Wang et al. (2023), "Optimal Goal-Reaching Reinforcement Learning via Quasimetric
Learning", with MBOLD's arm-pose negatives among the goals.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from latentplan_ros.data.dataset import Dataset
from latentplan_ros.data.goals import GoalSampler
from latentplan_ros.learning.stage import Batch, Stage
from latentplan_ros.models.iqe_distance import IqeDistance
from latentplan_ros.models.latent_world_model import LatentWorldModel


@dataclass(frozen=True)
class IqeRecipe:
    """The published settings of the objective, but for what is said to be ours."""

    updates: int = 30_000  # ours
    batch_size: int = 256
    learning_rate: float = 3e-4  # ours, as for the other distances
    negatives: float = 0.5  # share of goals with the arm's pose of a state reached later; MBOLD's
    step_slack: float = 0.25  # epsilon: root mean square excess over one step that is let pass
    lagrange: float = 0.01  # weight of the constraint at the start
    lagrange_rate: float = 0.01
    offset: float = 15.0  # steps beyond which two situations are hardly pushed further apart
    sharpness: float = 0.1  # beta of the softplus that does so


class IqeStage(Stage):
    """Maximise d to goals, by a softplus that flattens beyond ``offset``, subject to d(s, s') <= 1.

    What holds the rest together is the triangle inequality, so the largest such d is the shortest
    way through the data. The constraint's weight is a Lagrange multiplier.
    """

    name = "iqe"

    def __init__(
        self,
        model: LatentWorldModel,
        latents: torch.Tensor,
        dataset: Dataset,
        episodes: np.ndarray,
        recipe: IqeRecipe,
        seed: int,
    ) -> None:
        super().__init__()
        assert isinstance(model.head, IqeDistance)
        self.head, self.recipe = model.head, recipe
        # Softplus of it is the multiplier.
        self.raw_multiplier = nn.Parameter(torch.tensor(math.log(math.expm1(recipe.lagrange))))
        self.updates, self.batch_size = recipe.updates, recipe.batch_size
        self._latents = latents
        rng = np.random.default_rng(seed)
        self._goals = GoalSampler(dataset, episodes, rng, negatives=recipe.negatives)
        self._frames = dataset.frames(episodes)

    def parameter_groups(self) -> list[dict[str, Any]]:
        return [
            {"params": list(self.head.parameters()), "lr": self.recipe.learning_rate},
            {"params": [self.raw_multiplier], "lr": self.recipe.lagrange_rate},
        ]

    def sample(self, rng: np.random.Generator, count: int) -> Batch:
        drawn = self._goals.draw(rng, count)
        anywhere = rng.choice(self._frames, size=count)
        goal = np.where(drawn.steps > 0, anywhere, drawn.goal)
        return {
            "state": self._latents[torch.from_numpy(drawn.state)],
            "next": self._latents[torch.from_numpy(drawn.state + 1)],
            "goal": self._latents[torch.from_numpy(goal)],
        }

    def forward(self, batch: Batch) -> Batch:
        recipe = self.recipe
        step = self.head(batch["state"], batch["next"])
        apart = self.head(batch["state"], batch["goal"])
        push = F.softplus(recipe.offset - apart, beta=recipe.sharpness).mean()
        violation = (step - 1.0).relu().square().mean() - recipe.step_slack**2
        multiplier = F.softplus(self.raw_multiplier)
        # Lagrangian form: d minimises multiplier * violation, the multiplier maximises it.
        loss = push + multiplier.detach() * violation - multiplier * violation.detach()
        return {
            "loss": loss,
            "d_step": step.mean().detach(),
            "d_goal": apart.mean().detach(),
            "violation": violation.detach(),
            "multiplier": multiplier.detach(),
        }
