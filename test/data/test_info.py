"""`latentplan dataset info`: the figures are those of the data."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from sample_datasets import INFO, episode, write

from latentplan_ros.data.info import describe, moved_shares


def moved(track):
    """An episode in which the block goes along this track, ``[T,2]``."""
    track = np.asarray(track, np.float32)
    return replace(episode(len(track)), truth=0.3 + track)


def test_an_object_moved_where_it_got_further_than_5_cm_from_its_start(tmp_path):
    still = np.zeros((6, 2))
    there_and_back = still.copy()
    there_and_back[3] = [0.04, 0.035]  # 5.3 cm along the diagonal
    little = [[0, 0], [0.03, 0], [0.049, 0], [0.03, 0], [0, 0], [0, 0]]
    # Further than 5 cm in all, but never from where it began.
    wandering = [[0, 0], [0.04, 0], [0, 0], [-0.04, 0], [0, 0], [0.04, 0]]
    episodes = [moved(t) for t in (still, there_and_back, little, wandering)]
    dataset = write(tmp_path / "D.zarr", episodes)
    assert moved_shares(dataset) == {"block": 0.25}
    assert moved_shares(dataset, 0.039) == {"block": 0.75}


def test_each_object_has_its_own_share(tmp_path):
    info = replace(INFO, truth_names=("left_x", "left_y", "drawer_opening"))
    truth = np.zeros((2, 5, 3), np.float32)
    truth[0, 2, 0] = truth[0, 3, 2] = truth[1, 4, 2] = 0.1
    episodes = [replace(episode(5, k), truth=t) for k, t in enumerate(truth)]
    dataset = write(tmp_path / "D.zarr", episodes, info)
    assert moved_shares(dataset) == {"left": 0.5, "drawer_opening": 1.0}


def test_a_simulated_dataset_is_described(drawer_dataset):
    about = describe(drawer_dataset)
    openings = [drawer_dataset.episode(i).truth[:, 0] for i in range(24)]
    share = np.mean([np.abs(o - o[0]).max() > 0.05 for o in openings])
    assert about["moved"] == {"drawer_opening": pytest.approx(share)}
    assert share >= 0.25  # below, random data would teach too little
    assert (about["task"], about["robot"], about["source"]) == ("franka_drawer", "franka", "sim")
    assert (about["episodes"], about["frames"]) == (24, 24 * 31)
    assert about["steps_per_episode"] == [31, 31]
    assert about["hours"] == pytest.approx(24 * 31 / 10 / 3600)
    # The smoothed policy's spread is that of its noise over the root of 3.
    want = np.divide((0.35, 0.3, 0.25, 0.15), np.sqrt(3))
    np.testing.assert_allclose(about["action_std"], want, rtol=0.2)
    assert about["content_hash"] == drawer_dataset.content_hash()


def test_an_empty_dataset_is_described(tmp_path):
    about = describe(write(tmp_path / "D.zarr", []))
    assert (about["episodes"], about["frames"], about["moved"]) == (0, 0, {})
    json.dumps(about)


def test_what_is_printed_is_json_whole(drawer_dataset):
    command = [sys.executable, "-m", "latentplan_ros.cli", "dataset", "info", drawer_dataset.path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout) == describe(drawer_dataset)
    shell = " ".join(map(str, command)) + " | head -1"
    done = subprocess.run(shell, shell=True, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("{\n", "")


def test_a_reader_that_went_away_gets_no_traceback(drawer_dataset):
    read, write_end = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "latentplan_ros.cli", "dataset", "info", drawer_dataset.path],
        stdout=write_end,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    os.close(write_end)
    assert done.stderr == ""
