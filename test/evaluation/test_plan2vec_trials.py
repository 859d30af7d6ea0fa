"""Trials in mazes and towns, judged with metrics whose worth is known."""

import numpy as np
import pytest
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial.distance import cdist

from latentplan_ros.evaluation.plan2vec.maze_trials import (
    STEPS,
    Hops,
    draw_trials,
    reached,
    try_maze,
)
from latentplan_ros.evaluation.plan2vec.town_trials import at_random, by_points, draw_tasks, walk
from latentplan_ros.sim.worlds.maze import MAZES, STEP_M

PLACES = {name: maze.draw_places(np.random.default_rng(0), 1500) for name, maze in MAZES.items()}


def where(pictures):
    """Reads the block's place from pictures, in steps: a metric that is the truth."""
    dark = (pictures < 60).astype(float)
    axis = (np.arange(64) + 0.5) / 64 * 0.6 - 0.3
    total = dark.sum((1, 2))
    x, y = (dark * axis).sum((1, 2)) / total, (dark * axis[::-1, None]).sum((1, 2)) / total
    return np.stack([x, y], axis=1) / STEP_M


def hops(name, threshold=1.0):
    places = PLACES[name]
    apart = cdist(places, places) / STEP_M
    near = (apart <= threshold) & (apart > 0)
    return Hops(places / STEP_M, places, where, threshold, csr_matrix(apart * near))


def to_goal(name, edges):
    """Length of the shortest path to the picture that is nearest to the goal's."""

    def score(goals):
        nearest = cdist(where(goals), PLACES[name] / STEP_M).argmin(1)
        return dijkstra(edges.T.tocsr(), indices=nearest)

    return score


@pytest.mark.parametrize("name", ["open", "cmaze"])
def test_shortest_paths_lead_to_the_goal_and_looks_alone_do_not(name):
    maze, room = MAZES[name], hops(name)
    starts, goals = draw_trials(maze, 30, 1_000_000)
    right = reached(maze, try_maze(maze, room, to_goal(name, room.edges), starts, goals), goals)
    assert right.mean() > 0.9
    at_random_ = reached(maze, try_maze(maze, room, None, starts, goals), goals)
    assert at_random_.mean() < 0.5
    if name == "cmaze":
        straight = lambda pictures: cdist(where(pictures), room.recorded)  # noqa: E731
        greedy = reached(maze, try_maze(maze, room, straight, starts, goals), goals)
        assert greedy.mean() < right.mean(), "the wall is in the way"


def test_no_block_goes_through_a_wall_or_further_than_a_step():
    """Even where the local metric takes everything for near."""
    maze, room = MAZES["cmaze"], hops("cmaze")
    deceived = Hops(room.recorded, room.places, room.features, 1e9, room.edges)
    starts, goals = draw_trials(maze, 20, 1_000_001)
    way = try_maze(maze, deceived, None, starts, goals)
    assert way.shape == (20, STEPS + 1, 2)
    assert maze.free(way.reshape(-1, 2)).all()
    assert (np.linalg.norm(np.diff(way, axis=1), axis=-1) <= STEP_M + 1e-9).all()


def test_looking_further_ahead_helps_a_metric_that_knows_little():
    maze, room = MAZES["cmaze"], hops("cmaze")
    starts, goals = draw_trials(maze, 30, 1_000_002)
    saturated = lambda p: np.minimum(cdist(where(p), room.recorded), 3.0)  # noqa: E731
    one, five = (
        reached(maze, try_maze(maze, room, saturated, starts, goals, k), goals).mean()
        for k in (1, 5)
    )
    assert five > one + 0.2


def test_trials_are_the_same_every_time_and_none_begins_at_its_goal():
    maze = MAZES["open"]
    first, again = (draw_trials(maze, 200, 1_000_000) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (np.linalg.norm(first[0] - first[1], axis=1) > maze.success_m).all()


def grid(size=12):
    """Streets of a chessboard, both ways, and where the crossings are."""
    places = np.indices((size, size)).reshape(2, -1).T.astype(float)
    near = cdist(places, places) == 1.0
    return csr_matrix(near.astype(float)), places


def test_a_town_is_walked_by_what_knows_it():
    edges, places = grid()
    tasks = draw_tasks(edges, 40, 1_000_000, (1, 15))
    assert all(1 <= np.abs(places[a] - places[b]).sum() <= 15 for a, b in tasks)
    knowing = walk(edges, tasks, by_points(places, 1.0), 1, 1)
    for (start, goal), way in zip(tasks, knowing, strict=True):
        assert (way.path[0], way.path[-1]) == (start, goal)
        assert way.length == np.abs(places[start] - places[goal]).sum()
        assert way.expansions == len(way.path) - 1, "one expansion a step"
    lost = walk(edges, tasks, at_random(0), 1, 1)
    assert np.mean([bool(way.path) for way in lost]) < 0.6


def test_only_allowed_tasks_are_drawn_and_their_lack_is_said():
    edges, places = grid()
    far = lambda a, b: abs(places[a] - places[b]).sum() > 10  # noqa: E731
    assert all(far(*task) for task in draw_tasks(edges, 10, 1_000_000, (1, 50), far))
    lonely = coo_matrix((5, 5)).tocsr()
    with pytest.raises(ValueError, match="0 of 3 tasks of 1 to 50 steps found"):
        draw_tasks(lonely, 3, 1_000_000)
