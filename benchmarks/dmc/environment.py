"""The suite's tasks as the paper sees them: pictures, three in a row, and repeated actions."""

from collections.abc import Sequence

import numpy as np
from dm_control import suite

from benchmarks.dmc.tasks import RENDERED, STACKED, Task

# Of texels a side, in place of the suite's 2048: in software a picture then takes half the time,
# and pixels change by a tenth of a grey level in the mean.
_SHADOWS = 512


class Environment:
    """One task. Observations are ``uint8 [3,100,100,3]``, oldest picture first.

    An episode depends on its seed and the actions alone, so that a stopped training continues as
    if it had not been stopped. None ends but by its time: nothing is terminal.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self._suite = suite.load(task.domain, task.name)
        vision = self._suite.physics.model.vis
        vision.quality.shadowsize = _SHADOWS
        vision.global_.offwidth = vision.global_.offheight = RENDERED
        spec = self._suite.action_spec()
        self._low, self._high = spec.minimum, spec.maximum
        self.actions = int(spec.shape[0])
        self._stack = np.zeros((STACKED, RENDERED, RENDERED, 3), np.uint8)

    def reset(self, seed: Sequence[int]) -> np.ndarray:
        """The observation that an episode begins with: its first picture three times."""
        self._suite.task.random.seed(list(seed))
        self._suite.reset()
        self._stack = np.repeat(self._picture()[None], STACKED, axis=0)
        return self._stack

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool]:
        """The next observation, the rewards of all repeats together, and whether that was the last.

        action: ``[A]`` in [-1, 1], brought to the task's own range.
        """
        scaled = self._low + (np.asarray(action, np.float64) + 1) / 2 * (self._high - self._low)
        reward, over = 0.0, False
        for _ in range(self.task.repeat):
            moment = self._suite.step(scaled)
            reward += float(moment.reward)
            over = moment.last()
            if over:
                break
        self._stack = np.concatenate([self._stack[1:], self._picture()[None]])
        return self._stack, reward, over

    def _picture(self) -> np.ndarray:
        picture: np.ndarray = self._suite.physics.render(RENDERED, RENDERED, camera_id=0)
        return picture
