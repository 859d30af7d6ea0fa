"""How the distance orders situations that differ in their objects alone (MBOLD Figure 6)."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.stats import spearmanr

from latentplan_ros.data.preprocess import Preprocess
from latentplan_ros.evaluation.diagnosis.rollouts import SEED
from latentplan_ros.models.world_model import WorldModel
from latentplan_ros.sim.collect import observe
from latentplan_ros.sim.environment import Environment


@dataclass(frozen=True)
class FixedArm:
    """One goal and S situations with its arm pose: truth ``[S,K]``, of the goal ``[K]``.

    distance ``[S]`` in time steps; error_m ``[S]``: the task's own; picture: ``uint8 [64,64,3]`` of
    the goal; spearman: rank correlation of the two.
    """

    goal: np.ndarray
    truth: np.ndarray
    distance: np.ndarray
    error_m: np.ndarray
    picture: np.ndarray
    spearman: float


@torch.inference_mode()
def fixed_arm(env: Environment, model: WorldModel, index: int, situations: int) -> FixedArm:
    """Goal number ``index``, and situations drawn as the task draws its objects."""
    rng, preprocess = np.random.default_rng([SEED, 1, index]), Preprocess()
    env.reset(rng)
    pictures, truths = [], []
    for _ in range(situations + 1):
        env.rearrange(rng)
        pictures.append(observe(env, preprocess))
        truths.append(env.truth())
    latents = model.encode(torch.from_numpy(np.stack(pictures).transpose(0, 3, 1, 2).copy()))
    distance = model.distance(latents[1:], latents[:1]).cpu().numpy()
    error = np.array([env.task.error_m(truth, truths[0]) for truth in truths[1:]])
    return FixedArm(
        truths[0],
        np.stack(truths[1:]),
        distance,
        error,
        pictures[0],
        float(spearmanr(distance, error).statistic),
    )
