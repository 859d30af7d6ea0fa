"""Goal pictures for evaluation, from seeds that no training data uses."""

from dataclasses import dataclass

import numpy as np

from latentplan_ros.control.exploration import SmoothedRandomPolicy
from latentplan_ros.sim.environment import Environment, Snapshot
from latentplan_ros.sim.task import Task, TaskError

FIRST_GOAL_SEED = 1_000_000  # training episodes use smaller seeds
_MAX_ROLLOUTS = 2000


@dataclass(frozen=True)
class Goal:
    """Where to start and what picture to reach.

    The picture is of the last state of a rejection-sampled random rollout (MBOLD A.3). image: uint8
    [480,640,3] RGB; start_truth, truth: ground truth ``float64 [K]``, evaluation alone.
    """

    task: str
    kind: str
    seed: int
    index: int
    start: Snapshot
    image: np.ndarray
    start_truth: np.ndarray
    truth: np.ndarray


def goal_kinds(task: Task) -> tuple[str, ...]:
    """Its kinds of goal. Raises TaskError for a task that has none."""
    if not task.goal_kinds:
        raise TaskError(
            f"{task.name} has no goals to reach; it is there to be recorded: "
            f"latentplan collect --task {task.name}"
        )
    return task.goal_kinds


def make_goal(env: Environment, kind: str, seed: int, index: int) -> Goal:
    """The goal of that kind, seed and index; the same every time. env is left at the goal's start.

    Raises TaskError for a seed of the training range, an unknown kind, or a kind that random
    rollouts never reach.
    """
    task = env.task
    if seed < FIRST_GOAL_SEED:
        raise TaskError(f"goal seed {seed} belongs to training data; use {FIRST_GOAL_SEED} or more")
    if kind not in goal_kinds(task):
        raise TaskError(f"{task.name} has goals of kind {', '.join(task.goal_kinds)}, not {kind!r}")
    policy = SmoothedRandomPolicy(task.exploration_std)
    rng = np.random.default_rng([seed, task.goal_kinds.index(kind), index])
    for _ in range(_MAX_ROLLOUTS):
        env.reset(rng)
        policy.reset(rng)
        start, start_truth = env.save(), env.truth()
        for _ in range(task.episode_steps):
            env.step(policy.act())
        truth = env.truth()
        if task.is_goal(kind, start_truth, truth):
            image = env.render(480, 640).copy()
            env.restore(start)
            return Goal(task.name, kind, seed, index, start, image, start_truth, truth)
    raise TaskError(f"{task.name}: {_MAX_ROLLOUTS} random rollouts gave no goal of kind {kind!r}")
