"""MBOLD's distance: offline goal-conditioned Q-learning on latents (section 4, A.1, Table 2)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from latentplan_ros.data.dataset import Dataset
from latentplan_ros.data.goals import GoalSampler
from latentplan_ros.learning.frozen import frozen
from latentplan_ros.learning.stage import Batch, Stage
from latentplan_ros.learning.target_network import TargetNetwork
from latentplan_ros.models.latent_world_model import LatentWorldModel
from latentplan_ros.models.q_distance import GOAL_REWARD, STEP_REWARD, QDistance


@dataclass(frozen=True)
class QLearningRecipe:
    """Table 2 of the paper; updates and width are ours."""

    updates: int = 60_000
    batch_size: int = 64
    learning_rate: float = 3e-4
    p: float = 0.3  # goal relabelling, geometric
    negatives: float = 0.5
    polyak: float = 0.995
    cql_actions: int = 10
    cql_slack: float = 10.0  # tau; the paper's for the sliding door
    lagrange_rate: float = 1e-3


@dataclass(frozen=True)
class MboldRecipe(QLearningRecipe):
    noise: float = 0.1  # target policy smoothing
    noise_limit: float = 0.2


class MboldStage(Stage):
    """Twin Q with clipped double targets, TD3 actor, CQL with a Lagrange multiplier; one optimiser.

    Q learns r + gamma (1 - done) min Q'(s', pi'(s', g), g) with r = 10 and done where s' is the
    goal, else r = 1.
    """

    name = "mbold"
    recordable = True
    kind: type[nn.Module] = QDistance  # of the head

    def __init__(
        self,
        model: LatentWorldModel,
        latents: torch.Tensor,
        dataset: Dataset,
        episodes: np.ndarray,
        recipe: QLearningRecipe,
        seed: int,
    ) -> None:
        super().__init__()
        assert isinstance(model.head, self.kind)
        self.head: Any = model.head
        self.recipe: Any = recipe
        self.target = TargetNetwork(model.head)
        self.log_alpha = nn.Parameter(torch.zeros(()))
        self.updates, self.batch_size = recipe.updates, recipe.batch_size
        self._latents, self._actions = latents, torch.from_numpy(dataset.action)
        self._goals = GoalSampler(
            dataset, episodes, np.random.default_rng(seed), recipe.p, recipe.negatives
        )

    def parameter_groups(self) -> list[dict[str, Any]]:
        return [
            {"params": list(self.head.parameters()), "lr": self.recipe.learning_rate},
            {"params": [self.log_alpha], "lr": self.recipe.lagrange_rate},
        ]

    def sample(self, rng: np.random.Generator, count: int) -> Batch:
        drawn = self._goals.draw(rng, count)
        state, goal = torch.from_numpy(drawn.state), torch.from_numpy(drawn.goal)
        return {
            "state": self._latents[state],
            "next": self._latents[state + 1],
            "goal": self._latents[goal],
            "action": self._actions[state],
            "done": torch.from_numpy((drawn.steps == 1).astype(np.float32)),
            "reached": torch.from_numpy(drawn.steps > 0),
        }

    def forward(self, batch: Batch) -> Batch:
        recipe, state, goal = self.recipe, batch["state"], batch["goal"]
        with torch.no_grad():
            wanted = self.wanted(batch)
            expected = self.values(wanted)
        random = torch.rand(len(state), recipe.cql_actions, 4, device=state.device) * 2.0 - 1.0
        actions = torch.cat([batch["action"][:, None], random], dim=1)
        bellman, gap = torch.zeros((), device=state.device), torch.zeros((), device=state.device)
        for q in self.head.q:
            outputs = q(state, actions, goal)
            values = self.values(outputs)
            bellman = bellman + self.mismatch(outputs[:, 0], wanted)
            gap = gap + (values[:, 1:].logsumexp(dim=1) - values[:, 0]).mean() / 2.0
        alpha = self.log_alpha.exp().clamp(max=1e3)
        # Lagrangian form: Q minimises alpha (gap - tau), alpha maximises it.
        conservative = alpha.detach() * (gap - recipe.cql_slack)
        multiplier = -alpha * (gap.detach() - recipe.cql_slack)
        actor = self.actor_loss(state, goal)
        reached = batch["reached"]
        return {
            "loss": bellman + conservative + multiplier + actor,
            "bellman": bellman.detach(),
            "gap": gap.detach(),
            "alpha": alpha.detach(),
            "q_reached": _mean(expected, reached),
            "q_negative": _mean(expected, ~reached),
        }

    def wanted(self, batch: Batch) -> torch.Tensor:
        """What Q shall say of the action that was taken."""
        done = batch["done"]
        reward = torch.where(done > 0, GOAL_REWARD, STEP_REWARD)
        future = self.future(batch["next"], batch["goal"])
        return reward + self.head.discount * (1.0 - done) * future

    def future(self, following: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        """Value of going on as well as one can, ``[B]``."""
        action = self.smoothed_action(following, goal)
        return torch.minimum(*(q(following, action, goal) for q in self.target.network.q))

    def smoothed_action(self, state: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        """The target actor's, with TD3's noise."""
        action, limit = self.target.network.actor(state, goal), self.recipe.noise_limit
        noise = (self.recipe.noise * torch.randn_like(action)).clamp(-limit, limit)
        return (action + noise).clamp(-1.0, 1.0)

    def values(self, outputs: torch.Tensor) -> torch.Tensor:
        """Values in what Q puts out."""
        return outputs

    def mismatch(self, outputs: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        """Loss of what Q puts out for the actions that were taken."""
        return (outputs - wanted).square().mean()

    def actor_loss(self, state: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        """The actor climbs Q without moving it."""
        outputs = frozen(self.head.q[0], state, self.head.actor(state, goal), goal)
        return -self.values(outputs).mean()

    def after_update(self, batch: Batch, losses: Batch) -> None:
        self.target.follow(self.head, 1.0 - self.recipe.polyak)


def _mean(values: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    """Of some of them; 0 of none. Without a shape that depends on how many they are."""
    return (values * where).sum() / where.sum().clamp_min(1)
