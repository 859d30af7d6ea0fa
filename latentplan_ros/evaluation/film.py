"""Films of a try: now | goal | imagined, frame by frame, and the strip of pictures a page plays."""

import base64

import cv2
import numpy as np


def frame(
    now: np.ndarray, goal: np.ndarray, imagined: np.ndarray | None, size: int | None = None
) -> np.ndarray:
    """Panels side by side, ``uint8 [size, 2 or 3 x size, 3]``; size None: as the first panel."""
    size = now.shape[0] if size is None else size
    panels = [now, goal] if imagined is None else [now, goal, imagined]
    return np.concatenate([_resized(panel, size) for panel in panels], axis=1)


def strip(film: np.ndarray, quality: int = 85) -> str:
    """The frames ``uint8 [T,H,W,3]`` below one another as a JPEG data URL, for a page to play."""
    tall = film.reshape(-1, *film.shape[2:])
    encoded, data = cv2.imencode(".jpg", tall[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not encoded:
        raise ValueError(f"a film of shape {film.shape} cannot be encoded")
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()


def _resized(picture: np.ndarray, size: int) -> np.ndarray:
    if picture.shape[:2] == (size, size):
        return picture
    shrinking = picture.shape[0] > size
    return cv2.resize(
        picture, (size, size), interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC
    )
