"""How far along a straight way a limit lets one go."""

import math

import numpy as np

NOWHERE = (math.inf, -math.inf)


def within(offset: np.ndarray, way: np.ndarray, radius: float) -> tuple[float, float]:
    """The fractions in [0, 1] of a way at which ``|offset + fraction * way| <= radius``.

    The lowest and the highest; NOWHERE where there is none.
    """
    a, b = float(way @ way), float(offset @ way)
    c = float(offset @ offset) - radius * radius
    if a < 1e-18:
        return (0.0, 1.0) if c <= 0.0 else NOWHERE
    root = b * b - a * c
    if root < 0.0:
        return NOWHERE
    half = math.sqrt(root)
    low, high = (-b - half) / a, (-b + half) / a
    if high < 0.0 or low > 1.0:
        return NOWHERE
    return max(low, 0.0), min(high, 1.0)


def beside(line: np.ndarray, way: np.ndarray, radius: float) -> float:
    """The highest fraction in [0, 1] of a way from 0 that lies within ``radius`` of some point of
    the line from 0 to ``line``."""
    along = float(way @ line)
    length = float(line @ line)
    if along <= 0.0 or length < 1e-18:
        return within(np.zeros(3), way, radius)[1]
    foot = length / along  # the fraction beside the line's end
    across = way - line * (along / length)
    aside = within(np.zeros(3), across, radius)[1]
    if aside < min(foot, 1.0):
        return aside
    return within(-line, way, radius)[1] if foot < 1.0 else 1.0
