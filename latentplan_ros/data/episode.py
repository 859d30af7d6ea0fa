"""One recorded episode in memory."""

from dataclasses import dataclass

import numpy as np


class EpisodeError(ValueError):
    """An episode's arrays do not fit together or hold non-finite numbers."""


@dataclass(frozen=True)
class Episode:
    """``image uint8 [T,S,S,3]``; ``action [T,4]``, ``state [T,J]`` and ``truth [T,K]``, float32.

    action[t] leads from image[t] to image[t+1]; the last row is zero and unused. state holds joint
    positions (rad, m) and the end-effector position (m, base frame). truth holds simulator ground
    truth and is read by evaluation alone; None for recordings of a real robot.
    """

    image: np.ndarray
    action: np.ndarray
    state: np.ndarray
    truth: np.ndarray | None = None

    def __post_init__(self) -> None:
        length = len(self.image)
        if length < 2:
            raise EpisodeError(f"an episode needs at least 2 frames, this one has {length}")
        if self.image.dtype != np.uint8 or self.image.ndim != 4 or self.image.shape[3] != 3:
            raise EpisodeError(
                f"image must be uint8 [T,H,W,3], not {self.image.dtype} {self.image.shape}"
            )
        arrays = {"action": self.action, "state": self.state}
        if self.truth is not None:
            arrays["truth"] = self.truth
        for name, array in arrays.items():
            if array.ndim != 2 or len(array) != length:
                raise EpisodeError(
                    f"{name} has shape {array.shape}, expected [{length}, ...] as image has"
                )
            if not np.isfinite(array).all():
                row = int(np.argwhere(~np.isfinite(array))[0, 0])
                raise EpisodeError(f"{name} is not finite at step {row}")
        if self.action.shape[1] != 4:
            raise EpisodeError(f"action must be [T,4], not {self.action.shape}")

    def __len__(self) -> int:
        return len(self.image)
