"""Goals drawn uniformly from what came later in the episode (MBOLD B.3 and C.2)."""

import numpy as np

from latentplan_ros.data.dataset import Dataset
from latentplan_ros.data.goals import Transitions


class FutureSampler:
    """State uniform over all frames that have a later one, goal uniform over the later ones."""

    def __init__(self, dataset: Dataset, episodes: np.ndarray) -> None:
        starts, ends = dataset.episode_starts[episodes], dataset.episode_ends[episodes]
        self._states = dataset.frames(episodes, before_end=1)
        self._left = np.repeat(ends - 1, ends - starts - 1) - self._states

    def draw(self, rng: np.random.Generator, count: int) -> Transitions:
        rows = rng.integers(len(self._states), size=count)
        steps = rng.integers(1, self._left[rows], endpoint=True)
        return Transitions(self._states[rows], self._states[rows] + steps, steps)
