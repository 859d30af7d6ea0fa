"""Pictures made to do harm: each was, or could have been, more than the decoder bears."""

import struct
import sys
import zlib
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from latentplan_ros.data.images import ImageError, decode, decode_file, load

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks import limits

PICTURE = np.zeros((48, 64, 3), np.uint8)
JPEG = cv2.imencode(".jpg", PICTURE)[1].tobytes()
PNG = cv2.imencode(".png", PICTURE)[1].tobytes()


def png_of(width: int, height: int) -> bytes:
    def part(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = part(b"IDAT", zlib.compress(b"\0")) + part(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + body


def jpeg_of(width: int, height: int) -> bytes:
    at = JPEG.index(b"\xff\xc0") + 5
    return JPEG[:at] + struct.pack(">HH", height, width) + JPEG[at + 4 :]


@pytest.mark.parametrize("size", [(60000, 60000), (30000, 30000), (2**31 - 1, 1), (2**32 - 1, 9)])
def test_a_small_png_that_claims_to_be_huge_costs_nothing(size):
    data = png_of(*size)
    assert len(data) < 100
    with limits.memory(2**28), pytest.raises(ImageError, match=f"{size[0]}x{size[1]}"):
        decode_file(data, "goal.png")


@pytest.mark.parametrize("size", [(60000, 60000), (65535, 65535), (0, 48), (64, 0)])
def test_a_small_jpeg_that_claims_to_be_huge_costs_nothing(size):
    with limits.memory(2**28), pytest.raises(ImageError, match=f"{size[0]}x{size[1]}"):
        decode_file(jpeg_of(*size), "goal.jpg")


def test_the_size_of_a_jpeg_is_found_behind_what_else_is_in_it():
    comment = b"\xff\xfe" + struct.pack(">H", 2 + 8) + b"\xff\xc0\x00\x11\x08\xff\xff\xff"
    padded = JPEG[:2] + b"\xff\xff\xff" + comment[1:] + JPEG[2:]
    assert decode_file(padded, "goal.jpg").shape == PICTURE.shape


def test_a_jpeg_of_very_many_scans_is_not_begun():
    at = JPEG.index(b"\xff\xda")
    scans = JPEG[:at] + JPEG[at:-2] * 200 + JPEG[-2:]
    with pytest.raises(ImageError, match="scans"):
        decode_file(scans, "goal.jpg")


def test_a_raw_picture_that_claims_to_be_huge_is_refused():
    claim = {"height": 2**32 - 1, "width": 2**32 - 1, "step": 2**32 - 1, "data": b"\0" * 100}
    for encoding in ("rgb8", "mono8"):
        with limits.memory(2**28), pytest.raises(ImageError, match="4294967295x4294967295"):
            decode(SimpleNamespace(encoding=encoding, **claim), "camera/image_raw")


@pytest.mark.parametrize("data", [PNG[:12] + b"JHDR" + PNG[16:], b"\xff\xd8\xff\xd9" * 9])
def test_a_picture_without_a_size_is_refused(data):
    with pytest.raises(ImageError, match="0x0"):
        decode_file(data, "goal")


def test_an_endless_file_is_not_read_whole():
    with limits.memory(2**29), pytest.raises(ImageError, match="larger than"):
        load(Path("/dev/zero"))
