"""What a representation is judged by: right about latents whose contents are known."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from latentplan_ros.control.action_space import ActionSpace
from latentplan_ros.data.dataset import DatasetError, DatasetInfo
from latentplan_ros.evaluation.representation.distractors import Distractors
from latentplan_ros.evaluation.representation.places import places
from latentplan_ros.evaluation.representation.probes import Frames, Probes, median_over_episodes
from latentplan_ros.evaluation.representation.retrieval import nearest, sheet

FLOOR = np.array([120, 118, 112], np.uint8)


@pytest.fixture(autouse=True)
def short_probe(monkeypatch):
    monkeypatch.setattr("latentplan_ros.evaluation.diagnosis.probe.UPDATES", 100)


def frames(count, seed):
    """Places of a tool and of two things, and latents in which only the tool and the first are."""
    generator = torch.Generator().manual_seed(seed)
    hidden = torch.rand(count, 7, generator=generator)
    latents = torch.cat(
        [torch.exp(4 * hidden[:, :5]), torch.randn(count, 3, generator=generator)], 1
    )
    truth = hidden.numpy()
    known = {"arm": truth[:, None, :3], "object": truth[:, 3:].reshape(count, 2, 2)}
    return Frames(latents, known, np.arange(count) // 10)


def test_what_is_in_the_latents_is_read_and_what_is_not_is_not():
    probes, others = Probes(frames(2000, 0)), frames(500, 1)
    linear, nonlinear = (
        {name: np.median(errors) for name, errors in probes.errors_cm(kind, others).items()}
        for kind in ("linear", "nonlinear")
    )
    assert nonlinear["arm"] < 0.8 * linear["arm"]
    assert nonlinear["arm"] < 15
    # Of two things one is read, the other is guessed: 38 cm off in the mean of a square of 1 m.
    assert 15 < nonlinear["object"] < 30


def test_a_probe_does_not_gain_by_the_scale_of_the_latents():
    one, other = frames(500, 0), frames(500, 1)
    scaled = Frames(1000 * one.latents + 5, one.places, one.episode)
    errors = Probes(one).errors_cm("linear", other)["arm"]
    again = Probes(scaled).errors_cm(
        "linear", Frames(1000 * other.latents + 5, other.places, other.episode)
    )["arm"]
    np.testing.assert_allclose(again, errors, rtol=0.01)


def test_latents_that_never_change_give_the_mean_place():
    one, other = frames(200, 0), frames(200, 1)
    still = Probes(Frames(torch.ones(200, 4), one.places, one.episode))
    errors = still.errors_cm("linear", Frames(torch.ones(200, 4), other.places, other.episode))
    middle = one.places["arm"].mean(0)
    expected = 100 * np.linalg.norm(other.places["arm"] - middle, axis=2).mean(1)
    np.testing.assert_allclose(errors["arm"], expected, rtol=1e-4)


def test_the_interval_of_a_median_is_over_episodes_and_not_over_frames():
    rng = np.random.default_rng(0)
    of_episode = rng.uniform(1, 3, 40)
    few = median_over_episodes(of_episode, np.arange(40))
    same = median_over_episodes(of_episode.repeat(30), np.arange(40).repeat(30))
    assert few.n == same.n == 40
    assert same.low <= same.value <= same.high
    assert same.high - same.low == pytest.approx(few.high - few.low, rel=0.3)


class Recorded:
    """As much of a dataset as places asks for."""

    path = "recorded.zarr"

    def __init__(self, state_names, truth_names):
        self.info = DatasetInfo(
            ActionSpace("franka", 0.1, 10.0, (0.0, 0.08)), "main", 64, state_names, truth_names
        )
        self.state = np.arange(5 * len(state_names), dtype=np.float32).reshape(5, -1)
        self.truth = np.arange(5 * len(truth_names), dtype=np.float32).reshape(5, -1)


TOOL = ("tcp_x", "tcp_y", "tcp_z")


def test_places_of_blocks_and_of_a_drawer():
    blocks = places(
        Recorded(("joint", *TOOL), ("a_x", "a_y", "b_x", "b_y", *TOOL)), np.array([1, 3])
    )
    assert blocks["arm"].tolist() == [[[5, 6, 7]], [[13, 14, 15]]]
    assert blocks["object"].tolist() == [[[7, 8], [9, 10]], [[21, 22], [23, 24]]]
    drawer = places(Recorded(("joint", *TOOL), ("drawer_opening",)), np.array([2]))
    assert drawer["object"].tolist() == [[[2]]]
    with pytest.raises(DatasetError, match="does not say where arm and objects are"):
        places(Recorded(("joint", *TOOL), TOOL), np.array([0]))


pictures = arrays.arrays(
    np.uint8, st.tuples(*map(st.just, (6, 64, 64, 3))), fill=st.integers(0, 255)
)
numbers = st.integers(0, 2**31 - 1)


def distractors(seed):
    return Distractors(np.broadcast_to(FLOOR, (64, 64, 3)), np.ones((64, 64), bool), seed)


def with_a_block(rng):
    images = np.broadcast_to(FLOOR, (6, 64, 64, 3)).copy()
    row, column = rng.integers(5, 50, 2)
    images[:, row : row + 9, column : column + 9] = (230, 180, 30)
    return images, np.all(images == (230, 180, 30), axis=-1)


@given(pictures, numbers, numbers)
@settings(max_examples=20, deadline=None)
def test_pictures_stay_pictures_and_the_same_is_drawn_again(images, seed, episode):
    before = images.copy()
    drawn = distractors(seed)(images, episode)
    assert drawn.shape == images.shape
    assert drawn.dtype == np.uint8
    assert np.array_equal(images, before)
    assert np.array_equal(drawn, distractors(seed)(images, episode))
    # What comes later changes nothing before it.
    assert np.array_equal(distractors(seed)(images[:2], episode), drawn[:2])


@given(numbers, numbers)
@settings(max_examples=20, deadline=None)
def test_patches_are_behind_what_moves_and_a_shadow_is_on_everything(seed, episode):
    images, block = with_a_block(np.random.default_rng(seed))
    drawn = distractors(seed).patches(images, episode)
    assert np.array_equal(drawn[block], images[block])
    assert (drawn != images).any()
    shaded = distractors(seed).shadow(images, episode)
    assert (shaded <= images).all()
    assert (shaded < images).any()


@given(pictures, numbers, numbers)
@settings(max_examples=20, deadline=None)
def test_colours_are_the_same_in_all_of_an_episode(images, seed, episode):
    images[1:] = images[0]
    changed = distractors(seed).colours(images, episode)
    assert (changed == changed[0]).all()


def test_each_episode_is_disturbed_differently_and_squares_drift():
    images, _ = with_a_block(np.random.default_rng(0))
    one, other = (distractors(0).patches(images, episode) for episode in (1, 2))
    assert (one != other).any()
    assert (one[0] != one[-1]).any()


def test_a_pixel_that_is_seen_differently_too_often_has_no_background():
    images = np.broadcast_to(FLOOR, (10, 64, 64, 3)).copy()
    images[::2, :, :32] = 255  # half of the time
    images[:2, :, 40:50] = 255  # seldom

    class Recordings:
        def images(self, indices):
            return images[indices]

    steady = Distractors.of(Recordings(), np.arange(10)).steady
    assert not steady[:, :32].any()
    assert steady[:, 32:].all()


def test_neighbours_are_the_nearest_one_an_episode():
    gallery = torch.tensor([[0.0], [0.1], [1.0], [1.1], [5.0]])
    found = nearest(gallery, np.array([0, 0, 1, 1, 2]), torch.tensor([[0.2], [4.0]]), 2)
    assert found.tolist() == [[1, 2], [4, 3]]
    drawn = sheet(np.zeros((2, 64, 64, 3), np.uint8), np.zeros((2, 3, 64, 64, 3), np.uint8))
    assert drawn.shape == (2 * 68, 4 * 68 + 8, 3)
