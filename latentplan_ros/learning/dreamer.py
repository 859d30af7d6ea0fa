"""Dreamer towards goals, on recordings alone: an actor trained in imagination (MBOLD B.2)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from latentplan_ros.data.dataset import Dataset
from latentplan_ros.learning.frozen import frozen
from latentplan_ros.learning.stage import Batch, Stage
from latentplan_ros.models.dreamer_policy import DreamerPolicy
from latentplan_ros.models.latent_world_model import LatentWorldModel
from latentplan_ros.models.networks import mlp

# Two pictures of a scene differ by about 0.01 squared a pixel; networks learn numbers near 1.
_REWARD_SCALE = 100.0


@dataclass(frozen=True)
class DreamerRecipe:
    """Dreamer's defaults with the discount of B.2.

    Cut down for two cores: the world model is the one that planning uses (deterministic latents,
    trained open loop, then frozen) in place of a recurrent state space model trained along, and
    goals enter as its latents in place of one more convolutional encoder a network.
    """

    updates: int = 20_000  # ours; 2,000 iterations of 100 updates in B.2
    batch_size: int = 128
    learning_rate: float = 8e-5  # of actor and value
    reward_rate: float = 6e-4
    horizon: int = 15
    discount: float = 0.95
    trace: float = 0.95  # lambda of the returns


class DreamerStage(Stage):
    """The reward is the negative mean squared error of pixels; goals are of the same episode.

    The reward of what is imagined comes from a network that learns it on pairs of real pictures,
    the actor climbs lambda-returns through the frozen dynamics, and the value learns them.
    """

    name = "dreamer"

    def __init__(
        self,
        model: LatentWorldModel,
        latents: torch.Tensor,
        dataset: Dataset,
        episodes: np.ndarray,
        recipe: DreamerRecipe,
        seed: int,
    ) -> None:
        super().__init__()
        assert isinstance(model.head, DreamerPolicy)
        sizes = model.spec["distance"]
        pair = 2 * model.spec["latent"]
        self.head, self.recipe = model.head, recipe
        self.value = mlp(pair, sizes["hidden"], sizes["layers"], 1)
        self.reward = mlp(pair, sizes["hidden"], 2, 1)  # as in Dreamer
        self.updates, self.batch_size = recipe.updates, recipe.batch_size
        # Outside the module: nothing here trains or saves it.
        self._dynamics = [model.dynamics]
        self._latents, self._dataset = latents, dataset
        self._actions = torch.from_numpy(dataset.action)
        self._frames = dataset.frames(episodes)
        self._first, self._end = dataset.episode_starts, dataset.episode_ends

    def parameter_groups(self) -> list[dict[str, Any]]:
        climbing = [*self.head.parameters(), *self.value.parameters()]
        return [
            {"params": climbing, "lr": self.recipe.learning_rate},
            {"params": list(self.reward.parameters()), "lr": self.recipe.reward_rate},
        ]

    def sample(self, rng: np.random.Generator, count: int) -> Batch:
        state = rng.choice(self._frames, size=count)
        episode = np.searchsorted(self._end, state, side="right")
        goal = rng.integers(self._first[episode], self._end[episode])
        pictures = self._dataset.images(np.stack([state, goal])) / np.float32(255.0)
        error = np.square(pictures[0] - pictures[1]).mean(axis=(1, 2, 3))
        last = self._actions[torch.from_numpy(np.maximum(state - 1, 0))]
        last[torch.from_numpy(state == self._first[episode])] = 0.0  # at rest before it began
        return {
            "state": self._latents[torch.from_numpy(state)],
            "goal": self._latents[torch.from_numpy(goal)],
            "last": last,
            "reward": torch.from_numpy(-_REWARD_SCALE * error),
        }

    def forward(self, batch: Batch) -> Batch:
        state, goal, last = batch["state"], batch["goal"], batch["last"]
        told = self._of(self.reward, state, goal)
        reward_loss = (told - batch["reward"]).square().mean()
        states, rewards = [state], []
        for _ in range(self.recipe.horizon):
            action = self.head.sample(states[-1], goal)
            states.append(frozen(self._dynamics[0], states[-1], action, last))
            last = action
            rewards.append(self._of_frozen(self.reward, states[-1], goal))
        values = [self._of_frozen(self.value, later, goal) for later in states[1:]]
        returns = lambda_returns(rewards, values, self.recipe.discount, self.recipe.trace)
        weight = self.recipe.discount ** torch.arange(len(rewards), device=state.device)
        actor = -(weight[:, None] * returns).mean()
        seen = torch.stack([s.detach() for s in states[:-1]])
        expected = self._of(self.value, seen, goal.expand(len(seen), -1, -1))
        value = (weight[:, None] * (expected - returns.detach()).square()).mean()
        return {
            "loss": reward_loss + actor + value,
            "reward": reward_loss.detach(),
            "returns": returns[0].mean().detach(),
            "value": value.detach(),
        }

    @staticmethod
    def _of(network: nn.Module, state: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        return network(torch.cat([state, goal], dim=-1)).squeeze(-1)

    @staticmethod
    def _of_frozen(network: nn.Module, state: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        return frozen(network, torch.cat([state, goal], dim=-1)).squeeze(-1)


def lambda_returns(
    rewards: list[torch.Tensor], values: list[torch.Tensor], discount: float, trace: float
) -> torch.Tensor:
    """V_t = r_t + gamma ((1 - lambda) v_t + lambda V_{t+1}), ``[H,B]``; the last goes on with v.

    rewards, values: of the states that follow t, ``[B]`` each.
    """
    following, returns = values[-1], []
    for reward, value in zip(reversed(rewards), reversed(values), strict=True):
        following = reward + discount * ((1.0 - trace) * value + trace * following)
        returns.append(following)
    return torch.stack(returns[::-1])
