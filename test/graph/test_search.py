"""Searches: A* is never longer than any path, a good heuristic spares work, greedy ends."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra as exact

from latentplan_ros.graph.search import a_star, dijkstra, greedy

SIDE = 15


def grid():
    """A square of streets, each one long both ways."""
    edges = np.zeros((SIDE * SIDE, SIDE * SIDE))
    for x in range(SIDE):
        for y in range(SIDE):
            for dx, dy in ((0, 1), (1, 0)):
                if x + dx < SIDE and y + dy < SIDE:
                    a, b = x * SIDE + y, (x + dx) * SIDE + y + dy
                    edges[a, b] = edges[b, a] = 1.0
    return csr_matrix(edges)


GRID = grid()


def manhattan(goal):
    return lambda frames: np.abs(
        np.stack(np.divmod(frames, SIDE)) - [[goal // SIDE], [goal % SIDE]]
    ).sum(0)


@given(seed=st.integers(0, 2**32), nodes=st.integers(2, 12), share=st.floats(0.05, 0.6))
def test_no_path_is_shorter_and_none_is_overlooked(seed, nodes, share):
    rng = np.random.default_rng(seed)
    weights = np.where(rng.random((nodes, nodes)) < share, rng.integers(1, 9, (nodes, nodes)), 0)
    edges = csr_matrix(weights.astype(float))
    truth = exact(edges)
    start, goal = rng.integers(nodes, size=2)
    noise = rng.random(nodes)  # admissible, but not consistent
    for found in (
        dijkstra(edges, start, goal),
        a_star(edges, start, goal, lambda f: (noise * np.minimum(truth[:, goal], 99))[f]),
    ):
        assert found.length == truth[start, goal]
        if np.isfinite(found.length):
            assert (found.path[0], found.path[-1]) == (start, goal)
            steps = [weights[a, b] for a, b in pairwise(found.path)]
            assert min(steps, default=1) > 0
            assert sum(steps) == found.length
        else:
            assert found.path == []


def test_a_heuristic_spares_expansions():
    start, goal = 0, SIDE * SIDE - 1
    blind = dijkstra(GRID, start, goal)
    led = greedy(GRID, start, goal, manhattan(goal))
    assert blind.length == led.length == 2 * (SIDE - 1)
    assert blind.expansions > 0.9 * SIDE * SIDE
    assert led.expansions == 2 * (SIDE - 1), "one a step"
    assert a_star(GRID, start, goal, manhattan(goal)).expansions <= blind.expansions


def test_a_start_that_is_the_goal_costs_nothing():
    for found in (dijkstra(GRID, 7, 7), greedy(GRID, 7, 7, manhattan(7))):
        assert (found.path, found.length, found.expansions) == ([7], 0.0, 0)


@given(
    seed=st.integers(0, 2**32),
    lookahead=st.integers(1, 3),
    memory=st.integers(1, 10),
    goal=st.integers(0, SIDE * SIDE - 1),
)
def test_greedy_ends_and_its_path_is_one(seed, lookahead, memory, goal):
    guess = np.random.default_rng(seed).random(SIDE * SIDE)
    found = greedy(GRID, 0, goal, lambda f: guess[f], lookahead, memory)
    if found.path:
        assert (found.path[0], found.path[-1]) == (0, goal)
        assert len(found.path) - 1 == found.length
        assert all(GRID[a, b] == 1.0 for a, b in pairwise(found.path))
    else:
        assert found.length == np.inf


def test_more_memory_leads_out_of_a_dead_end():
    """The way that looks best ends; only who kept another can go back."""
    edges = np.zeros((6, 6))
    for a, b in ((0, 1), (1, 2), (0, 3), (3, 4), (4, 5)):
        edges[a, b] = 1.0
    looks = np.array([5.0, 1.0, 1.0, 4.0, 4.0, 0.0])
    short, long = (greedy(csr_matrix(edges), 0, 5, lambda f: looks[f], memory=m) for m in (1, 2))
    assert short.path == []
    assert long.path == [0, 3, 4, 5]


@pytest.mark.parametrize("lookahead", [2, 3])
def test_looking_further_costs_more_and_sees_more(lookahead):
    goal = SIDE - 1
    near, far = (
        greedy(GRID, 0, goal, manhattan(goal), lookahead=ahead) for ahead in (1, lookahead)
    )
    assert near.length == far.length == SIDE - 1
    assert far.expansions > near.expansions
