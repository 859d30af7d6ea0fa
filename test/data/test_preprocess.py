"""One picture for the dataset and for the nodes."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recordings import START_NS, franka_recording, image

from latentplan_ros.data.build import build
from latentplan_ros.data.dataset import Dataset
from latentplan_ros.data.images import decode
from latentplan_ros.data.preprocess import Preprocess

sides = st.integers(1, 300)


def camera_picture(height, width, seed=0):
    """Smooth colours with noise, as a camera gives them."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 255, (6, 6, 3), dtype=np.uint8)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return cv2.add(smooth, rng.integers(0, 9, smooth.shape, dtype=np.uint8))


@settings(max_examples=60, deadline=None)
@given(height=sides, width=sides, size=st.sampled_from([16, 64, 96]))
def test_any_size_becomes_the_networks_square_without_touching_the_input(height, width, size):
    rgb = camera_picture(height, width)
    before = rgb.copy()
    got = Preprocess(size).apply(rgb)
    assert (got.shape, got.dtype) == ((size, size, 3), np.uint8)
    assert got.flags.c_contiguous
    np.testing.assert_array_equal(rgb, before)
    np.testing.assert_array_equal(got, Preprocess(size).apply(before))


@settings(max_examples=40, deadline=None)
@given(height=sides, width=sides, value=st.integers(1, 255))
def test_the_centre_is_kept_and_the_borders_are_cropped(height, width, value):
    side = min(height, width)
    rgb = np.zeros((height, width, 3), np.uint8)
    top, left = (height - side) // 2, (width - side) // 2
    rgb[top : top + side, left : left + side] = value
    assert (Preprocess().apply(rgb) == value).all()
    outside = np.full_like(rgb, value)
    outside[top : top + side, left : left + side] = 0
    assert not Preprocess().apply(outside).any()


@settings(max_examples=20, deadline=None)
@given(factor=st.integers(1, 7), seed=st.integers(0, 9))
def test_shrinking_averages_areas(factor, seed):
    rgb = camera_picture(64 * factor, 64 * factor, seed)
    mean = rgb.reshape(64, factor, 64, factor, 3).mean(axis=(1, 3))
    assert np.abs(Preprocess().apply(rgb) - mean).max() <= 1.0  # rounding


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((48, 64), np.uint8),
        np.zeros((48, 64, 4), np.uint8),
        np.zeros((48, 64, 3), np.float32),
        np.zeros((0, 64, 3), np.uint8),
    ],
)
def test_what_is_no_picture_is_refused_with_its_type_and_shape(picture):
    with pytest.raises(ValueError, match=r"expected a uint8 .* picture, got") as error:
        Preprocess().apply(picture)
    assert str(picture.shape) in str(error.value)


@pytest.mark.parametrize("shape", [(480, 640), (64, 64), (240, 424), (720, 405)])
def test_the_dataset_import_and_the_nodes_see_the_same_picture(tmp_path, shape):
    pictures = [camera_picture(*shape, seed=k) for k in range(6)]
    recording, _, _ = franka_recording(steps=6)
    recording.messages = [m for m in recording.messages if m[1] != "/camera/image_raw"]
    for k, rgb in enumerate(pictures):
        stamp = START_NS + k * 100_000_000 - 1_000_000
        recording.add("/camera/image_raw", image(rgb[..., ::-1], stamp, "bgr8"), stamp)
    recording.write(tmp_path / "bag", robot="franka")
    build([tmp_path / "bag"], tmp_path / "D.zarr")
    imported = Dataset.open(tmp_path / "D.zarr").episode(0).image
    for rgb, got in zip(pictures, imported, strict=True):
        height, width = rgb.shape[:2]
        message = SimpleNamespace(  # what a node receives
            height=height, width=width, step=3 * width, encoding="rgb8", data=rgb.tobytes()
        )
        np.testing.assert_array_equal(Preprocess().apply(decode(message)), got)
