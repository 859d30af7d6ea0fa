"""What a camera sees in another room: drawn into recorded pictures when a representation is judged.

All of it is decided by the seed and the episode's number, and none by how long the episode is.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from latentplan_ros.data.dataset import Dataset

_SAMPLED = 500  # pictures whose median is the background
_TOLERANCE = 14  # of 255, in every colour: within it of the median, a pixel is background
_MOSTLY = 0.6  # of the pictures show the median, or a pixel has no background
_PATCHES, _SIDES, _SPEED = 5, (9, 17), 1.2  # how many; pixels; pixels a frame
_GAIN, _TINT = 0.2, 0.06  # of all colours together, and of each
_OFFSET, _HUE = 16.0, 6  # of 255; of OpenCV's 180 for the circle
_SHADE = 0.5  # of the light is left in the middle of a shadow


@dataclass(frozen=True)
class Distractors:
    """background: ``uint8 [64,64,3]``, what is mostly seen at each pixel; steady: ``bool [64,64]``,
    whether it is seen often enough to be called so; seed: of the drawing."""

    background: np.ndarray
    steady: np.ndarray
    seed: int = 0

    @classmethod
    def of(cls, dataset: Dataset, frames: np.ndarray, seed: int = 0) -> "Distractors":
        """With the median of some of these frames as background."""
        some = frames[np.linspace(0, len(frames) - 1, min(_SAMPLED, len(frames))).astype(int)]
        images = dataset.images(some)
        background = np.median(images, axis=0).astype(np.uint8)
        return cls(background, _alike(images, background).mean(axis=0) >= _MOSTLY, seed)

    def __call__(self, images: np.ndarray, episode: int) -> np.ndarray:
        """A copy of an episode, ``uint8 [T,64,64,3]``, with patches, a shadow and other colours."""
        return self.colours(self.shadow(self.patches(images, episode), episode), episode)

    def patches(self, images: np.ndarray, episode: int) -> np.ndarray:
        """Textured squares that drift, and only where a picture shows the background."""
        rng, size = np.random.default_rng([self.seed, episode, 0]), images.shape[1]
        drawn, free = images.copy(), self.is_background(images)
        for _ in range(_PATCHES):
            texture = _texture(rng, int(rng.integers(*_SIDES)))
            start, velocity = rng.uniform(0, size, 2), rng.uniform(-_SPEED, _SPEED, 2)
            for t in range(len(images)):
                # What leaves the picture at one side comes back at the other.
                down, right = (
                    (int(corner) + np.arange(len(texture))) % size
                    for corner in start + t * velocity
                )
                where = np.ix_(down, right)
                drawn[t][where] = np.where(free[t][where][..., None], texture, drawn[t][where])
        return drawn

    def is_background(self, images: np.ndarray) -> np.ndarray:
        """Pixels ``bool [T,64,64]`` that look as they mostly do, and so do all around them."""
        other = ~(_alike(images, self.background) & self.steady)
        grown = [cv2.dilate(picture.astype(np.uint8), np.ones((3, 3))) for picture in other]
        return np.array(grown) == 0

    def shadow(self, images: np.ndarray, episode: int) -> np.ndarray:
        """That of a second arm, reaching in from an edge and moving about; it only darkens."""
        rng, size = np.random.default_rng([self.seed, episode, 1]), images.shape[1]
        along, side = rng.uniform(0.1, 0.9), rng.integers(4)
        base = size * np.array([(along, -0.1), (along, 1.1), (-0.1, along), (1.1, along)][side])
        middle, sway = rng.uniform(0.35, 0.65, 2), rng.uniform(0.1, 0.25, 2)
        rate, phase = rng.uniform(0.08, 0.25, 2), rng.uniform(0, 2 * np.pi, 2)
        bend = rng.choice([-0.25, 0.25])
        light = np.empty((len(images), size, size, 1), np.float32)
        for t in range(len(images)):
            hand = size * (middle + sway * np.sin(rate * t + phase))
            light[t, ..., 0] = 1.0 - (1.0 - _SHADE) * _silhouette(size, base, hand, bend)
        return (images * light).astype(np.uint8)

    def colours(self, images: np.ndarray, episode: int) -> np.ndarray:
        """Other gain and offset of each colour and other hues, the same in all of the episode."""
        rng = np.random.default_rng([self.seed, episode, 2])
        gain = 1 + rng.uniform(-_GAIN, _GAIN) + rng.uniform(-_TINT, _TINT, 3)
        offset = rng.uniform(-_OFFSET, _OFFSET)
        turn = int(rng.integers(-_HUE, _HUE + 1))
        flat = cv2.cvtColor(images.reshape(-1, 1, 3), cv2.COLOR_RGB2HSV)
        flat[..., 0] = (flat[..., 0].astype(int) + turn) % 180
        turned = cv2.cvtColor(flat, cv2.COLOR_HSV2RGB).reshape(images.shape)
        return (turned * gain + offset).clip(0, 255).astype(np.uint8)


def _alike(images: np.ndarray, background: np.ndarray) -> np.ndarray:
    return np.asarray(np.abs(images.astype(np.int16) - background).max(axis=-1) <= _TOLERANCE)


def _texture(rng: np.random.Generator, side: int) -> np.ndarray:
    """Two colours in stripes or checks, ``uint8 [side,side,3]``."""
    colours = rng.integers(20, 236, (2, 3))
    row, column = np.indices((side, side)) // int(rng.integers(2, 4))
    pattern = [row, column, row + column][rng.integers(3)] % 2
    return colours[pattern].astype(np.uint8)


def _silhouette(size: int, base: np.ndarray, hand: np.ndarray, bend: float) -> np.ndarray:
    """Two links and two fingers with soft edges, ``float32 [size,size]``: 1 within, 0 without."""
    reach = hand - base
    elbow = base + reach / 2 + bend * np.array([-reach[1], reach[0]])
    ahead = (hand - elbow) / max(float(np.linalg.norm(hand - elbow)), 1e-6)
    aside = np.array([-ahead[1], ahead[0]])
    drawn = np.zeros((size, size), np.float32)
    lines = [(base, elbow, 8), (elbow, hand, 6)]
    lines += [(hand + s * 3 * aside, hand + s * 3 * aside + 6 * ahead, 2) for s in (-1, 1)]
    for start, end, width in lines:
        cv2.line(drawn, _pixel(start), _pixel(end), 1.0, width)
    return cv2.GaussianBlur(drawn, (0, 0), 1.0)


def _pixel(place: np.ndarray) -> tuple[int, int]:
    return round(float(place[0])), round(float(place[1]))
