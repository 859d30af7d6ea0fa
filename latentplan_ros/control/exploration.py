"""The random policy that fills offline datasets (MBOLD A.3; filter of Nagabandi et al. 2020)."""

from collections.abc import Sequence

import numpy as np


class SmoothedRandomPolicy:
    """Zero-mean Gaussian actions smoothed over time: a_t = beta eps_t + (1 - beta) a_(t-1).

    std: standard deviation of eps in each of the 4 action dimensions, [-1, 1] units.
    """

    def __init__(self, std: Sequence[float], beta: float = 0.5) -> None:
        self.std = np.asarray(std, np.float64)
        self.beta = beta
        self.reset(np.random.default_rng())

    def reset(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._last = self._rng.normal(0.0, self.std)

    def act(self) -> np.ndarray:
        """Next action, ``float32 [4]`` in [-1, 1]."""
        noise = self._rng.normal(0.0, self.std)
        self._last = self.beta * noise + (1.0 - self.beta) * self._last
        return np.clip(self._last, -1.0, 1.0).astype(np.float32)
