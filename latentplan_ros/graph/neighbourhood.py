"""What a few hops from a frame lead to, breadth first."""

import numpy as np
from scipy.sparse import csr_matrix


def neighbourhood(
    edges: csr_matrix, frame: int, hops: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frames within ``hops`` of ``frame``, itself aside, fewest hops first.

    Returns the frames ``int64 [M]``, the length of the way to each ``[M]`` (the shortest of those
    with the fewest hops), and how many hops that is ``int64 [M]``.
    """
    reached = np.full(edges.shape[0], np.inf)
    reached[frame] = 0.0
    level = np.array([frame])
    frames, lengths, depths = [level[:0]], [reached[:0]], [level[:0]]
    for depth in range(1, hops + 1):
        rows = edges[level]
        onward = np.repeat(reached[level], np.diff(rows.indptr)) + rows.data
        new = ~np.isfinite(reached[rows.indices])
        np.minimum.at(reached, rows.indices[new], onward[new])
        level = np.unique(rows.indices[new]).astype(np.int64)
        frames.append(level)
        lengths.append(reached[level])
        depths.append(np.full(len(level), depth))
    return np.concatenate(frames), np.concatenate(lengths), np.concatenate(depths)
