"""Context encoder and bidirectional GAN."""

import pytest
import torch
from trials import batches, make

from latentplan_ros.learning.objectives.context_encoder import central_region, random_blocks
from latentplan_ros.learning.representation.discriminator import Discriminator


def reached(objective, term):
    """Parts of an objective whose weights a term's gradient reaches."""
    objective.zero_grad()
    term.backward()
    return {
        name.split(".")[0]
        for name, weight in objective.named_parameters()
        if weight.grad is not None and weight.grad.abs().sum() > 0.0
    }


def test_the_central_region_is_a_quarter():
    missing = central_region(torch.rand(2, 3, 64, 64))
    assert missing.shape == (2, 1, 64, 64)
    assert missing.mean() == 0.25
    assert missing[:, :, 16:48, 16:48].min() == 1.0


def test_random_blocks_differ_and_cover_at_most_a_quarter():
    torch.manual_seed(0)
    missing = random_blocks(torch.rand(100, 3, 64, 64))
    assert set(missing.unique().tolist()) == {0.0, 1.0}
    covered = missing.mean((1, 2, 3))
    assert covered.max() <= 0.25
    assert covered.min() >= 1 / 16  # one block, if all lie on it
    assert len(covered.unique()) > 10
    everywhere = missing.mean(0)[0]
    assert everywhere[0, 0] < everywhere[32, 32]  # blocks lie inside the picture


@pytest.mark.parametrize("central", [False, True])
def test_the_encoder_sees_gray_where_parts_are_missing(central, table):
    objective = make("context_encoder", batch_size=4, central=central)
    seen = []
    objective.encoder.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    batch = next(batches(objective, [table]))
    objective(batch)
    changed = (seen[0] - batch["images"][:, 0]).abs().amax(1) > 1e-3
    share = changed.float().mean((1, 2))
    assert (share == 0.25).all() if central else ((share > 0.0) & (share <= 0.25)).all()
    assert (seen[0].permute(0, 2, 3, 1)[changed] == 127.5).all()


def test_only_missing_pixels_count(table):
    objective = make("context_encoder", batch_size=4, central=True)
    batch = next(batches(objective, [table]))
    around = torch.ones(64, 64, dtype=torch.bool)
    around[16:48, 16:48] = False
    drawn = batch["images"][:, 0].float() / 255.0 + 0.3 * around
    objective.decoder = Draws(drawn)
    assert objective(batch)["reconstruction"].item() == pytest.approx(0.0, abs=1e-6)
    objective.decoder = Draws(drawn + 0.1)
    assert objective(batch)["reconstruction"].item() == pytest.approx(0.01, rel=1e-3)


class Draws(torch.nn.Module):
    def __init__(self, pictures):
        super().__init__()
        self.pictures = pictures

    def forward(self, latents):
        return self.pictures


def test_the_adversary_learns_by_its_own_loss_alone(table):
    objective = make("context_encoder", batch_size=4)
    batch = next(batches(objective, [table]))
    losses = objective(batch)
    assert reached(objective, losses["telling"]) == {"adversary"}
    losses = objective(batch)
    assert reached(objective, losses["loss"] - losses["telling"]) == {"encoder", "decoder"}


def test_reconstruction_counts_999_times_as_much_as_the_adversary(table):
    objective = make("context_encoder", batch_size=4)
    objective.adversary = Undecided()
    losses = objective(next(batches(objective, [table])))
    rest = losses["loss"] - losses["telling"] - 0.999 * losses["reconstruction"]
    assert rest.item() == pytest.approx(0.001 * torch.tensor(2.0).log().item(), rel=1e-2)


class Undecided(torch.nn.Module):
    def forward(self, pictures):
        return 0.0 * pictures.mean((1, 2, 3))


def test_the_discriminator_and_those_who_fool_it_share_no_gradient(table):
    objective = make("bigan", batch_size=4)
    batch = next(batches(objective, [table]))
    losses = objective(batch)
    assert reached(objective, losses["telling"]) == {"discriminator"}
    losses = objective(batch)
    fooling = losses["loss"] - losses["telling"]
    assert reached(objective, fooling) == {"encoder", "generator"}


def test_both_sides_want_the_opposite(table):
    """A step against the discriminator's loss raises that of the encoder and the generator."""
    objective = make("bigan", batch_size=8)
    batch = next(batches(objective, [table]))

    def judged():
        torch.manual_seed(1)
        losses = objective(batch)
        return losses["telling"].item(), (losses["loss"] - losses["telling"]).item()

    telling, fooling = judged()
    weights = list(objective.discriminator.parameters())
    torch.manual_seed(1)
    gradients = torch.autograd.grad(objective(batch)["telling"], weights)
    with torch.no_grad():
        for weight, gradient in zip(weights, gradients, strict=True):
            weight -= 0.01 * gradient
    better, worse = judged()
    assert better < telling
    assert worse > fooling


def test_latents_are_judged_on_one_scale():
    """Those of a picture and those that are drawn: else their scale alone would tell them apart."""
    objective = make("bigan")
    latents = objective.scaled(5.0 + 3.0 * torch.randn(7, 24))
    assert latents.mean(1).abs().max() < 1e-5
    assert (latents.var(1, unbiased=False) - 1.0).abs().max() < 1e-3


def test_layers_of_a_discriminator_have_a_spectral_norm_of_one():
    torch.manual_seed(0)
    discriminator = Discriminator(8, beside=5)
    with torch.no_grad():
        for layer in discriminator.judge:
            if hasattr(layer, "weight"):
                layer.parametrizations.weight.original.mul_(7.0)
    for _ in range(50):  # each pass takes one step of the power iteration
        assert discriminator(torch.rand(2, 3, 64, 64), torch.rand(2, 5)).shape == (2,)
    norms = [torch.linalg.matrix_norm(discriminator.judge[i].weight, 2).item() for i in (0, 2)]
    assert norms == pytest.approx([1.0, 1.0], rel=0.05)
