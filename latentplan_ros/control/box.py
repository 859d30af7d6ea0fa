"""Axis-aligned boxes: where the end effector may be, and where it may not."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Box:
    """Axis-aligned box, metres in the base frame. Positions are ``float64 [3]``."""

    min: tuple[float, float, float]
    max: tuple[float, float, float]

    def clip(self, position: np.ndarray) -> np.ndarray:
        return np.clip(position, self.min, self.max)

    def contains(self, position: np.ndarray, tolerance: float = 0.0) -> bool:
        return all(
            low - tolerance <= value <= high + tolerance
            for value, low, high in zip(position.tolist(), self.min, self.max, strict=True)
        )

    def entry(self, start: np.ndarray, end: np.ndarray) -> float | None:
        """The fraction in [0, 1) of the way at which the straight line from start to end enters.

        None where it stays outside; touching a face from outside is staying outside.
        """
        first, last = 0.0, 1.0
        for a, b, low, high in zip(start.tolist(), end.tolist(), self.min, self.max, strict=True):
            if a == b:
                if not low < a < high:
                    return None
                continue
            near, far = sorted(((low - a) / (b - a), (high - a) / (b - a)))
            first, last = max(first, near), min(last, far)
        return first if first < last else None


@dataclass(frozen=True)
class KeepOut(Box):
    """A named box that no target lies in and no straight way to a target leads through."""

    name: str
