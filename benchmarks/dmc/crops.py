"""Windows of 84 x 84 in pictures of 100 x 100: the paper's random crop, and translation by it.

A window elsewhere in a larger picture moves what it shows by up to 16 pixels, so that one
augmentation is both.
"""

import numpy as np

SIZE = 84  # supplement, table 2


def random_crop(rng: np.random.Generator, pictures: np.ndarray) -> np.ndarray:
    """``[K,B,H,W,3]`` to ``[K,B,84,84,3]``: one window for all pictures of an item of B.

    Pictures of an item are crossed by correspondences, and an observation is one thing.
    """
    height, width = pictures.shape[2:4]
    tops = rng.integers(height - SIZE + 1, size=pictures.shape[1])
    lefts = rng.integers(width - SIZE + 1, size=pictures.shape[1])
    windows = np.empty((*pictures.shape[:2], SIZE, SIZE, 3), pictures.dtype)
    for item, (top, left) in enumerate(zip(tops, lefts, strict=True)):
        windows[:, item] = pictures[:, item, top : top + SIZE, left : left + SIZE]
    return windows


def centre_crop(pictures: np.ndarray) -> np.ndarray:
    """``[...,H,W,3]`` to ``[...,84,84,3]``."""
    top, left = (pictures.shape[-3] - SIZE) // 2, (pictures.shape[-2] - SIZE) // 2
    return pictures[..., top : top + SIZE, left : left + SIZE, :]
