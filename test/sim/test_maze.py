"""Plan2vec's mazes: nothing goes through a wall, and pictures show where the block is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from latentplan_ros.sim.worlds.maze import (
    BLOCK_HALF_M,
    HALF_M,
    MAZES,
    MOVES,
    STEP_M,
    random_rollouts,
)

rooms = st.sampled_from(list(MAZES.values()))


@given(
    maze=rooms, seed=st.integers(0, 2**32), moves=arrays(int, (12, 5), elements=st.integers(0, 7))
)
def test_no_move_leads_into_a_wall_or_through_one(maze, seed, moves):
    """Walls are thicker than a move is long: who ends in free space has not gone through."""
    places = maze.draw_places(np.random.default_rng(seed), 5)
    for move in moves:
        before, places = places, maze.step(places, move)
        assert maze.free(places).all()
        assert (np.linalg.norm(places - before, axis=1) <= STEP_M + 1e-9).all()


@pytest.mark.parametrize("move", range(8))
def test_a_move_goes_its_way_where_nothing_stands(move):
    end = MAZES["open"].step(np.zeros((1, 2)), np.array([move]))
    np.testing.assert_allclose(end[0], STEP_M * MOVES[move], atol=1e-9)


def test_the_wall_of_the_c_maze_is_passed_on_the_right_alone():
    maze = MAZES["cmaze"]
    left, right = np.array([[-0.2, 0.15], [0.2, 0.15]])
    places = np.stack([left, right])
    for _ in range(12):
        places = maze.step(places, np.array([6, 6]))  # south
    assert places[0, 1] > 0, "the wall is in the way"
    assert places[1, 1] < -0.2


@given(maze=rooms, seed=st.integers(0, 2**32))
def test_the_block_can_be_found_in_a_picture_to_a_fraction_of_a_pixel(maze, seed):
    place = maze.draw_places(np.random.default_rng(seed), 1)
    empty = maze.render(np.array([[9.0, 9.0]]))[0].astype(float)
    darker = (empty - maze.render(place)[0]) / np.maximum(empty - 0.1 * 255, 1)
    axis = (np.arange(64) + 0.5) / 64 * 2 * HALF_M - HALF_M
    x = (darker.sum(0) * axis).sum() / darker.sum()
    y = (darker.sum(1) * axis[::-1]).sum() / darker.sum()
    np.testing.assert_allclose([x, y], place[0], atol=2 * HALF_M / 64 / 10)
    area = darker.sum() * (2 * HALF_M / 64) ** 2
    assert area == pytest.approx((2 * BLOCK_HALF_M) ** 2, rel=0.02)


def test_rollouts_are_the_same_every_time_and_between_neighbours():
    first, again, other = (random_rollouts(MAZES["table"], 40, 10, s) for s in (3, 3, 4))
    assert first.pictures.shape == (40, 11, 64, 64)
    assert first.pictures.dtype == np.uint8
    np.testing.assert_array_equal(first.pictures, again.pictures)
    assert not np.array_equal(first.pictures, other.pictures)
    for step in range(10):
        after = MAZES["table"].step(first.truth[:, step], first.moves[:, step])
        np.testing.assert_array_equal(after, first.truth[:, step + 1])
    assert set(np.unique(first.moves)) == set(range(8))
