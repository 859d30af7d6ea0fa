"""How many pairs of pictures a local metric tells right (Table 5)."""

from dataclasses import dataclass

import numpy as np

from latentplan_ros.data.sequences import Sequences
from latentplan_ros.graph.frame_graph import Metric
from latentplan_ros.learning.plan2vec.local import neighbours

_MOST = 5000  # neighbours looked at


@dataclass(frozen=True)
class Pairs:
    """Identical, neighbouring and far pairs as 1 : 1 : 2, ``int64 [P,2]`` each."""

    same: np.ndarray
    near: np.ndarray
    far: np.ndarray

    @classmethod
    def draw(
        cls,
        sequences: Sequences,
        span: int,
        rng: np.random.Generator,
        step_m: float | None = None,
    ) -> "Pairs":
        """Neighbours as recorded, far pairs at random.

        A random pair may be near all the same, and counts as far as in the paper. With step_m, of
        sequences whose truth is a place, far pairs are those that truly are further apart.
        """
        count = len(sequences.pictures)
        near = rng.permutation(neighbours(sequences, span))[:_MOST]
        far = rng.integers(count, size=(8 * len(near), 2))
        if step_m is None:
            far = far[far[:, 0] != far[:, 1]]
        else:
            assert sequences.truth is not None
            apart = np.linalg.norm(sequences.truth[far[:, 0]] - sequences.truth[far[:, 1]], axis=1)
            far = far[apart > step_m]
        same = rng.integers(count, size=(len(near), 1)).repeat(2, axis=1)
        return cls(same, near, far[: 2 * len(near)])

    def share_right(self, metric: Metric, threshold: float) -> float:
        """Of all pairs; right is a metric above the threshold for far ones and for no others."""
        right = [
            (metric(*pairs.T) <= threshold) == near
            for pairs, near in ((self.same, True), (self.near, True), (self.far, False))
        ]
        return float(np.concatenate(right).mean())


def share_right(pairs: Pairs, features: np.ndarray, threshold: float) -> float:
    """Of a Siamese metric, by its features ``[N,D]``."""
    return pairs.share_right(
        lambda start, end: np.linalg.norm(features[start] - features[end], axis=1), threshold
    )
