"""Published rope recordings: in the order they were taken, and every bad file named."""

import cv2
import numpy as np
import pytest

from latentplan_ros.data.images import ImageError
from latentplan_ros.data.rope_images import read_rope
from latentplan_ros.data.sequences import SequenceError


def write_run(folder, shades, height=24, width=32, name="img_{}.png"):
    """A run whose pictures are all of one gray each."""
    folder.mkdir(parents=True)
    for number, shade in enumerate(shades):
        picture = np.full((height, width, 3), shade, np.uint8)
        assert cv2.imwrite(str(folder / name.format(number)), picture)


def test_runs_and_pictures_come_in_the_order_of_their_numbers(tmp_path):
    write_run(tmp_path / "run10", [200, 210])
    write_run(tmp_path / "run9", range(12))  # img_10 and img_11 would sort before img_2
    sequences = read_rope(tmp_path)
    assert sequences.pictures[:, 30, 30].tolist() == [*range(12), 200, 210]
    assert sequences.sequence.tolist() == [0] * 12 + [1] * 2
    assert [11, 12] not in sequences.steps.tolist(), "the runs do not follow one another"
    assert len(sequences.steps) == 12
    assert sequences.truth is None


def test_the_centre_square_is_seen_and_colour_becomes_gray(tmp_path):
    (tmp_path / "run03").mkdir()
    picture = np.zeros((128, 256, 3), np.uint8)
    picture[:, :64] = 255  # outside the centre square
    picture[:64, 64:128] = (0, 0, 255)  # OpenCV's red, and the upper left quarter of the square
    for number in range(2):
        cv2.imwrite(str(tmp_path / "run03" / f"img_{number:04d}.jpg"), picture)
    np.save(tmp_path / "run03" / "actions.npy", np.zeros((2, 5)))
    seen = read_rope(tmp_path).pictures
    assert seen.shape == (2, 64, 64)
    assert seen[0, 8:24, 8:24].mean() == pytest.approx(0.299 * 255, abs=3)
    assert seen[0, 40:].max() < 8
    assert seen[0, :, 40:].max() < 8


def test_what_holds_no_pictures_is_passed_over(tmp_path):
    write_run(tmp_path / "run03", [1, 2], name="{}.JPG")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "readme.txt").write_text("taken in spring")
    (tmp_path / "licence.txt").write_text("free")
    assert len(read_rope(tmp_path).pictures) == 2


def test_a_file_that_is_no_picture_is_named(tmp_path):
    write_run(tmp_path / "run03", [1, 2])
    (tmp_path / "run03" / "img_1.png").write_text("not a picture")
    with pytest.raises(ImageError, match=r"run03/img_1\.png.*neither jpeg nor png"):
        read_rope(tmp_path)


def test_a_folder_without_pictures_is_refused_with_an_example(tmp_path):
    with pytest.raises(SequenceError, match=r"no subfolder with .* pictures.*run03/img_0000"):
        read_rope(tmp_path)
    with pytest.raises(SequenceError, match="missing: no such folder"):
        read_rope(tmp_path / "missing")


def test_a_sequence_of_one_picture_is_named(tmp_path):
    write_run(tmp_path / "run03", [1, 2])
    write_run(tmp_path / "run04", [1])
    with pytest.raises(SequenceError, match=r"run04: img_0\.png is its only picture"):
        read_rope(tmp_path)


def test_pictures_of_two_sizes_in_a_sequence_are_both_named(tmp_path):
    write_run(tmp_path / "run03", [1, 2])
    cv2.imwrite(str(tmp_path / "run03" / "img_2.png"), np.zeros((48, 48, 3), np.uint8))
    with pytest.raises(SequenceError, match=r"run03: img_0\.png is 32x24 and img_2\.png 48x48"):
        read_rope(tmp_path)
    write_run(tmp_path / "run04", [1, 2], height=48, width=48)
    (tmp_path / "run03" / "img_2.png").unlink()
    assert len(read_rope(tmp_path).pictures) == 4, "from one sequence to the next they may differ"
