"""Goals in a maze, reached by hopping from picture to picture that a metric finds nearer (Table 1).

The block stands somewhere and is seen by the camera. Of the recorded pictures that the local metric
finds near, and the goal's where that is near, one is chosen, and the block goes towards the place
shown there: one step at most and never through a wall, so that a worm hole leads nowhere. Pictures,
never places, choose; places only carry it out and judge.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial.distance import cdist

from latentplan_ros.sim.worlds.maze import STEP_M, SUBSTEPS, Maze

STEPS = 20
_ONE_MORE = ((0, 0), (0, 1))  # column
# How far recorded pictures seem to be from goals: goal pictures ``uint8 [E,64,64]`` to ``[E,N]``.
Score = Callable[[np.ndarray], np.ndarray]
Features = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Hops:
    """What can be hopped to.

    recorded: local features of the pictures ``[N,D]``; places: where they show the block
    ``[N,2]``; features: pictures to local features; threshold: up to which l2 between features is
    near; edges: of the graph ``[N,N]``, for looking more than one step ahead.
    """

    recorded: np.ndarray
    places: np.ndarray
    features: Features
    threshold: float
    edges: csr_matrix


def draw_trials(maze: Maze, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Starts and goals ``float64 [count,2]`` each; no goal is reached by doing nothing."""
    rng = np.random.default_rng(seed)
    starts, goals = maze.draw_places(rng, count), maze.draw_places(rng, count)
    while True:
        done = np.linalg.norm(starts - goals, axis=1) <= maze.success_m
        if not done.any():
            return starts, goals
        goals[done] = maze.draw_places(rng, int(done.sum()))


def try_maze(
    maze: Maze,
    hops: Hops,
    score: Score | None,
    starts: np.ndarray,
    goals: np.ndarray,
    lookahead: int = 1,
    seed: int = 0,
) -> np.ndarray:
    """The way of each block, ``float64 [E,STEPS+1,2]``; it stays where it has reached its goal.

    score: None hops at random. lookahead: the best picture within so many hops decides, and the
    first hop on the way there is taken.
    """
    rng, count = np.random.default_rng(seed), len(hops.recorded)
    pictures = maze.render(goals)
    at_goal = hops.features(pictures)
    # The goal's own picture is the last column; nothing is nearer to it.
    apart = np.pad(np.zeros((len(goals), count)) if score is None else score(pictures), _ONE_MORE)
    apart[:, -1] = -np.inf
    way = [starts]
    for _ in range(STEPS):
        here = way[-1]
        seen = hops.features(maze.render(here))
        near = np.pad(cdist(seen, hops.recorded) <= hops.threshold, _ONE_MORE)
        near[:, -1] = np.linalg.norm(seen - at_goal, axis=1) <= hops.threshold
        if score is None:
            apart = rng.random(near.shape)
        chosen = np.array(
            [_first_hop(hops.edges, *of, lookahead) for of in zip(near, apart, strict=True)]
        )
        targets = np.where(
            (chosen == count)[:, None], goals, hops.places[np.minimum(chosen, count - 1)]
        )
        going = near.any(1) & (np.linalg.norm(here - goals, axis=1) > maze.success_m)
        way.append(np.where(going[:, None], _towards(maze, here, targets), here))
    return np.stack(way, axis=1)


def reached(maze: Maze, way: np.ndarray, goals: np.ndarray) -> np.ndarray:
    """Whether each way ``[E,T,2]`` ends at its goal, ``bool [E]``."""
    return np.asarray(np.linalg.norm(way[:, -1] - goals, axis=1) <= maze.success_m)


def _first_hop(edges: csr_matrix, near: np.ndarray, apart: np.ndarray, lookahead: int) -> int:
    """Of the pictures that are near, ``bool [N+1]``, the one on the way to the best."""
    if lookahead == 1 or near[-1]:
        return int(np.where(near, apart, np.inf).argmin())
    levels = [near[:-1]]
    seen = levels[0].copy()
    for _ in range(lookahead - 1):
        following = (edges.T @ levels[-1] > 0) & ~seen
        seen |= following
        levels.append(following)
    best = int(np.where(seen, apart[:-1], np.inf).argmin())
    depth = next(level for level, frames in enumerate(levels) if frames[best])
    for frames in levels[depth - 1 :: -1] if depth else ():
        before = np.flatnonzero(frames & (edges[:, [best]].toarray().ravel() > 0))
        best = int(before[np.argmin(apart[before])])
    return best


def _towards(maze: Maze, here: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """One step at most, along what is in the way."""
    offset = targets - here
    length = np.linalg.norm(offset, axis=1, keepdims=True)
    part = offset * np.minimum(1.0, STEP_M / np.maximum(length, 1e-12)) / SUBSTEPS
    return maze.slide(here, part)
