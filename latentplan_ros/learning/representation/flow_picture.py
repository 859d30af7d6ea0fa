"""A flow as colours: which way by the hue, how far by how strong the colour is."""

import math

import cv2
import numpy as np


def flow_picture(flow: np.ndarray, most: float) -> np.ndarray:
    """``[H,W,2]``, x right and y down, to ``uint8 [H,W,3]``, the wheel of HSV on white.

    What rests is white; what moves by ``most`` or more has the full colour: right is red, down
    yellowish green, left cyan, up violet.
    """
    angle = np.arctan2(flow[..., 1], flow[..., 0]) % (2.0 * math.pi)
    strength = np.clip(np.linalg.norm(flow, axis=-1) / most, 0.0, 1.0)
    # With floats OpenCV has hues in degrees, and the others in [0, 1].
    hsv = np.stack([np.degrees(angle), strength, np.ones_like(strength)], axis=-1)
    colours = cv2.cvtColor(hsv.astype(np.float32), cv2.COLOR_HSV2RGB)
    picture: np.ndarray = np.rint(255.0 * colours).astype(np.uint8)
    return picture
