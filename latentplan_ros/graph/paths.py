"""Shortest paths over edges that are short enough to be believed."""

import numpy as np
from scipy.sparse import bmat, coo_matrix, csr_matrix
from scipy.sparse.csgraph import dijkstra


def within(distances: np.ndarray, limit: float) -> csr_matrix:
    """An edge for each distance ``[N,M]`` that is finite and at most ``limit``; 0 is one too."""
    rows, columns = np.nonzero(np.isfinite(distances) & (distances <= limit))
    return coo_matrix((distances[rows, columns], (rows, columns)), distances.shape).tocsr()


def steps_to(edges: csr_matrix, arrivals: csr_matrix) -> np.ndarray:
    """Length of the shortest path from each node to each goal, ``float64 [N,M]``; inf: no path.

    edges: ``[N,N]``, from row to column; arrivals: ``[N,M]``, the last edge of a path to a goal.
    """
    nodes, goals = arrivals.shape
    # Backwards from the goals, so that the search is one a goal and not one a node.
    whole = bmat([[edges, arrivals], [None, csr_matrix((goals, goals))]], format="csr")
    return dijkstra(whole.T.tocsr(), indices=np.arange(nodes, nodes + goals))[:, :nodes].T
