from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentplan_ros.data.images import ImageError, decode, decode_file, load

CHANNELS = {"rgb8": 3, "bgr8": 3, "rgba8": 4, "bgra8": 4, "mono8": 1}


def message(rgb, encoding, padding=0, data=None):
    """An Image message of this picture as a camera with padded rows would send it."""
    height, width = rgb.shape[:2]
    alpha = np.full((height, width, 1), 7, np.uint8)
    pixels = {
        "rgb8": rgb,
        "bgr8": rgb[..., ::-1],
        "rgba8": np.concatenate([rgb, alpha], -1),
        "bgra8": np.concatenate([rgb[..., ::-1], alpha], -1),
        "mono8": rgb[..., :1],
    }[encoding]
    rows = pixels.reshape(height, -1)
    rows = np.pad(rows, ((0, 0), (0, padding)), constant_values=99)
    return SimpleNamespace(
        height=height,
        width=width,
        encoding=encoding,
        step=rows.shape[1],
        data=rows.tobytes() if data is None else data,
    )


@given(
    encoding=st.sampled_from(sorted(CHANNELS)),
    height=st.integers(1, 17),
    width=st.integers(1, 17),
    padding=st.integers(0, 9),
    seed=st.integers(0, 99),
)
def test_every_encoding_gives_back_the_picture_whatever_the_row_step(
    encoding, height, width, padding, seed
):
    rgb = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    if encoding == "mono8":
        rgb = np.repeat(rgb[..., :1], 3, axis=-1)
    np.testing.assert_array_equal(decode(message(rgb, encoding, padding)), rgb)


def smooth_picture():
    y, x = np.mgrid[0:48, 0:64]
    return np.stack([4 * x, 5 * y, 255 - 2 * x - 2 * y], -1).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize(("extension", "tolerance"), [(".png", 0), (".jpg", 12)])
def test_compressed_pictures_come_back_as_rgb(extension, tolerance):
    rgb = smooth_picture()
    data = cv2.imencode(extension, rgb[..., ::-1])[1].tobytes()
    got = decode(SimpleNamespace(format="rgb8; compressed bgr8", data=data), "/c")
    assert np.abs(got.astype(int) - rgb).max() <= tolerance


@pytest.mark.parametrize("extension", [".png", ".jpg"])
@given(part=st.floats(0, 0.97))
def test_a_cut_compressed_picture_is_an_error_not_a_grey_picture(extension, part):
    data = cv2.imencode(extension, smooth_picture())[1].tobytes()
    with pytest.raises(ImageError, match="/cam/compressed"):
        decode(
            SimpleNamespace(format="jpeg", data=data[: int(part * len(data))]), "/cam/compressed"
        )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"encoding": "16UC1"}, ["16UC1", "not supported", "rgb8"]),
        ({"data": b""}, ["cut short", "0 bytes", "4x5"]),
        ({"data": bytes(59)}, ["cut short", "59 bytes", "60"]),
        ({"data": bytes(61)}, ["too long", "61 bytes"]),
        ({"height": 0}, ["4x0", "empty"]),
        ({"step": 11}, ["step of 11", "12"]),
    ],
)
def test_bad_pictures_name_topic_encoding_and_size(change, words):
    good = message(np.zeros((5, 4, 3), np.uint8), "rgb8")
    bad = SimpleNamespace(**{**vars(good), **change})
    with pytest.raises(ImageError) as caught:
        decode(bad, "/camera/image_raw")
    assert caught.value.source == "/camera/image_raw"
    for word in ["/camera/image_raw", *words]:
        assert word in str(caught.value)


def test_picture_files_that_cannot_be_used_are_named(tmp_path):
    with pytest.raises(ImageError, match=r"missing\.png: .*No such file"):
        load(tmp_path / "missing.png")
    text = tmp_path / "goal.png"
    text.write_text("not a picture")
    with pytest.raises(ImageError, match=r"goal\.png: .*neither jpeg nor png"):
        load(text)
    with pytest.raises(ImageError, match="empty"):
        decode_file(b"", "x")
