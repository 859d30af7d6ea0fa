"""Camera picture to network picture; the same function for dataset import and for the nodes."""

from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np


@dataclass(frozen=True)
class Preprocess:
    """Centre square crop, then area resize to ``size`` x ``size``."""

    size: int = 64

    def apply(self, rgb: np.ndarray) -> np.ndarray:
        """``uint8 [H,W,3]`` RGB to ``uint8 [size,size,3]``.

        Raises ValueError on another shape or type.
        """
        if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or 0 in rgb.shape:
            raise ValueError(f"expected a uint8 [H,W,3] RGB picture, got {rgb.dtype} {rgb.shape}")
        height, width = rgb.shape[:2]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        square = rgb[top : top + side, left : left + side]
        if side == self.size:
            return np.ascontiguousarray(square)
        return cv2.resize(square, (self.size, self.size), interpolation=cv2.INTER_AREA)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)
