"""Goal relabelling and windows: what learning draws never leaves its episode."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sample_datasets import INFO, episode, write

from latentplan_ros.data.dataset import DatasetError
from latentplan_ros.data.goals import GoalSampler
from latentplan_ros.data.windows import Windows

LENGTHS = (12, 3, 40, 2, 25, 31, 7, 18)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    episodes = [episode(length, seed) for seed, length in enumerate(LENGTHS)]
    return write(tmp_path_factory.mktemp("data") / "D.zarr", episodes)


def episode_of(dataset, frames):
    return np.searchsorted(dataset.episode_ends, frames, side="right")


chosen = st.lists(st.integers(0, len(LENGTHS) - 1), min_size=1, unique=True)
a_few = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])


@a_few
@given(episodes=chosen, horizon=st.integers(1, 45), seed=st.integers(0, 99))
def test_windows_stay_inside_the_episodes_they_were_given(dataset, episodes, horizon, seed):
    episodes = np.sort(episodes)
    long_enough = [e for e in episodes if LENGTHS[e] > horizon]
    if not long_enough:
        with pytest.raises(DatasetError, match=rf"no episode has the {horizon + 1} frames"):
            Windows(dataset, episodes, horizon)
        return
    windows = Windows(dataset, episodes, horizon)
    assert len(windows.starts) == sum(LENGTHS[e] - horizon for e in long_enough)
    rows = windows.draw(np.random.default_rng(seed), 64)
    first = windows.starts[rows]
    assert set(episode_of(dataset, first)) <= set(long_enough)
    np.testing.assert_array_equal(episode_of(dataset, first), episode_of(dataset, first + horizon))


def test_half_of_a_draw_goes_where_the_error_is(dataset):
    windows = Windows(dataset, np.arange(len(LENGTHS)), 5)
    everything = np.arange(len(windows.starts))
    windows.report(everything, np.zeros(len(everything)))
    windows.report(np.array([7]), np.array([1.0]))
    rows = windows.draw(np.random.default_rng(0), 2000)
    assert 0.49 < np.mean(rows == 7) < 0.54
    assert len(np.unique(rows)) > 0.9 * len(everything)  # the other half is uniform


@pytest.mark.parametrize("favoured", [0.0, 0.25, 1.0])
def test_as_much_of_a_draw_goes_there_as_was_asked(dataset, favoured):
    windows = Windows(dataset, np.arange(len(LENGTHS)), 5, favoured)
    windows.report(np.arange(len(windows.starts)), np.zeros(len(windows.starts)))
    windows.report(np.array([7]), np.array([1.0]))
    rows = windows.draw(np.random.default_rng(0), 2000)
    assert len(rows) == 2000
    assert np.mean(rows == 7) == pytest.approx(favoured, abs=0.02)


@a_few
@given(episodes=chosen, seed=st.integers(0, 99))
def test_transitions_and_reached_goals_stay_inside_one_episode(dataset, episodes, seed):
    episodes, rng = np.sort(episodes), np.random.default_rng(seed)
    sampler = GoalSampler(dataset, episodes, rng)
    drawn = sampler.draw(rng, 64)
    own = episode_of(dataset, drawn.state)
    assert set(own) <= set(episodes)
    np.testing.assert_array_equal(own, episode_of(dataset, drawn.state + 1))
    reached = drawn.steps > 0
    assert reached.sum() >= 32
    assert (own != episode_of(dataset, drawn.goal))[~reached].all()
    np.testing.assert_array_equal(drawn.goal[reached], (drawn.state + drawn.steps)[reached])
    np.testing.assert_array_equal(own[reached], episode_of(dataset, drawn.goal[reached]))
    assert set(episode_of(dataset, drawn.goal)) <= set(episodes)  # held-out data never leaks in


def test_the_offset_of_reached_goals_is_geometric(tmp_path):
    dataset = write(tmp_path / "D.zarr", [episode(400)])
    rng = np.random.default_rng(0)
    steps = GoalSampler(dataset, np.array([0]), rng, p=0.3, negatives=0.0).draw(rng, 20_000).steps
    assert steps.min() == 1
    assert np.mean(steps) == pytest.approx(1 / 0.3, rel=0.05)
    assert np.mean(steps == 1) == pytest.approx(0.3, abs=0.02)


def test_negative_goals_show_the_arm_where_it_was_reached_in_other_scenes(dataset):
    rng = np.random.default_rng(1)
    sampler = GoalSampler(dataset, np.arange(len(LENGTHS)), rng, negatives=1.0, neighbours=4)
    pose = dataset.state[:, : len(INFO.state_names) - 3]  # the tool position does not count
    drawn = sampler.draw(rng, 500)
    negative = drawn.steps == 0
    assert 0.3 < negative.mean() < 1.0  # the rest found no neighbour outside their own episode
    nearest = np.sort(np.linalg.norm(pose[:, None] - pose[None], axis=2), axis=1)
    # A goal is one of the four poses nearest to some frame that the episode goes on to.
    last = dataset.episode_ends[episode_of(dataset, drawn.state)] - 1
    for state, end, goal in zip(
        drawn.state[negative], last[negative], drawn.goal[negative], strict=True
    ):
        ahead = np.arange(state + 1, end + 1)
        distance = np.linalg.norm(pose[ahead] - pose[goal], axis=1)
        assert (distance <= nearest[ahead, 3] + 1e-6).any()


def test_large_datasets_are_searched_by_cells_and_still_give_near_poses(tmp_path):
    episodes = [episode(1000, seed) for seed in range(11)]
    dataset = write(tmp_path / "D.zarr", episodes)
    rng = np.random.default_rng(0)
    sampler = GoalSampler(dataset, np.arange(11), rng, p=1.0, negatives=1.0)  # reached: the next
    drawn = sampler.draw(rng, 500)
    pose = dataset.state[:, :2]
    found = np.linalg.norm(pose[drawn.state + 1] - pose[drawn.goal], axis=1)
    random = np.linalg.norm(pose[drawn.state + 1] - pose[rng.permutation(drawn.goal)], axis=1)
    assert np.median(found) < 0.1 * np.median(random)
