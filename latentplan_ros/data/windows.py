"""Windows of consecutive frames, drawn uniformly or where the model is most wrong."""

import numpy as np

from latentplan_ros.data.dataset import Dataset, DatasetError


class Windows:
    """Start frames from which ``horizon`` further steps stay inside one episode.

    The share ``favoured`` of each draw is proportional to the last error seen at a start, the rest
    uniform: contact is rare in random data, and a mean loss over uniform draws ignores it. Raises
    DatasetError when no episode is long enough.
    """

    def __init__(
        self, dataset: Dataset, episodes: np.ndarray, horizon: int, favoured: float = 0.5
    ) -> None:
        starts, ends = dataset.episode_starts[episodes], dataset.episode_ends[episodes]
        self.starts = dataset.frames(episodes, before_end=horizon)
        if not len(self.starts):
            longest = int((ends - starts).max(initial=0))
            raise DatasetError(
                f"{dataset.path}: no episode has the {horizon + 1} frames that a horizon of "
                f"{horizon} steps needs; the longest has {longest}"
            )
        self._first = np.isin(self.starts, starts)
        self._action, self._horizon, self._favoured = dataset.action, horizon, favoured
        self.priority = np.ones(len(self.starts))

    def actions(self, rows: np.ndarray) -> np.ndarray:
        """``float32 [B, horizon + 1, 4]``: the action that led to each window, then those in it.

        Before an episode's first frame the arm was at rest: zero.
        """
        starts = self.starts[rows]
        actions = self._action[starts[:, None] + np.arange(-1, self._horizon)]
        actions[self._first[rows], 0] = 0.0
        return actions

    def draw(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Row numbers into ``starts``, ``int64 [count]``."""
        wrong = int(self._favoured * count)
        uniform = rng.integers(len(self.starts), size=count - wrong)
        if not wrong:
            return uniform
        cumulative = np.cumsum(self.priority)
        favoured = np.searchsorted(cumulative, rng.random(wrong) * cumulative[-1], side="right")
        return np.concatenate([uniform, np.minimum(favoured, len(self.starts) - 1)])

    def report(self, rows: np.ndarray, errors: np.ndarray) -> None:
        """Errors just seen at these rows."""
        self.priority[rows] = np.maximum(errors, 1e-6)
