"""Heuristic search that counts what it costs: Dijkstra, A*, and greedy within a memory limit."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

# Frames ``int64 [B]`` to an estimate of how far each is from the goal, ``float [B]``.
Heuristic = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Found:
    """path: frames from start to goal, empty where none was found; length: sum of its edges;
    expansions: frames whose neighbours were looked at.
    """

    path: list[int]
    length: float
    expansions: int


def a_star(edges: csr_matrix, start: int, goal: int, heuristic: Heuristic) -> Found:
    """The shortest path, where the heuristic never says more than there is left to go.

    With one that is always 0 it is Dijkstra's algorithm. A frame is expanded again where a shorter
    way to it turns up later, which happens with learned heuristics.
    """
    length, parent = {start: 0.0}, {start: start}
    left = {start: float(heuristic(np.array([start]))[0])}
    queue = [(left[start], start, 0.0)]
    expansions = 0
    while queue:
        _, frame, reached = heapq.heappop(queue)
        if reached > length[frame]:
            continue  # a shorter way was found since
        if frame == goal:
            return Found(_back(parent, goal), reached, expansions)
        expansions += 1
        neighbours, weights = _neighbours(edges, frame)
        unknown = [n for n in neighbours.tolist() if n not in left]
        if unknown:
            left |= zip(unknown, np.asarray(heuristic(np.array(unknown)), float), strict=True)
        for neighbour, weight in zip(neighbours.tolist(), weights.tolist(), strict=True):
            onward = reached + weight
            if onward < length.get(neighbour, np.inf):
                length[neighbour], parent[neighbour] = onward, frame
                heapq.heappush(queue, (onward + left[neighbour], neighbour, onward))
    return Found([], np.inf, expansions)


def dijkstra(edges: csr_matrix, start: int, goal: int) -> Found:
    """Without any idea of where the goal is."""
    return a_star(edges, start, goal, lambda frames: np.zeros(len(frames)))


def greedy(
    edges: csr_matrix,
    start: int,
    goal: int,
    heuristic: Heuristic,
    lookahead: int = 1,
    memory: int = 1,
    most: int = 10_000,
) -> Found:
    """Always on from the frame that looks nearest to the goal; not the shortest path.

    lookahead: steps within which frames are looked at from each, breadth first, every one of them
    an expansion but the last; memory: how many frames to go on from are kept (1: Plan2vec's 1-step
    planning, section 5.3). No frame is gone on from twice. Gives up after ``most`` expansions.
    """
    parent, length = {start: start}, {start: 0.0}
    queue, done, expansions = [(0.0, start)], set(), 0
    while queue and expansions < most:
        _, frame = queue.pop(0)
        if frame == goal:
            return Found(_back(parent, goal), length[goal], expansions)
        done.add(frame)
        level, seen = [frame], list[int]()
        for _ in range(lookahead):
            following = []
            for here in level:
                expansions += 1
                neighbours, weights = _neighbours(edges, here)
                for neighbour, weight in zip(neighbours.tolist(), weights.tolist(), strict=True):
                    if neighbour not in parent:
                        parent[neighbour], length[neighbour] = here, length[here] + weight
                        following.append(neighbour)
            level, seen = following, seen + following
        if goal in parent:
            return Found(_back(parent, goal), length[goal], expansions)
        if seen:
            apart = np.asarray(heuristic(np.array(seen)), float)
            queue = sorted([*queue, *zip(apart.tolist(), seen, strict=True)])
        queue = [entry for entry in queue if entry[1] not in done][:memory]
    return Found([], np.inf, expansions)


def _neighbours(edges: csr_matrix, frame: int) -> tuple[np.ndarray, np.ndarray]:
    row = slice(edges.indptr[frame], edges.indptr[frame + 1])
    return edges.indices[row], edges.data[row]


def _back(parent: dict[int, int], goal: int) -> list[int]:
    path = [goal]
    while parent[path[-1]] != path[-1]:
        path.append(parent[path[-1]])
    return path[::-1]
