"""Every picture is changed on its own, and only as much as was said."""

import pytest
import torch

from latentplan_ros.learning.representation.augmentation import (
    colour_jitter,
    intensity_jitter,
    random_shift,
)

CHANGES = {
    "shift": lambda pictures: random_shift(pictures, 4),
    "intensity": lambda pictures: intensity_jitter(pictures, 0.05),
    "colour": lambda pictures: colour_jitter(pictures, 0.4, 0.4, 0.4, 0.1),
}


@pytest.fixture
def same_pictures():
    torch.manual_seed(0)
    return torch.rand(1, 3, 32, 32).expand(16, -1, -1, -1).contiguous()


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_each_picture_gets_its_own_draw(change, same_pictures):
    changed = change(same_pictures)
    assert changed.shape == same_pictures.shape
    assert len(changed.flatten(1).unique(dim=0)) > 8


def test_a_shift_is_by_whole_pixels_and_no_further_than_said(same_pictures):
    shifted, found = random_shift(same_pictures, 2), set()
    for picture in shifted:
        for x in range(-2, 3):
            for y in range(-2, 3):
                moved = torch.roll(same_pictures[0], (y, x), (1, 2))
                if torch.equal(moved[:, 2:-2, 2:-2], picture[:, 2:-2, 2:-2]):
                    found.add((x, y))
                    break
    assert len(found) > 5


def test_colours_without_jitter_stay():
    pictures = torch.rand(4, 3, 8, 8)
    torch.testing.assert_close(colour_jitter(pictures, 0, 0, 0, 0), pictures)


def test_hue_leaves_greys_alone_and_changes_colours():
    gray = torch.rand(4, 1, 8, 8).expand(-1, 3, -1, -1)
    torch.testing.assert_close(colour_jitter(gray, 0, 0, 0, 0.5), gray)
    red = torch.zeros(8, 3, 4, 4)
    red[:, 0] = 0.6
    assert (colour_jitter(red, 0, 0, 0, 0.5)[:, 1:] > 0.1).any()
