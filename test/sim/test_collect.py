"""`latentplan collect`: the same data whoever collects it, and whatever kills it on the way."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from latentplan_ros.data.check import check
from latentplan_ros.data.dataset import Dataset, DatasetError
from latentplan_ros.sim.collect import collect, random_episode
from latentplan_ros.sim.environment import Environment
from latentplan_ros.sim.task import TaskError
from latentplan_ros.sim.tasks import make_task

TASK, EPISODES = "franka_drawer", 40


def command(path, workers):
    options = [
        "--task",
        TASK,
        "--episodes",
        EPISODES,
        "--workers",
        workers,
        "--seed",
        4,
        "-o",
        path,
    ]
    return [sys.executable, "-m", "latentplan_ros.cli", "collect", *map(str, options)]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "D.zarr"
    subprocess.run(command(path, 2), capture_output=True, timeout=120, check=True)
    return Dataset.open(path)


def assert_same(left, right):
    assert left.content_hash() == right.content_hash()
    frames = np.arange(left.num_frames)
    np.testing.assert_array_equal(left.images(frames), right.images(frames))
    np.testing.assert_array_equal(left.truth, right.truth)


def children(pid):
    return [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wait_for(condition, what, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def episodes_in(path):
    try:
        return Dataset.open(path).num_episodes
    except DatasetError:
        return -1


def test_a_killed_run_leaves_whole_episodes_and_continues_to_the_same_dataset(
    tmp_path, uninterrupted
):
    path = tmp_path / "D.zarr"
    process = subprocess.Popen(
        command(path, 1), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait_for(lambda: episodes_in(path) >= 8 or process.poll() is not None, "nothing collected")
    workers = children(process.pid)
    assert workers
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    left = Dataset.open(path)
    assert 8 <= left.num_episodes < EPISODES
    assert (np.diff(left.episode_ends, prepend=0) == 31).all()
    assert check(path) == []
    wait_for(lambda: not any(Path(f"/proc/{w}").exists() for w in workers), "orphaned workers")
    done = subprocess.run(command(path, 2), capture_output=True, text=True, timeout=120, check=True)
    assert f"{EPISODES - left.num_episodes} episodes added" in done.stdout
    assert_same(Dataset.open(path), uninterrupted)
    assert check(path) == []


def test_one_worker_and_none_collect_what_two_collect(tmp_path, uninterrupted):
    collect(TASK, 5, tmp_path / "D.zarr", workers=1, seed=4)
    assert collect(TASK, 9, tmp_path / "D.zarr", workers=1, seed=4) == 4
    assert collect(TASK, 9, tmp_path / "D.zarr", workers=1, seed=4) == 0
    few = Dataset.open(tmp_path / "D.zarr")
    frames = np.arange(few.num_frames)
    assert few.num_episodes == 9
    np.testing.assert_array_equal(few.images(frames), uninterrupted.images(frames))
    for name in ("action", "state", "truth"):
        want = getattr(uninterrupted, name)[frames]
        np.testing.assert_array_equal(getattr(few, name), want)
    env = Environment(make_task(TASK))
    alone, stored = random_episode(env, 4, 7), uninterrupted.episode(7)
    env.close()
    for name in ("image", "action", "state", "truth"):
        np.testing.assert_array_equal(getattr(alone, name), getattr(stored, name))


def test_episodes_are_what_their_actions_did(uninterrupted):
    assert uninterrupted.num_episodes == EPISODES
    assert (np.diff(uninterrupted.episode_ends, prepend=0) == 31).all()
    for index in range(0, EPISODES, 13):
        episode = uninterrupted.episode(index)
        assert not episode.action[-1].any()
        assert np.abs(episode.action[:-1]).max(axis=1).min() > 0
        travelled = np.diff(episode.state[:, -3:], axis=0)
        asked = 0.1 * episode.action[:-1, :3]
        # The arm lags behind its target but goes where it was told.
        assert np.corrcoef(travelled[:, 1], asked[:, 1])[0, 1] > 0.5


def test_other_data_and_other_seeds_are_kept_apart(tmp_path, uninterrupted):
    before = uninterrupted.content_hash()
    for task, seed in (("franka_reach", 4), (TASK, 5)):
        with pytest.raises(DatasetError, match="holds other data"):
            collect(task, EPISODES + 1, uninterrupted.path, workers=1, seed=seed)
    with pytest.raises(TaskError, match="belongs to evaluation goals"):
        collect(TASK, 1, tmp_path / "D.zarr", seed=1_000_000)
    assert Dataset.open(uninterrupted.path).content_hash() == before


def test_another_camera_sees_the_same_episodes(tmp_path, uninterrupted):
    collect(TASK, 2, tmp_path / "side.zarr", workers=1, seed=4, camera="side")
    side = Dataset.open(tmp_path / "side.zarr")
    frames = np.arange(side.num_frames)
    assert (side.info.camera, uninterrupted.info.camera) == ("side", "main")
    for name in ("action", "state", "truth"):
        want = getattr(uninterrupted, name)[frames]
        np.testing.assert_array_equal(getattr(side, name), want)
    apart = np.abs(side.images(frames).astype(int) - uninterrupted.images(frames))
    assert apart.mean(axis=(1, 2, 3)).min() > 10
    with pytest.raises(DatasetError, match="holds other data"):
        collect(TASK, 3, side.path, workers=1, seed=4)


def test_a_camera_that_is_not_there_is_told_with_those_that_are(tmp_path):
    with pytest.raises(TaskError, match="no camera is named 'top'; there are main, side"):
        collect(TASK, 1, tmp_path / "D.zarr", camera="top")
    assert not (tmp_path / "D.zarr").exists()
