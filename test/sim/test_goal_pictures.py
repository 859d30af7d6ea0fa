"""Goal pictures: from seeds of their own, always the same, never reached by doing nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentplan_ros.sim.collect import collect, random_episode
from latentplan_ros.sim.environment import Environment
from latentplan_ros.sim.goals import FIRST_GOAL_SEED, make_goal
from latentplan_ros.sim.task import TaskError
from latentplan_ros.sim.tasks import TASKS, make_task

KINDS = [(name, kind) for name, task in sorted(TASKS.items()) for kind in task.goal_kinds]


@pytest.fixture(scope="module")
def environments():
    made = {name: Environment(make_task(name)) for name in TASKS}
    yield made
    for env in made.values():
        env.close()


@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_doing_nothing_reaches_no_goal(environments, name, kind):
    env = environments[name]
    for index in range(4):
        goal = make_goal(env, kind, FIRST_GOAL_SEED, index)
        assert env.task.error_m(goal.start_truth, goal.truth) > env.task.threshold_m
        for _ in range(env.task.episode_steps):
            env.step(np.zeros(4))
            assert env.task.error_m(env.truth(), goal.truth) > env.task.threshold_m


openings = st.floats(0, 0.2)


@given(kind=st.sampled_from(["open", "close"]), start=openings, end=openings)
def test_a_drawer_goal_lies_further_away_than_success_and_on_its_side(kind, start, end):
    task, a, b = make_task("franka_drawer"), np.array([start]), np.array([end])
    accepted = task.is_goal(kind, a, b)
    assert not accepted or task.error_m(a, b) > task.threshold_m
    assert accepted == ((end - start if kind == "open" else start - end) > 0.075)


metres = st.floats(-0.3, 0.3)
tables = st.lists(metres, min_size=9, max_size=9).map(np.array)


@given(start=tables, end=tables)
def test_pushing_is_judged_by_the_worst_block_and_hard_goals_show_it_left_alone(start, end):
    task = make_task("sawyer_push3")
    moved = np.linalg.norm(start[:6].reshape(3, 2) - end[:6].reshape(3, 2), axis=1)
    assert task.error_m(start, end) == pytest.approx(moved.max())
    assert task.is_goal("regular", start, end) == (moved.max() > 0.075)
    hand = np.linalg.norm(end[:6].reshape(3, 2) - end[6:8], axis=1)
    left = moved.max() > 0.075 and hand[moved > 0.075].min() > 0.125
    assert task.is_goal("hard", start, end) == left


doors = st.tuples(*[metres] * 4).map(np.array)


@given(start=doors, end=doors)
def test_a_door_goal_lies_beyond_success_and_hard_ones_show_the_hand_elsewhere(start, end):
    task = make_task("franka_door")
    moved = abs(end[0] - start[0])
    assert task.is_goal("regular", start, end) == (moved > 0.1125)
    assert task.is_goal("hard", start, end) == (moved > 0.1125 and abs(end[2] - end[0]) > 0.125)


def test_blocks_stay_on_the_table_between_its_walls(environments):
    env = environments["sawyer_push3"]
    rng = np.random.default_rng(3)
    for _ in range(10):
        env.reset(rng)
        for _ in range(env.task.episode_steps):
            env.step(rng.uniform(-1.0, 1.0, 4) * [1, 1, 0.3, 1])
            blocks = [env.data.joint(f"block{i}").qpos for i in range(3)]
            assert np.all(np.abs([b[0] for b in blocks]) < 0.25)
            assert all(0.39 < b[1] < 0.85 and 0.02 < b[2] < 0.08 for b in blocks)


points = st.tuples(*[st.floats(-1, 1)] * 3).map(np.array)


@given(start=points, end=points)
def test_a_reaching_goal_lies_at_least_15_cm_away(start, end):
    task = make_task("sawyer_reach")
    assert task.is_goal("reach", start, end) == (np.linalg.norm(end - start) >= 0.15)


@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_a_goal_is_the_same_every_time_and_the_environment_waits_at_its_start(
    environments, name, kind
):
    env = environments[name]
    goal = make_goal(env, kind, FIRST_GOAL_SEED + 7, 3)
    np.testing.assert_array_equal(env.truth(), goal.start_truth)
    np.testing.assert_array_equal(env.save().physics, goal.start.physics)
    assert goal.image.shape == (480, 640, 3)
    assert not np.array_equal(env.render(480, 640), goal.image)
    env.reset(np.random.default_rng(0))
    again = make_goal(env, kind, FIRST_GOAL_SEED + 7, 3)
    np.testing.assert_array_equal(again.image, goal.image)
    np.testing.assert_array_equal(again.start.physics, goal.start.physics)
    other = make_goal(env, kind, FIRST_GOAL_SEED + 7, 4)
    assert not np.array_equal(other.start.physics, goal.start.physics)


def test_goals_and_training_data_share_no_seed(environments, tmp_path):
    env = environments["franka_drawer"]
    with pytest.raises(TaskError, match="seed 999999 belongs to training data"):
        make_goal(env, "open", FIRST_GOAL_SEED - 1, 0)
    with pytest.raises(TaskError, match="seed 1000000 belongs to evaluation goals"):
        collect("franka_drawer", 1, tmp_path / "D.zarr", seed=FIRST_GOAL_SEED)
    assert not (tmp_path / "D.zarr").exists()
    starts = {random_episode(env, 0, index).state[0].tobytes() for index in range(5)}
    for kind in env.task.goal_kinds:
        for index in range(3):
            make_goal(env, kind, FIRST_GOAL_SEED, index)
            assert env.state().tobytes() not in starts


def test_a_kind_of_goal_that_there_is_not_lists_those_there_are(environments):
    with pytest.raises(TaskError, match="goals of kind open, close, not 'slam'"):
        make_goal(environments["franka_drawer"], "slam", FIRST_GOAL_SEED, 0)
