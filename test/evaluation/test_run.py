from collections.abc import Sequence

import numpy as np
import pytest

from latentplan_ros.evaluation.outcome import Outcome
from latentplan_ros.evaluation.policies import RandomPolicy
from latentplan_ros.evaluation.run import evaluate, make_goals
from latentplan_ros.sim.goals import Goal
from latentplan_ros.sim.task import Task, TaskError
from latentplan_ros.sim.tasks import make_task

SEED = 1_900_000


class Still:
    """Never moves, and keeps what it was shown."""

    def reset(self, goals: np.ndarray, seeds: Sequence[int]) -> None:
        self.goals, self.seen = goals, []

    def act(self, images: np.ndarray) -> np.ndarray:
        self.seen.append(images)
        return np.tile(np.float32([0, 0, 0, 1]), (len(images), 1))

    def imagined(self) -> np.ndarray:
        return np.zeros_like(self.goals)

    def plan_milliseconds(self) -> float:
        return 7.0


@pytest.fixture(scope="module")
def task() -> Task:
    return make_task("franka_reach")


@pytest.fixture(scope="module")
def goals(task: Task) -> list[Goal]:
    return make_goals(task, "reach", 3, SEED)


def test_goals_lie_where_the_start_is_not(task: Task, goals: list[Goal]) -> None:
    assert [goal.index for goal in goals] == [0, 1, 2]
    for goal in goals:
        assert task.error_m(goal.start_truth, goal.truth) >= 0.15
    again = make_goals(task, "reach", 1, SEED)[0]
    np.testing.assert_array_equal(again.image, goals[0].image)


def test_goals_from_training_seeds_are_refused(task: Task) -> None:
    with pytest.raises(TaskError, match="training"):
        make_goals(task, "reach", 1, 5)


def test_an_arm_that_stays_still_stays_at_its_start_error(task: Task, goals: list[Goal]) -> None:
    policy, finished = Still(), list[Outcome]()
    outcomes = evaluate(policy, task, goals, steps=4, films=True, on_outcome=finished.append)
    assert finished == outcomes
    for goal, outcome in zip(goals, outcomes, strict=True):
        assert (outcome.index, outcome.seed, outcome.kind) == (goal.index, SEED, "reach")
        assert outcome.steps == 4
        assert outcome.start_error_m == pytest.approx(task.error_m(goal.start_truth, goal.truth))
        assert outcome.final_error_m == pytest.approx(outcome.start_error_m, abs=0.02)
        assert not outcome.success
        assert outcome.plan_ms == 7.0
        assert outcome.film is not None
        assert outcome.film.shape == (5, 64, 192, 3)
    assert policy.goals.shape == (3, 64, 64, 3)
    assert np.abs(policy.seen[0].astype(int) - policy.seen[3]).mean() < 2.0


def test_how_many_run_side_by_side_changes_nothing(task: Task, goals: list[Goal]) -> None:
    policy = RandomPolicy(task.exploration_std)
    apart, together = (evaluate(policy, task, goals, steps=5, batch=n) for n in (1, 3))
    assert [o.errors_m for o in apart] == [o.errors_m for o in together]
    assert len({tuple(o.errors_m) for o in apart}) == 3
