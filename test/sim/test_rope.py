"""The rope on the table: kept by pegs and rim, moved a little at a time, and seen where it is."""

import numpy as np
import pytest

from latentplan_ros.sim.worlds.rope import (
    HALF_M,
    LINK_M,
    LINKS,
    PEG_RADIUS_M,
    PEGS,
    ROPE_RADIUS_M,
    record_rope,
)

FRAMES = 90


@pytest.fixture(scope="module")
def recorded():
    return record_rope(sequences=3, frames=FRAMES, seed=5)


@pytest.fixture(scope="module")
def shapes(recorded):
    """``[sequence,frame,link,2]``, metres."""
    return recorded.truth.reshape(3, FRAMES, LINKS, 2)


def test_sequences_are_the_same_every_time_however_many_are_recorded(recorded):
    again = record_rope(sequences=1, frames=FRAMES, seed=5)
    np.testing.assert_array_equal(again.pictures, recorded.pictures[:FRAMES])
    np.testing.assert_array_equal(again.truth, recorded.truth[:FRAMES])
    other = record_rope(sequences=1, frames=2, seed=6)
    assert not np.array_equal(other.pictures, recorded.pictures[:2])


def test_the_whole_rope_stays_in_the_picture_and_in_one_piece(shapes):
    assert np.abs(shapes).max() < HALF_M - ROPE_RADIUS_M
    apart = np.linalg.norm(np.diff(shapes, axis=2), axis=-1)
    assert apart.max() < LINK_M + 1e-9
    assert apart.min() > LINK_M / 2, "a link is not folded back onto the one before"


def test_no_part_of_the_rope_is_in_a_peg(shapes):
    """Between middles of links too: a step over a peg would leave a chord across it."""
    between = np.linspace(shapes[:, :, :-1], shapes[:, :, 1:], 5)
    to_pegs = np.linalg.norm(between[..., None, :] - PEGS, axis=-1)
    assert to_pegs.min() > PEG_RADIUS_M + ROPE_RADIUS_M - 0.002
    assert to_pegs.min() < PEG_RADIUS_M + ROPE_RADIUS_M + 0.002, "the rope has met a peg"


def test_most_steps_move_the_rope_and_only_a_part_of_it(shapes):
    moved = np.linalg.norm(np.diff(shapes, axis=1), axis=-1)
    assert (moved.max(-1) > 0.01).mean() > 0.9
    assert moved.max() < 0.08, "no further than a hand drags, but for what swings around"
    assert moved.mean() < 0.5 * moved.max(-1).mean()


def test_pictures_show_the_rope_where_it_is(recorded):
    """The darkest pixels, and they alone, are those that the rope covers."""
    axis = (np.arange(64) + 0.5) / 64 * 2 * HALF_M - HALF_M
    pixels = np.stack(np.meshgrid(axis, axis[::-1]), axis=-1)
    for picture, truth in zip(recorded.pictures[::31], recorded.truth[::31], strict=True):
        links = truth.reshape(LINKS, 2)
        along = np.linspace(links[:-1], links[1:], 9).reshape(-1, 2)
        away = np.linalg.norm(pixels[:, :, None] - along, axis=-1).min(-1)
        assert picture[away < ROPE_RADIUS_M / 2].max() < 60
        assert picture[away > 2.5 * ROPE_RADIUS_M].min() > 100


def test_pegs_are_seen_apart_from_rope_and_table(recorded):
    empty = np.median(recorded.pictures, axis=0)
    assert empty.max() > 200
    for x, y in PEGS:
        row, column = ((HALF_M - y) / HALF_M * 32, (HALF_M + x) / HALF_M * 32)
        assert 90 < empty[int(row), int(column)] < 150
