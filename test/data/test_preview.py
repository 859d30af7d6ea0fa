"""`latentplan dataset preview`: files that other programs open, of the size they should have."""

import cv2
import numpy as np
import pytest
from sample_datasets import write

from latentplan_ros import cli
from latentplan_ros.data.dataset import DatasetError
from latentplan_ros.data.preview import COLUMNS, ROWS, SCALE, preview


def frames_of(video):
    capture = cv2.VideoCapture(str(video))
    assert capture.isOpened()
    rate, frames = capture.get(cv2.CAP_PROP_FPS), []
    while True:
        more, frame = capture.read()
        if not more:
            capture.release()
            return rate, frames
        frames.append(frame)


def test_the_sheet_and_the_video_show_the_dataset(tmp_path, drawer_dataset):
    assert cli.main(["dataset", "preview", str(drawer_dataset.path), "-o", str(tmp_path)]) == 0
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    assert sheet.shape == (64 * ROWS, 64 * COLUMNS, 3)
    first, last = drawer_dataset.episode(0).image, drawer_dataset.episode(23).image
    np.testing.assert_array_equal(sheet[:64, :64, ::-1], first[0])
    np.testing.assert_array_equal(sheet[:64, -64:, ::-1], first[-1])
    np.testing.assert_array_equal(sheet[-64:, -64:, ::-1], last[-1])
    rate, frames = frames_of(tmp_path / "episodes.mp4")
    assert rate == pytest.approx(10.0)
    assert len(frames) == ROWS * 31
    assert frames[0].shape == (64 * SCALE, 64 * SCALE, 3)
    # Below the caption the film shows the pictures, as far as its compression lets it.
    for frame, picture in ((frames[0], first[0]), (frames[-1], last[-1])):
        small = cv2.resize(frame, (64, 64), interpolation=cv2.INTER_AREA)[..., ::-1]
        assert np.abs(small[8:].astype(int) - picture[8:]).mean() < 6


def test_a_small_dataset_gives_a_small_sheet(tmp_path, drawer_dataset):
    dataset = write(tmp_path / "D.zarr", [drawer_dataset.episode(2)], drawer_dataset.info)
    sheet, video = preview(dataset, tmp_path / "deep" / "folder")
    assert cv2.imread(str(sheet)).shape == (64, 64 * COLUMNS, 3)
    assert len(frames_of(video)[1]) == 31


def test_an_empty_dataset_has_nothing_to_show(tmp_path, capsys):
    dataset = write(tmp_path / "D.zarr", [])
    with pytest.raises(DatasetError, match="holds no episode"):
        preview(dataset, tmp_path / "out")
    assert cli.main(["dataset", "preview", str(dataset.path), "-o", str(tmp_path / "out")]) == 2
    assert "Traceback" not in capsys.readouterr().err
