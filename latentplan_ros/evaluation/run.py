"""Trying a policy on goals, many simulated episodes in lockstep."""

from collections.abc import Callable, Sequence

import numpy as np

from latentplan_ros.data.preprocess import Preprocess
from latentplan_ros.evaluation.film import frame
from latentplan_ros.evaluation.outcome import Outcome
from latentplan_ros.evaluation.policies import Policy
from latentplan_ros.sim.collect import observe
from latentplan_ros.sim.environment import Environment
from latentplan_ros.sim.goals import Goal, make_goal
from latentplan_ros.sim.task import Task

STEPS = 50


def make_goals(task: Task, kind: str, count: int, seed: int) -> list[Goal]:
    """The first goals of a kind and seed. Raises TaskError, also for seeds of training data."""
    environment = Environment(task)
    try:
        return [make_goal(environment, kind, seed, index) for index in range(count)]
    finally:
        environment.close()


def evaluate(
    policy: Policy,
    task: Task,
    goals: Sequence[Goal],
    steps: int = STEPS,
    batch: int = 10,
    films: bool = False,
    on_outcome: Callable[[Outcome], None] = lambda outcome: None,
) -> list[Outcome]:
    """Tries each goal once for a number of control steps; success is judged on where it ends.

    batch: episodes that run side by side and are planned for in one batch. All share one simulator,
    which each restores in turn, so that memory does not grow with the batch. on_outcome is called
    as soon as a try ends. Raises PlanningError or SimulationError.
    """
    environment = Environment(task)
    outcomes = []
    try:
        for first in range(0, len(goals), batch):
            for outcome in _run_batch(
                policy, environment, goals[first : first + batch], steps, films
            ):
                outcomes.append(outcome)
                on_outcome(outcome)
    finally:
        environment.close()
    return outcomes


def _run_batch(
    policy: Policy, environment: Environment, goals: Sequence[Goal], steps: int, films: bool
) -> list[Outcome]:
    task, preprocess = environment.task, Preprocess()
    snapshots, images, errors = [], [], []
    for goal in goals:
        environment.restore(goal.start)
        snapshots.append(goal.start)
        images.append(observe(environment, preprocess))
        errors.append([task.error_m(environment.truth(), goal.truth)])
    pictures = np.stack([preprocess.apply(goal.image) for goal in goals])
    policy.reset(pictures, [_search_seed(goal) for goal in goals])
    times: list[float] = []
    frames: list[list[np.ndarray]] = [[] for _ in goals]
    for _ in range(steps):
        actions = policy.act(np.stack(images))
        if (milliseconds := policy.plan_milliseconds()) is not None:
            times.append(milliseconds)
        if films:
            imagined = policy.imagined()
            for i, film in enumerate(frames):
                film.append(
                    frame(images[i], pictures[i], None if imagined is None else imagined[i])
                )
        for i, goal in enumerate(goals):
            environment.restore(snapshots[i])
            environment.step(actions[i])
            snapshots[i], images[i] = environment.save(), observe(environment, preprocess)
            errors[i].append(task.error_m(environment.truth(), goal.truth))
    if films:
        for i, film in enumerate(frames):
            film.append(frame(images[i], pictures[i], None if imagined is None else imagined[i]))
    return [
        Outcome(
            index=goal.index,
            seed=goal.seed,
            kind=goal.kind,
            threshold_m=task.threshold_m,
            errors_m=errors[i],
            plan_ms=float(np.median(times)) if times else None,
            film=np.stack(frames[i]) if films else None,
        )
        for i, goal in enumerate(goals)
    ]


def _search_seed(goal: Goal) -> int:
    return int(np.random.SeedSequence([goal.seed, goal.index]).generate_state(1)[0])
