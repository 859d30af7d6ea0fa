"""Frames of recorded sequences as a graph: what followed what, what looks near (Plan2vec)."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra

_PAIRS = 50_000  # in one call of the metric
_FORMAT = "latentplan-frame-graph-1"
# A local metric: frames ``int64 [B]`` each to how far apart they are, ``float [B]``; 1 is a step.
Metric = Callable[[np.ndarray, np.ndarray], np.ndarray]


class GraphError(ValueError):
    """A graph that cannot be built, read or planned on; the message says what to change."""


@dataclass(frozen=True)
class FrameGraph:
    """Directed edges ``[N,N]``, from row to column, weighted by the local metric (section 2).

    recorded: the edges that really happened, ``bool [N,N]``; threshold: up to which other pairs are
    joined.
    """

    edges: csr_matrix
    recorded: csr_matrix
    threshold: float

    @classmethod
    def build(
        cls,
        count: int,
        steps: np.ndarray,
        lengths: np.ndarray,
        metric: Metric,
        threshold: float,
        candidates: np.ndarray | None,
    ) -> "FrameGraph":
        """Joins what a recorded step joins, and what the metric finds near.

        count: of frames; steps: from which frame to which, ``int64 [E,2]``, each once; lengths:
        their weights ``[E]``. candidates: which pairs to ask the metric about, ``int64 [P,2]``;
        None: all of them. Raises GraphError where the threshold joins nothing, or all that it was
        asked about.
        """
        recorded = coo_matrix((np.ones(len(steps), bool), tuple(steps.T)), (count, count)).tocsr()
        rows, columns, weights = [], [], []
        asked, nearest = 0, np.inf
        for chunk in _pairs(count, candidates):
            known = np.asarray(recorded[chunk[:, 0], chunk[:, 1]]).ravel()
            start, end = chunk[~known & (chunk[:, 0] != chunk[:, 1])].T
            if not len(start):
                continue
            apart = np.asarray(metric(start, end), float)
            near = apart <= threshold
            rows.append(start[near])
            columns.append(end[near])
            weights.append(apart[near].clip(0.0))
            asked, nearest = asked + len(start), min(nearest, float(apart.min()))
        joined = sum(map(len, rows))
        _require_a_choice(joined, asked, nearest, threshold)
        edges = coo_matrix(
            (
                np.concatenate([lengths, *weights]),
                (np.concatenate([steps[:, 0], *rows]), np.concatenate([steps[:, 1], *columns])),
            ),
            (count, count),
        )
        return cls(edges.tocsr(), recorded, threshold)

    @property
    def num_frames(self) -> int:
        return int(self.edges.shape[0])

    def components(self) -> np.ndarray:
        """Which part each frame is of, ``int32 [N]``: parts that no edge joins, largest first."""
        _, labels = connected_components(self.edges, directed=False)
        order = np.argsort(-np.bincount(labels), kind="stable")
        renamed = np.empty_like(order)
        renamed[order] = np.arange(len(order))
        return renamed[labels].astype(np.int32)

    def distances(self, starts: np.ndarray) -> np.ndarray:
        """Length of the shortest path from each of ``starts [S]`` to every frame, ``[S,N]``."""
        return np.asarray(dijkstra(self.edges, indices=starts))

    def path(self, start: int, goal: int) -> list[int]:
        """Frames of a shortest path, both ends included. Raises GraphError where there is none."""
        lengths, before = dijkstra(self.edges, indices=start, return_predecessors=True)
        if not np.isfinite(lengths[goal]):
            self._require_same_part(start, goal)
            raise GraphError(f"no path leads from frame {start} to frame {goal}, only back")
        path = [goal]
        while path[-1] != start:
            path.append(int(before[path[-1]]))
        return path[::-1]

    def _require_same_part(self, start: int, goal: int) -> None:
        parts = self.components()
        if parts[start] != parts[goal]:
            sizes = np.bincount(parts)
            raise GraphError(
                f"frames {start} and {goal} are in different parts of the graph, of "
                f"{sizes[parts[start]]} and {sizes[parts[goal]]} frames out of {self.num_frames}; "
                f"a threshold above {self.threshold:g} may join them"
            )

    def save(self, path: Path) -> None:
        """Writes the file whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".partial")
        matrices = {"edges": self.edges, "recorded": self.recorded}
        arrays = {f"{n}_{part}": getattr(m, part) for n, m in matrices.items() for part in _PARTS}
        try:
            save_file(arrays, partial, {"format": _FORMAT, "threshold": repr(self.threshold)})
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path) -> "FrameGraph":
        """What save wrote. Raises GraphError for any other file."""
        try:
            with safe_open(path, "numpy") as file:
                about = file.metadata() or {}
                if about.get("format") != _FORMAT:
                    raise ValueError(f"its format is {about.get('format')}")
                edges, recorded = (
                    _matrix(*(file.get_tensor(f"{name}_{part}") for part in _PARTS))
                    for name in ("edges", "recorded")
                )
            if edges.shape != recorded.shape:
                raise ValueError(f"{edges.shape} edges, {recorded.shape} recorded ones")
            return cls(edges, recorded.astype(bool), float(about["threshold"]))
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            reason = " ".join(str(error).split())
            raise GraphError(f"{path} is not a graph of frames: {reason}") from None


_PARTS = ("data", "indices", "indptr")


def _matrix(data: np.ndarray, indices: np.ndarray, indptr: np.ndarray) -> csr_matrix:
    """A square one. Raises ValueError where its parts do not belong together."""
    size = len(indptr) - 1
    if indices.dtype.kind != "i" or indptr.dtype.kind != "i":
        raise ValueError("indices that are no whole numbers")
    matrix = csr_matrix((data, indices, indptr), (size, size))
    matrix.check_format(full_check=True)
    if data.dtype.kind == "f" and not (np.isfinite(data) & (data >= 0)).all():
        raise ValueError("weights below 0, or not finite")
    return matrix


def _pairs(count: int, candidates: np.ndarray | None) -> Iterator[np.ndarray]:
    """Pairs to ask about, ``int64 [B,2]``, some at a time."""
    if candidates is not None:
        for first in range(0, len(candidates), _PAIRS):
            yield candidates[first : first + _PAIRS]
        return
    everything = np.arange(count)
    rows = max(1, _PAIRS // count)
    for frames in np.split(everything, range(rows, count, rows)):
        pairs = np.meshgrid(frames, everything, indexing="ij")
        yield np.stack(pairs, axis=-1).reshape(-1, 2)


def _require_a_choice(joined: int, asked: int, nearest: float, threshold: float) -> None:
    """Raises GraphError where the threshold tells nothing apart."""
    if asked and not joined:
        raise GraphError(
            f"threshold {threshold:g} joins none of {asked} pairs; the nearest are {nearest:.3g} "
            "apart by the local metric: raise it"
        )
    if asked > 1 and joined == asked:
        raise GraphError(
            f"threshold {threshold:g} joins all of {asked} pairs, so that it tells nothing apart: "
            "lower it, or ask about more candidates"
        )
