"""Plans of a graph to look at, from short to long."""

from dataclasses import dataclass

import numpy as np

from latentplan_ros.learning.plan2vec.learned import Learned

_SHARES = (0.4, 0.6, 0.8, 1.0)  # of the way to what is furthest from a start: a plan each


@dataclass(frozen=True)
class Plan:
    """A shortest path.

    frames: start to goal, T of them; length: of the path, in steps; scores: of each hop by the
    local metric ``[T-1]``; recorded: whether a hop really happened, ``bool [T-1]``.
    """

    frames: list[int]
    length: float
    scores: np.ndarray
    recorded: np.ndarray


def some_plans(learned: Learned, rng: np.random.Generator) -> list[Plan]:
    """From random pictures of the largest part; fewer where nothing leads on from a picture."""
    graph = learned.graph
    starts = rng.permutation(np.flatnonzero(graph.components() == 0))[: len(_SHARES)]
    plans = []
    for share, start in zip(_SHARES, starts.tolist(), strict=False):
        lengths = graph.distances(np.array([start]))[0]
        furthest = lengths[np.isfinite(lengths)].max()
        goal = int(np.abs(lengths - share * furthest).argmin())
        if goal != start:
            plans.append(_plan(learned, graph.path(start, goal), float(lengths[goal])))
    return plans


def _plan(learned: Learned, frames: list[int], length: float) -> Plan:
    features = learned.map.features(learned.sequences.pictures[frames])
    recorded = learned.graph.recorded[frames[:-1], frames[1:]]
    return Plan(
        frames,
        length,
        np.linalg.norm(np.diff(features, axis=0), axis=1),
        np.asarray(recorded).ravel().astype(bool),
    )
