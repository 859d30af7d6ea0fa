"""Recorded grasps: real ones, of three pictures, each of which shows what it shall."""

import numpy as np
import pytest

from latentplan_ros.data.check import check
from latentplan_ros.data.dataset import Dataset
from latentplan_ros.sim.collect import collect, recorded_episode
from latentplan_ros.sim.environment import Environment, SimulationError
from latentplan_ros.sim.goals import FIRST_GOAL_SEED, goal_kinds, make_goal
from latentplan_ros.sim.task import TaskError
from latentplan_ros.sim.tasks import franka_grasp, make_task
from latentplan_ros.sim.things import THINGS

TASK, EPISODES = "franka_grasp", 12


@pytest.fixture(scope="module")
def env():
    made = Environment(make_task(TASK))
    yield made
    made.close()


@pytest.fixture(scope="module")
def grasps(env):
    return [recorded_episode(env, 0, index) for index in range(EPISODES)]


def coloured(picture, thing):
    """Where a picture has a thing's hue: its three values as far apart as the thing's."""
    seen, colour = picture.astype(float), np.array(thing.colour)
    seen = seen / np.linalg.norm(seen, axis=-1, keepdims=True)
    return seen @ (colour / np.linalg.norm(colour)) > 0.985


def test_what_was_grasped_is_missing_afterwards_and_nothing_else(env, grasps):
    camera = env.model.camera("main")
    for episode in grasps:
        before, after, _ = episode.image.astype(int)
        changed = np.abs(before - after).max(axis=2) > 12
        assert 15 < changed.sum() < 400
        number, place = int(episode.truth[0, 0]), episode.truth[0, 1:]
        rows, columns = np.nonzero(changed)
        across, up, back = camera.mat0.reshape(3, 3).T @ (place - camera.pos)
        scale = 32 / np.tan(np.radians(camera.fovy[0]) / 2)
        want = np.array([32 - scale * up / -back, 32 + scale * across / -back])
        np.testing.assert_allclose([rows.mean(), columns.mean()], want, atol=3)
        assert np.hypot(rows - want[0], columns - want[1]).max() < 14
        thing = THINGS[number]
        assert coloured(before, thing)[changed].sum() > 5
        assert coloured(after, thing)[changed].sum() == 0


def test_the_third_picture_shows_the_thing_large_and_alone(grasps):
    for episode in grasps:
        number = int(episode.truth[0, 0])
        seen = [coloured(episode.image[2], thing).sum() for thing in THINGS]
        assert seen[number] > 150
        assert seen[number] == max(seen)


def test_an_episode_has_three_pictures_no_actions_and_says_what_lay_where(grasps):
    for episode in grasps:
        assert len(episode) == 3
        assert not episode.action.any()
        assert (episode.truth == episode.truth[0]).all()
        assert np.abs(episode.truth[0, 3] - THINGS[int(episode.truth[0, 0])].height) < 0.005
    assert len({int(episode.truth[0, 0]) for episode in grasps}) > 4


def test_a_seed_gives_the_same_grasps_whoever_records_them(tmp_path, grasps):
    collect(TASK, 3, tmp_path / "D.zarr", workers=1, seed=0)
    dataset = Dataset.open(tmp_path / "D.zarr")
    assert dataset.info.task == TASK
    assert check(dataset.path) == []
    for index in range(3):
        stored = dataset.episode(index)
        for name in ("image", "action", "state", "truth"):
            np.testing.assert_array_equal(getattr(stored, name), getattr(grasps[index], name))


def test_a_grasp_that_does_not_hold_is_not_recorded(env, monkeypatch):
    monkeypatch.setattr(franka_grasp, "pick", lambda env, place: None)
    with pytest.raises(SimulationError, match="franka_grasp: 50 grasps in a row did not hold"):
        recorded_episode(env, 0, 0)


def test_the_physics_hold_what_is_grasped(env):
    env.reset(np.random.default_rng(3))
    franka_grasp.withdraw(env)
    number, *place = env.truth()
    franka_grasp.pick(env, np.array(place))
    held = env.data.body(THINGS[int(number)].name)
    np.testing.assert_allclose(held.xpos, env.tcp_position, atol=0.02)
    assert held.xpos[2] > 0.4


def test_it_has_no_goals_and_says_so(env):
    for ask in (lambda: goal_kinds(env.task), lambda: make_goal(env, "open", FIRST_GOAL_SEED, 0)):
        with pytest.raises(TaskError, match=r"has no goals to reach.*collect --task franka_grasp"):
            ask()
