"""Camera messages and picture files to RGB pictures, or one error that says what is wrong."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

# Encoding -> channels and the OpenCV conversion to RGB (None: RGB already).
_ENCODINGS: dict[str, tuple[int, int | None]] = {
    "rgb8": (3, None),
    "bgr8": (3, cv2.COLOR_BGR2RGB),
    "rgba8": (4, cv2.COLOR_RGBA2RGB),
    "bgra8": (4, cv2.COLOR_BGRA2RGB),
    "mono8": (1, cv2.COLOR_GRAY2RGB),
}
_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_JPEG_END, _PNG_END = b"\xff\xd9", b"IEND\xaeB`\x82"


class ImageError(ValueError):
    """A picture cannot be decoded; ``source``: its topic or file, ``encoding``: what it claims."""

    def __init__(self, source: str, encoding: str, problem: str) -> None:
        super().__init__(f"{source or 'image'}: {encoding or 'no encoding'}: {problem}")
        self.source = source
        self.encoding = encoding


def decode(message: Any, topic: str = "") -> np.ndarray:
    """RGB picture ``uint8 [H,W,3]`` of a sensor_msgs Image or CompressedImage.

    Takes rclpy messages and rosbags messages alike (only their fields are read): an Image has
    ``height, width, encoding, step, data``, a CompressedImage ``format, data``.
    Raises ImageError naming the topic, the encoding and the sizes when the encoding is not one of
    rgb8, bgr8, rgba8, bgra8, mono8, jpeg, png, or when data is empty, cut or of another size.
    """
    if hasattr(message, "format"):
        return decode_file(bytes(message.data), topic, message.format)
    encoding, height, width, step = message.encoding, message.height, message.width, message.step
    size = f"{width}x{height}"
    if encoding not in _ENCODINGS:
        known = ", ".join([*_ENCODINGS, "jpeg, png (compressed)"])
        raise ImageError(topic, encoding, f"{size}: encoding not supported, known are {known}")
    channels, conversion = _ENCODINGS[encoding]
    if height < 1 or width < 1:
        raise ImageError(topic, encoding, f"{size}: the picture is empty")
    if step < width * channels:
        raise ImageError(
            topic, encoding, f"{size}: step of {step} bytes is less than a row, {width * channels}"
        )
    data = np.frombuffer(message.data, np.uint8)
    if data.size != height * step:
        kind = "cut short" if data.size < height * step else "too long"
        raise ImageError(
            topic,
            encoding,
            f"{size}: data is {kind}, {data.size} bytes where height x step is {height * step}",
        )
    pixels = data.reshape(height, step)[:, : width * channels].reshape(height, width, channels)
    return pixels.copy() if conversion is None else cv2.cvtColor(pixels, conversion)


def decode_file(data: bytes, source: str, encoding: str = "") -> np.ndarray:
    """RGB picture ``uint8 [H,W,3]`` in the bytes of a jpeg or png file. Raises ImageError."""
    encoding = encoding or "jpeg or png"
    if not data:
        raise ImageError(source, encoding, "the picture is empty")
    # OpenCV fills what a cut file lacks with grey, without an error: look for the end marks first.
    if data.startswith(_JPEG):
        complete = _JPEG_END in data[-64:]
    elif data.startswith(_PNG):
        complete = _PNG_END in data[-64:]
    else:
        raise ImageError(source, encoding, f"{len(data)} bytes that are neither jpeg nor png")
    if not complete:
        raise ImageError(source, encoding, f"data is cut short after {len(data)} bytes")
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if bgr is None:
        raise ImageError(source, encoding, f"{len(data)} bytes that do not decode")
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def load(path: Path) -> np.ndarray:
    """RGB picture ``uint8 [H,W,3]`` in a jpeg or png file. Raises ImageError naming the file."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ImageError(str(path), "file", f"cannot be read: {error.strerror}") from None
    return decode_file(data, str(path))
