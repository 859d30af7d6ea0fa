"""Random episodes that no model learned from, with their ground truth."""

from dataclasses import dataclass

import numpy as np
import torch

from latentplan_ros.models.world_model import WorldModel
from latentplan_ros.sim.collect import random_episode
from latentplan_ros.sim.environment import Environment
from latentplan_ros.sim.goals import FIRST_GOAL_SEED

SEED = FIRST_GOAL_SEED + 500_000  # neither training data nor the goals of success figures


@dataclass(frozen=True)
class Rollouts:
    """E episodes of T frames: latents ``[E,T,D]``, actions ``[E,T,4]``, truth ``[E,T,K]``.

    ``actions[:, t]`` leads from frame t to t+1.
    """

    latents: torch.Tensor
    actions: torch.Tensor
    truth: torch.Tensor

    def __getitem__(self, rows: slice) -> "Rollouts":
        return Rollouts(self.latents[rows], self.actions[rows], self.truth[rows])


@torch.inference_mode()
def random_rollouts(env: Environment, model: WorldModel, episodes: int) -> Rollouts:
    """That many episodes of the random policy, encoded with the action that led to each frame."""
    latents, actions, truths = [], [], []
    for index in range(episodes):
        episode = random_episode(env, SEED, index)
        taken = torch.from_numpy(episode.action)
        last = torch.cat([torch.zeros(1, 4), taken[:-1]])
        images = torch.from_numpy(np.ascontiguousarray(episode.image.transpose(0, 3, 1, 2)))
        latents.append(model.encode(images, last))
        actions.append(taken)
        truths.append(torch.from_numpy(episode.truth))
    return Rollouts(torch.stack(latents), torch.stack(actions), torch.stack(truths))
