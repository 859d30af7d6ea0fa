"""Recorded situations as nodes, joined where a learned distance says that they are close."""

from collections.abc import Callable

import numpy as np
import torch

from latentplan_ros.graph.paths import steps_to, within

_PAIRS = 50_000  # pairs in one call of the distance


class ImageGraph:
    """Latents ``states [N,D]``, with an edge from one to another within ``limit`` of it.

    distance: ``[B,D]`` and ``[B,D]`` to ``[B]``, in any unit in which limit is given. Beyond limit
    it is not believed: further apart is what the shortest path says.
    """

    def __init__(
        self,
        distance: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
        states: torch.Tensor,
        limit: float,
    ) -> None:
        self.distance, self.states, self.limit = distance, states, limit
        apart = self._pairwise(states, states)
        np.fill_diagonal(apart, np.inf)
        self.edges = within(apart, limit)

    def remaining(self, goals: torch.Tensor) -> np.ndarray:
        """Length of the way from each node to each of ``goals [E,D]``, ``[N,E]``; inf: no way."""
        return steps_to(self.edges, within(self._pairwise(self.states, goals), self.limit))

    def next_nodes(
        self, states: torch.Tensor, remaining: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The node to make for from each of ``states [E,D]``, and the length of the way through it.

        remaining: of their goals, ``[N,E]``. Returns ``int64 [E]`` and ``float64 [E]``; where no
        way leads to the goal the length is inf and the node means nothing.
        """
        first = self._pairwise(states, self.states)
        through = np.where(first <= self.limit, first, np.inf) + remaining.T
        nodes = through.argmin(axis=1)
        return nodes, through[np.arange(len(nodes)), nodes]

    @torch.inference_mode()
    def _pairwise(self, starts: torch.Tensor, ends: torch.Tensor) -> np.ndarray:
        """Distance of every pair, ``float64 [len(starts), len(ends)]``."""
        rows = []
        for chunk in starts.split(max(1, _PAIRS // len(ends))):
            pairs = chunk.repeat_interleave(len(ends), 0), ends.repeat(len(chunk), 1)
            rows.append(self.distance(*pairs).reshape(len(chunk), len(ends)).cpu())
        return torch.cat(rows).double().numpy()
