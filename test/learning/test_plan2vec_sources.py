"""Whatever is named becomes sequences of pictures, or one line that says what could be named."""

import cv2
import numpy as np
import pytest

from latentplan_ros.data.dataset import DatasetError
from latentplan_ros.data.sequences import SequenceError
from latentplan_ros.data.streetlearn import StreetLearnError
from latentplan_ros.learning.plan2vec.sources import WORLDS, SourceError, read_source


def test_a_maze_is_recorded_in_whole_rollouts_and_again_the_same():
    sequences = read_source("cmaze", 100, 3).sequences
    assert np.bincount(sequences.sequence).tolist() == [11] * 9, "99 of 100 frames"
    assert len(sequences.steps) == 90
    assert sequences.truth.shape == (99, 2)
    np.testing.assert_array_equal(
        read_source("cmaze", 100, 3).sequences.pictures, sequences.pictures
    )
    assert (read_source("cmaze", 100, 4).sequences.pictures != sequences.pictures).any()
    assert len(read_source("cmaze", 1, 0).sequences.pictures) == 11, "one rollout at least"


def test_a_town_is_taken_whole():
    found = read_source("streets_tiny", 10, 0)
    assert len(found.sequences.pictures) == 53
    assert found.recipe.local.span == 1


def test_of_a_dataset_whole_episodes_are_taken_in_gray(corridor):
    sequences = read_source(str(corridor.path), 130, 0).sequences
    assert np.bincount(sequences.sequence).tolist() == [25] * 5
    assert sequences.truth is None
    bright = (sequences.pictures > 100).any(axis=(1, 2))
    assert bright.all(), "the arm is seen in each picture"
    same = [
        (sequences.pictures[0] == cv2.cvtColor(corridor.images([f])[0], cv2.COLOR_RGB2GRAY)).all()
        for f in corridor.episode_starts
    ]
    assert any(same)


def test_folders_are_told_apart_by_what_they_hold(tmp_path):
    for run in ("run1", "run2"):
        (tmp_path / "rope" / run).mkdir(parents=True)
        for number in range(3):
            file = tmp_path / "rope" / run / f"img_{number}.png"
            cv2.imwrite(str(file), np.full((80, 80, 3), 40 * number, np.uint8))
    found = read_source(str(tmp_path / "rope"), 10, 0)
    assert len(found.sequences.pictures) == 6
    assert found.recipe.local.span == 2
    (tmp_path / "town").mkdir()
    (tmp_path / "town/nodes.txt").write_text("a,0,40.0\n")
    with pytest.raises(StreetLearnError, match=r"nodes\.txt, line 1"):
        read_source(str(tmp_path / "town"), 10, 0)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SequenceError, match="no subfolder"):
        read_source(str(tmp_path / "empty"), 10, 0)
    with pytest.raises(DatasetError, match="not a dataset"):
        read_source(str(tmp_path / "nothing.zarr"), 10, 0)


def test_an_unknown_source_is_answered_with_those_that_there_are(tmp_path):
    for name in ("labyrinth", "streets_vast", str(tmp_path / "nowhere")):
        with pytest.raises(SourceError, match="there is no source") as error:
            read_source(name, 10, 0)
        for known in (name, *WORLDS, "*.zarr", "nodes.txt"):
            assert known in str(error.value)
