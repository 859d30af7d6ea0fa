"""What a representation finds alike: pictures beside their nearest ones of other episodes."""

import numpy as np
import torch

_GAP = 2  # pixels between pictures; more of them behind the first


def nearest(
    gallery: torch.Tensor, episode: np.ndarray, queries: torch.Tensor, count: int
) -> np.ndarray:
    """Rows ``int64 [Q,count]`` of gallery ``[N,D]`` by l2 to queries ``[Q,D]``, nearest first.

    One a gallery's episode ``[N]``: the frames before and after it would look the same.
    """
    rows = torch.cdist(queries, gallery).argsort(dim=1, stable=True).numpy()
    found = []
    for row in rows:
        _, first = np.unique(episode[row], return_index=True)
        found.append(row[np.sort(first)[:count]])
    return np.stack(found)


def sheet(queries: np.ndarray, neighbours: np.ndarray) -> np.ndarray:
    """Queries ``uint8 [Q,S,S,3]``, one a row, and to their right ``[Q,C,S,S,3]``; ``[H,W,3]``."""
    rows = []
    for query, found in zip(queries, neighbours, strict=True):
        first, *others = [_padded(picture, _GAP, _GAP) for picture in (query, *found)]
        rows.append(np.hstack([_padded(first, 0, 4 * _GAP), *others]))
    return np.vstack(rows)


def _padded(picture: np.ndarray, around: int, right: int) -> np.ndarray:
    """White on every side of it; right: how much there."""
    sides = (around, around), (around, right), (0, 0)
    return np.pad(picture, sides, constant_values=255)
