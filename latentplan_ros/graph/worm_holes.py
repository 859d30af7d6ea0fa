"""Edges that the local metric may have got wrong: short cuts that many shortest paths take."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse.csgraph import dijkstra

from latentplan_ros.graph.frame_graph import FrameGraph


@dataclass(frozen=True)
class WormHole:
    """An edge that was not recorded.

    carried: of the shortest paths looked at, the share that takes it; detour: length of the way
    round without it, inf where there is none.
    """

    start: int
    end: int
    carried: float
    detour: float


def worm_holes(
    graph: FrameGraph, rng: np.random.Generator, sources: int = 64, most: int = 10
) -> list[WormHole]:
    """The edges to judge by eye, worst first: many paths times how much each is shortened.

    sources: frames from which all shortest paths are looked at.
    """
    starts = rng.choice(graph.num_frames, min(sources, graph.num_frames), replace=False)
    lengths, before = dijkstra(graph.edges, indices=starts, return_predecessors=True)
    carried: dict[tuple[int, int], int] = {}
    total = 0
    for row, length in zip(before, lengths, strict=True):
        reached = np.flatnonzero(np.isfinite(length) & (row >= 0))
        total += len(reached)
        through = np.zeros(graph.num_frames, np.int64)
        # Far ones first: what passes through a frame is known before its own way is counted.
        for frame in reached[np.argsort(-length[reached], kind="stable")]:
            through[frame] += 1
            parent = row[frame]
            through[parent] += through[frame]
            if not graph.recorded[parent, frame]:
                edge = (int(parent), int(frame))
                carried[edge] = carried.get(edge, 0) + int(through[frame])
    busiest = sorted(carried, key=lambda edge: -carried[edge])[: 5 * most]
    found = [WormHole(*edge, carried[edge] / total, _detour(graph, *edge)) for edge in busiest]
    return sorted(found, key=lambda hole: -hole.carried * hole.detour)[:most]


def _detour(graph: FrameGraph, start: int, end: int) -> float:
    """Length of the shortest path beside the edge."""
    edges = graph.edges.copy()
    row = slice(edges.indptr[start], edges.indptr[start + 1])
    edges.data[row][edges.indices[row] == end] = np.inf
    return float(dijkstra(edges, indices=start)[end])
