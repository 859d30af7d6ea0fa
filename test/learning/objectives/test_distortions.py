"""Exemplar-CNN and rotation."""

import pytest
import torch
from trials import batches, make

from latentplan_ros.learning.objectives.exemplar import (
    cut_out,
    distort,
    exemplary_places,
    gradient_energy,
)
from latentplan_ros.learning.objectives.rotation import every_turn


@pytest.fixture
def marked():
    """Two black pictures with a white mark in the upper left corner."""
    pictures = torch.zeros(2, 3, 64, 64)
    pictures[:, :, :8, :8] = 1.0
    return pictures


def test_a_label_counts_counterclockwise_quarter_turns(marked):
    turned, turns = every_turn(marked)
    assert turned.shape == (8, 3, 64, 64)
    assert torch.bincount(turns).tolist() == [2, 2, 2, 2]
    marks = {0: (0, 0), 1: (63, 0), 2: (63, 63), 3: (0, 63)}  # row and column
    for picture, turn in zip(turned, turns.tolist(), strict=True):
        assert picture.sum() == 3 * 64
        assert picture[0][marks[turn]] == 1.0


def test_patches_lie_where_the_gradient_is():
    pictures = torch.full((200, 3, 64, 64), 0.5)
    pictures[:, :, 50:60, 50:60] = 1.0  # a block at the lower right
    energy = gradient_energy(pictures[:1])
    assert energy.shape == (1, 9, 9)
    assert energy[0, 0, 0] == 0.0
    places = exemplary_places(pictures)
    assert (places > 0.0).all()  # beyond the middle, so that every patch reaches the block
    assert (places <= 0.5).all()  # and inside the picture as a whole


def test_a_patch_shows_its_part_of_the_picture(marked):
    marked[:, :, 8:16, 8:16] = 0.5
    centre = torch.tensor([[-0.5, -0.5], [0.5, 0.5]])
    patches = cut_out(marked, centre, torch.tensor([0.5, 0.5]), torch.zeros(2))
    assert patches[0, 0, 7, 7] == 1.0
    assert patches[0, 0, 24, 24] == 0.5
    assert patches[0, 0, 40, 40] == 0.0
    assert patches[1].max() == 0.0


def test_distortions_of_a_patch_differ_and_stay_pictures(marked):
    shown = torch.rand(1, 3, 64, 64).repeat(5, 1, 1, 1)
    patches = distort(shown, torch.zeros(5, 2))
    assert patches.shape == (5, 3, 64, 64)
    assert patches.min() >= 0.0
    assert patches.max() <= 1.0
    assert all((patches[0] - other).abs().mean() > 0.01 for other in patches[1:])


def test_the_classes_are_the_patches_of_the_batch(table):
    """Where latents tell nothing, all classes are alike: the logarithm of how many there are."""
    objective = make("exemplar", batch_size=12)
    objective.encoder = torch.nn.Sequential(torch.nn.Flatten(), Constant())
    loss = objective(next(batches(objective, [table])))["loss"]
    assert loss.item() == pytest.approx(torch.tensor(12.0).log().item(), abs=1e-5)


class Constant(torch.nn.Module):
    def forward(self, values):
        return torch.ones(len(values), 24)
