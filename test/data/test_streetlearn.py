"""StreetLearn's published files, made up: what is read, and what is said of damaged ones."""

import re

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentplan_ros.data.drives import first_seen
from latentplan_ros.data.streetlearn import StreetLearnError, read_streetlearn

SOUTH, WEST = 40.72, -73.99
NODES = (
    f"a,0.0,{SOUTH},{WEST}\n"
    f"b,90.0,{SOUTH + 0.0001},{WEST}\n"
    f"c,-90.0,{SOUTH + 0.0001},{WEST + 0.0002}\n"
)
LINKS = "a,0,b\nb,180,a\nb,90,c\nc,270,b\nb,90,c\n"


def panorama(yaw):
    """128 x 64: gray rises from 0 in the north over east, south and west to 250."""
    direction = (np.arange(128) + 0.5) / 128 * 360 - 180 + yaw
    row = np.round(direction % 360 / 360 * 250).astype(np.uint8)
    return np.broadcast_to(row[None, :, None], (64, 128, 3))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "nodes.txt").write_text(NODES)
    (tmp_path / "links.txt").write_text(LINKS)
    for name, yaw in (("a", 0.0), ("b", 90.0), ("c", -90.0)):
        assert cv2.imwrite(str(tmp_path / f"{name}.jpg"), panorama(yaw))
    return tmp_path


def refused(folder, *words, bounds=None):
    with pytest.raises(StreetLearnError, match=".*".join(map(re.escape, words))):
        read_streetlearn(folder, bounds)


def test_links_become_steps_of_their_length_in_tens_of_metres(folder):
    town = read_streetlearn(folder)
    assert town.steps.tolist() == [[0, 1], [1, 0], [1, 2], [2, 1]]
    # A ten-thousandth of a degree north is 11.1 m; east, at this latitude, 0.758 of that.
    np.testing.assert_allclose(town.lengths, [1.112, 1.112, 1.686, 1.686], rtol=1e-3)
    np.testing.assert_allclose(town.truth, [[0, 0], [0, 11.12], [16.86, 11.12]], atol=0.01)
    assert town.sequence.tolist() == [0, 0, 0]


def test_every_picture_faces_north(folder):
    pictures = read_streetlearn(folder).pictures.astype(float)
    assert pictures.shape == (3, 64, 64)
    for picture in pictures:
        # West on the left, east on the right; jpeg blurs the edge at north.
        np.testing.assert_allclose(picture[:, 0], 0.75 * 250, atol=4)
        np.testing.assert_allclose(picture[:, -1], 0.25 * 250, atol=4)
        assert picture[32, 24] > 200
        assert picture[32, 40] < 50


def test_bounds_leave_out_what_is_beyond(folder):
    (folder / "c.jpg").unlink()  # not needed
    corner = (SOUTH - 0.0001, WEST - 0.0001)
    town = read_streetlearn(folder, (*corner, 0.0003, 0.0002))
    assert len(town.pictures) == 2
    assert town.steps.tolist() == [[0, 1], [1, 0]]
    np.testing.assert_allclose(town.truth[0], [8.43, 11.12], atol=0.01)


def test_a_panorama_without_links_is_left_out(folder):
    (folder / "links.txt").write_text("a,0,b\n")
    assert len(read_streetlearn(folder).pictures) == 2


def test_two_panoramas_at_one_place_are_a_metre_apart(folder):
    (folder / "nodes.txt").write_text("a,0,40,-73\nb,0,40,-73\n")
    (folder / "links.txt").write_text("a,0,b\n")
    assert read_streetlearn(folder).lengths.tolist() == [0.1]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("d,0,40", "expected panorama,yaw,latitude,longitude"),
        ("d,0,north,-73", "not three numbers"),
        ("d,nan,40,-73", "cannot be nan"),
        ("d,0,140,-73", "cannot be 0, 140"),
        ("d,0,nan,-73", "cannot be 0, nan"),
        ("../d,0,40,-73", "not the name of a panorama"),
        ("a,0,40,-73", "panorama a is listed twice"),
    ],
)
def test_a_bad_line_of_nodes_is_named(folder, line, words):
    (folder / "nodes.txt").write_text(NODES + "\n" + line + "\n")
    refused(folder, "nodes.txt, line 5", words)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a,b", "expected panorama,direction,panorama, got 'a,b'"),
        ("a,0,a", "links panorama a with itself"),
        ("a,0,nowhere", "panorama nowhere is not in nodes.txt"),
        ("nowhere,0,a", "panorama nowhere is not in nodes.txt"),
    ],
)
def test_a_bad_line_of_links_is_named(folder, line, words):
    (folder / "links.txt").write_text(LINKS + line + "\n")
    refused(folder, "links.txt, line 6", words)


def test_a_link_beyond_the_bounds_may_lead_anywhere(folder):
    (folder / "links.txt").write_text(LINKS + "c,0,nowhere\n")
    bounds = (SOUTH - 0.0001, WEST - 0.0001, 0.0003, 0.0002)
    assert len(read_streetlearn(folder, bounds).pictures) == 2
    refused(folder, "line 6", "nowhere")


def test_a_picture_that_lacks_or_is_cut_is_named(folder):
    whole = (folder / "b.jpg").read_bytes()
    (folder / "b.jpg").write_bytes(whole[: len(whole) // 2])
    refused(folder, "b.jpg", "cut short")
    (folder / "b.jpg").unlink()
    refused(folder, "b.jpg", "cannot be read")


@pytest.mark.parametrize("name", ["nodes.txt", "links.txt"])
def test_a_table_that_lacks_or_is_no_text_is_named(folder, name):
    (folder / name).write_bytes(b"\xff\xfe\x00")
    refused(folder, name, "it is not text")
    (folder / name).unlink()
    refused(folder, name, "cannot be read")


def test_a_town_of_one_view_is_refused(folder):
    refused(folder, "no two panoramas are linked, out of 3, 1 of them", bounds=(SOUTH, WEST, 0, 0))
    (folder / "nodes.txt").write_text("a,0,40,-73\n")
    (folder / "links.txt").write_text("")
    refused(folder, "no two panoramas are linked, out of 1")


@given(
    steps=st.sets(st.tuples(st.integers(0, 30), st.integers(0, 30)).filter(lambda s: s[0] != s[1])),
    seed=st.integers(0, 2**32),
)
def test_drives_see_every_place_that_a_step_touches(steps, seed):
    """Also on maps with one-way streets and dead ends."""
    steps = np.array(sorted(steps), int).reshape(-1, 2)
    seen = first_seen(steps, 31, np.random.default_rng(seed))
    np.testing.assert_array_equal(seen >= 0, np.isin(np.arange(31), steps))
    drives = np.unique(seen[seen >= 0])
    np.testing.assert_array_equal(drives, np.arange(len(drives)))
