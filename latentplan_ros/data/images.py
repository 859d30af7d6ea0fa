"""Camera messages and picture files to RGB pictures, or one error that says what is wrong."""

import struct
from pathlib import Path
from typing import Any

import cv2
import numpy as np

MOST_PIXELS = 2**25  # more than 8K video; 100 MB of RGB
_MOST_BYTES = 2**27  # of a file
_MOST_SCANS = 100  # of a progressive jpeg; each costs a pass over the whole picture
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
    if height * width > MOST_PIXELS:
        raise ImageError(topic, encoding, f"{size}: more than {MOST_PIXELS} pixels")
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
    _check_cost(data, source, encoding)
    try:
        bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise ImageError(source, encoding, f"does not decode: {error.err}") from None
    if bgr is None:
        raise ImageError(source, encoding, f"{len(data)} bytes that do not decode")
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def _check_cost(data: bytes, source: str, encoding: str) -> None:
    """Refuses, before anything is decoded, what would take very much memory or time."""
    width, height = _png_size(data) if data.startswith(_PNG) else _jpeg_size(data)
    size = f"{width}x{height}"
    if not 0 < width * height <= MOST_PIXELS:
        raise ImageError(source, encoding, f"{size}: not between 1 and {MOST_PIXELS} pixels")
    # Between the marks of a jpeg's scans this pair of bytes does not occur.
    if data.startswith(_JPEG) and data.count(b"\xff\xda") > _MOST_SCANS:
        raise ImageError(source, encoding, f"{size}: more than {_MOST_SCANS} scans")


def _png_size(data: bytes) -> tuple[int, int]:
    """Width and height that a png says it has; 0, 0 where it does not say."""
    if len(data) < 24 or data[12:16] != b"IHDR":
        return 0, 0
    return struct.unpack(">II", data[16:24])


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Width and height that a jpeg says it has; 0, 0 where it does not say."""
    at = 2
    while (at := data.find(b"\xff", at)) >= 0:
        while data[at : at + 1] == b"\xff":  # one, and any number that fill
            at += 1
        if at + 8 > len(data):
            break
        mark = data[at]
        if 0xC0 <= mark <= 0xCF and mark not in (0xC4, 0xC8, 0xCC):  # a frame of any kind
            height, width = struct.unpack_from(">HH", data, at + 4)
            return width, height
        alone = mark == 0x00 or mark == 0x01 or 0xD0 <= mark <= 0xD8
        at += 1 if alone else 1 + struct.unpack_from(">H", data, at + 1)[0]
    return 0, 0


def load(path: Path) -> np.ndarray:
    """RGB picture ``uint8 [H,W,3]`` in a jpeg or png file. Raises ImageError naming the file."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ImageError(str(path), "file", f"cannot be read: {error.strerror}") from None
    if len(data) > _MOST_BYTES:
        raise ImageError(str(path), "file", f"larger than {_MOST_BYTES} bytes")
    return decode_file(data, str(path))
