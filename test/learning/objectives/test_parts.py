"""Relative position, jigsaw and counting."""

import pytest
import torch
from trials import batches, make

from latentplan_ros.learning.objectives import jigsaw, relative_position
from latentplan_ros.learning.objectives.counting import downsampled
from latentplan_ros.learning.representation.patches import enlarged, tiles


@pytest.fixture
def rows_and_columns():
    """Pictures of which red is the row and green the column."""
    along = torch.arange(64.0)
    picture = torch.stack(
        [along[:, None].expand(64, 64), along.expand(64, 64), torch.zeros(64, 64)]
    )
    return picture.expand(300, 3, 64, 64)


def test_tiles_lie_row_by_row(rows_and_columns):
    parts = tiles(rows_and_columns[:1], 2)
    assert parts.shape == (1, 4, 3, 32, 32)
    corners = [part[:2, 0, 0].tolist() for part in parts[0]]
    assert corners == [[0, 0], [0, 32], [32, 0], [32, 32]]
    assert enlarged(parts).shape == (1, 4, 3, 64, 64)


def test_a_neighbour_lies_where_its_label_says(rows_and_columns):
    torch.manual_seed(0)
    patches, labels = relative_position.pairs(rows_and_columns)
    assert patches.shape == (300, 2, 3, 14, 14)
    assert set(labels.tolist()) == set(range(8))
    corners = patches[:, :, :2, 0, 0]
    steps = corners[:, 1] - corners[:, 0]
    # Row by row around the middle, which has no label.
    places = [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)]
    expected = 21.0 * torch.tensor([places[label] for label in labels], dtype=torch.float32)
    assert (steps - expected).abs().max() == 2.0  # of both patches' jitter
    apart = (steps.abs().amax(1) - 14).unique().tolist()
    assert apart == [5.0, 6.0, 7.0, 8.0, 9.0]  # pixels between them: half a patch, and jitter


def test_colours_do_not_tell_where_in_the_lens_a_patch_was():
    torch.manual_seed(0)
    patches = torch.rand(400, 3, 14, 14)
    altered = relative_position.without_aberration(patches)
    # What is left of green against red and blue, and channels that are still those of the patch.
    opposed = (2.0 * altered[:, 1] - altered[:, 0] - altered[:, 2]).abs().amax((1, 2)) < 1e-5
    unchanged = (altered == patches).all((2, 3)).sum(1)
    assert 150 < opposed.sum() < 250
    assert (unchanged[~opposed] == 1).all()
    noise = altered[~opposed].std((2, 3)).sort(1).values
    assert (noise[:, 1] < 0.02 * noise[:, 2]).all()  # two of three channels


def test_half_of_the_patches_are_pixelated():
    torch.manual_seed(0)
    patches = torch.rand(200, 3, 14, 14)
    altered = (relative_position.pixelated(patches) != patches).flatten(1).any(1)
    assert 60 < altered.sum() < 140


@pytest.mark.parametrize("count", [64, 100])
def test_permutations_are_far_from_each_other_and_always_the_same(count):
    chosen = jigsaw.permutation_set(count)
    assert chosen.sort(1).values.eq(torch.arange(9)).all()
    different = (chosen[:, None] != chosen[None]).sum(-1)
    pairs = different[~torch.eye(count, dtype=torch.bool)]
    assert pairs.min() >= 2  # the least that two permutations differ in
    assert pairs.float().mean() > 8.0  # what permutations drawn at random have
    assert chosen[:2].tolist() == [[0, 1, 2, 3, 4, 5, 6, 7, 8], [1, 0, 3, 2, 5, 4, 7, 8, 6]]


def test_tiles_of_a_jigsaw_stay_in_their_cells(rows_and_columns):
    cut = jigsaw.random_tiles(rows_and_columns)
    assert cut.shape == (300, 9, 3, 18, 18)
    corner = cut[:, :, :2, 0, 0].unflatten(1, (3, 3))
    cell = torch.stack(torch.meshgrid(*2 * [21.0 * torch.arange(3)], indexing="ij"), -1)
    assert set((corner - cell).flatten().tolist()) == {0.0, 1.0, 2.0, 3.0}


def test_tiles_of_a_jigsaw_are_normalised_one_by_one():
    cut = jigsaw.normalised(torch.rand(2, 9, 3, 18, 18) * torch.rand(2, 9, 1, 1, 1) + 0.1)
    assert cut.mean((2, 3, 4)).abs().max() < 1e-4
    assert (cut.std((2, 3, 4)) - 1.0).abs().max() < 1e-3
    assert (jigsaw.normalised(torch.full((1, 9, 3, 18, 18), 0.3)).abs() < 1e-4).all()


def test_a_jigsaw_shows_the_encoder_tiles_in_the_order_of_the_label(monkeypatch):
    objective = make("jigsaw", batch_size=2)
    numbered = torch.arange(9.0).reshape(1, 9, 1, 1, 1).expand(2, 9, 3, 18, 18)
    monkeypatch.setattr(jigsaw, "random_tiles", lambda shown: numbered)
    monkeypatch.setattr(jigsaw, "normalised", lambda tiles: tiles)
    objective.encoder, objective.head = First(), Remembers()
    monkeypatch.setattr(torch, "randint", lambda high, size, device: torch.tensor([5, 63]))
    objective({"images": torch.zeros(2, 1, 3, 64, 64, dtype=torch.uint8)})
    expected = jigsaw.permutation_set(64)[[5, 63]].float()
    assert torch.allclose(objective.head.seen, expected, atol=1e-4)


class First(torch.nn.Module):
    """As a latent, the number that a tile is filled with."""

    def forward(self, images):
        return (images[:, 0, 0, :1] / 127.5) - 1.0


class Remembers(torch.nn.Module):
    def forward(self, latents):
        self.seen = latents
        return torch.zeros(len(latents), 64)


def test_counts_are_compared_as_the_paper_says(table, monkeypatch):
    objective = make("counting", batch_size=6)
    batch = next(batches(objective, [table]))
    monkeypatch.setattr(objective, "counts", lambda shown: 10.0 * shown.mean((2, 3))[:, :1])
    losses = objective(batch)
    red = 10.0 * batch["images"][:, 0, 0].float().mean((1, 2)) / 255.0
    feat = (red - 4.0 * red).square().mean()  # four tiles, each with the mean of the whole
    other = (red.roll(1) - 4.0 * red).square()
    diff = (10.0 - other).clamp_min(0.0).mean()
    assert losses["feat"].item() == pytest.approx(feat.item(), rel=1e-2)
    assert losses["diff"].item() == pytest.approx(diff.item(), rel=1e-2, abs=1e-3)
    assert losses["loss"] == losses["feat"] + losses["diff"]


def test_counts_are_not_negative_and_pictures_are_halved():
    objective = make("counting")
    shown = torch.rand(3, 3, 64, 64)
    assert (objective.counts(shown) >= 0.0).all()
    for _ in range(6):  # each way of downsampling
        assert downsampled(shown).shape == (3, 3, 32, 32)
