"""A dataset's mirror image: twice the episodes, pictures turned, actions with other signs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_datasets import episode, write

from latentplan_ros.data.dataset import DatasetError
from latentplan_ros.data.mirrored import MirroredDataset

SIGNS = (-1, 1, 1, 1)


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    return write(
        tmp_path_factory.mktemp("data") / "seen.zarr", [episode(n, n) for n in (5, 1100, 3)]
    )


@pytest.fixture(scope="module")
def mirrored(seen):
    return MirroredDataset(seen, SIGNS)


def test_each_episode_has_its_mirror_image_behind_all_episodes(seen, mirrored):
    assert mirrored.num_episodes == 6
    assert mirrored.num_frames == 2 * seen.num_frames
    frames = np.arange(seen.num_frames)
    behind = frames + seen.num_frames
    assert (mirrored.images(frames) == seen.images(frames)).all()
    assert (mirrored.images(behind) == seen.images(frames)[:, :, ::-1]).all()
    assert (mirrored.action[frames] == seen.action).all()
    assert (mirrored.action[behind] == seen.action * np.float32(SIGNS)).all()
    assert (mirrored.action[behind, 0] != seen.action[:, 0]).any()
    assert mirrored.with_mirrored(np.array([0, 2])).tolist() == [0, 2, 3, 5]
    assert mirrored.frames(np.array([3])).tolist() == list(range(1108, 1113))


@given(rows=st.lists(st.integers(0, 2 * 1108 - 1), min_size=1, max_size=9))
def test_pictures_in_any_order_and_shape(mirrored, rows):
    one_by_one = np.stack([mirrored.images([row])[0] for row in rows])
    assert (mirrored.images(np.array(rows)) == one_by_one).all()
    assert (mirrored.images(np.array([rows]))[0] == one_by_one).all()


def test_what_a_mirror_does_not_know_cannot_be_taken_for_known(seen, mirrored):
    assert mirrored.truth is None
    assert (mirrored.state[:1108] == seen.state).all()
    assert np.isnan(mirrored.state[1108:]).all()


@pytest.mark.parametrize("signs", [(1, 1, 1), (1, 1, 1, 0.5), ("-", 1, 1, 1)])
def test_what_are_no_four_signs_is_refused(seen, signs):
    with pytest.raises(DatasetError, match="four signs"):
        MirroredDataset(seen, signs)
