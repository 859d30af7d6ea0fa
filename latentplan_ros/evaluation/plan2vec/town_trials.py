"""Goals in a town, walked to by a metric with next to no search (Table 2, Figure 8)."""

from collections.abc import Callable

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from latentplan_ros.graph.search import Found, Heuristic, greedy

# Goal frame to the heuristic towards it.
Guide = Callable[[int], Heuristic]


def draw_tasks(
    edges: csr_matrix,
    count: int,
    seed: int,
    steps: tuple[int, int] = (1, 50),
    allowed: Callable[[int, int], bool] | None = None,
) -> list[tuple[int, int]]:
    """Starts and goals that between steps[0] and steps[1] steps of the graph join (Table 2: 50).

    allowed: which pairs count, where not all do. Raises ValueError where next to none are found.
    """
    rng, tasks = np.random.default_rng(seed), list[tuple[int, int]]()
    for _ in range(100 * count):
        start = int(rng.integers(edges.shape[0]))
        hops = dijkstra(edges, indices=start, unweighted=True)
        goals = np.flatnonzero((hops >= steps[0]) & (hops <= steps[1]))
        if allowed is not None:
            goals = np.array([goal for goal in goals if allowed(start, int(goal))], int)
        if len(goals):
            tasks.append((start, int(rng.choice(goals))))
        if len(tasks) == count:
            return tasks
    raise ValueError(f"{len(tasks)} of {count} tasks of {steps[0]} to {steps[1]} steps found")


def walk(
    edges: csr_matrix, tasks: list[tuple[int, int]], guide: Guide, lookahead: int, memory: int
) -> list[Found]:
    """Greedy search of each task; lookahead and memory 1 is the paper's 1-step planning.

    No place is gone on from twice, and a walk of twice as many steps as there are places fails.
    """
    most = 2 * edges.shape[0]
    return [
        greedy(edges, start, goal, guide(goal), lookahead, memory, most) for start, goal in tasks
    ]


def by_points(points: np.ndarray, p: float) -> Guide:
    """The l^p distance between points ``[N,D]``: of a map, of a VAE, or of the true places."""

    def towards(goal: int) -> Heuristic:
        apart = (np.abs(points - points[goal]) ** p).sum(1) ** (1.0 / p)
        return lambda frames: apart[frames]

    return towards


def at_random(seed: int) -> Guide:
    """Any neighbour is as good as another."""
    rng = np.random.default_rng(seed)
    return lambda goal: lambda frames: rng.random(len(frames))
