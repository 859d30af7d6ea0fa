"""PSRL: who learns from what, who follows whom, and its pictures."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn
from trials import batches, make, train

from latentplan_ros.learning import objectives
from latentplan_ros.learning.representation.paired_similarity import (
    global_loss,
    local_loss,
    min_max,
)
from latentplan_ros.models.points import PointEncoder

TARGETS = (
    "target_encoder.",
    "volumes.target_mix.",
    "volumes.target_project.",
    "target_project_latent.",
)


@pytest.fixture
def psrl(table):
    """After an update, as no layer below the flow learns in the first one, when nothing moves."""
    objective = make("psrl", batch_size=6)
    train(objective, [table], 1)
    return objective


@pytest.fixture
def batch(psrl, table):
    return next(batches(psrl, [table]))


def gradients(objective, batch, **settings):
    """By name, those that are not zero."""
    objective.recipe = dataclasses.replace(objective.recipe, **settings)
    objective.zero_grad()
    objective(batch)["loss"].backward()
    return {
        name: weight.grad.clone()
        for name, weight in objective.named_parameters()
        if weight.grad is not None and weight.grad.abs().sum() > 0
    }


def test_all_learn_but_the_targets(psrl, batch):
    names = {name for name, _ in psrl.named_parameters()}
    targets = {name for name in names if name.startswith(TARGETS)}
    assert len(targets) == sum(
        len(list(source.parameters()))
        for source in (psrl.encoder, psrl.volumes.mix, psrl.volumes.project, psrl.project_latent)
    )
    assert set(gradients(psrl, batch)) == names - targets


def test_the_pictures_alone_teach_correspondences_and_low_layers_alone(psrl, batch):
    without, beside = gradients(psrl, batch, similarity=0.0), gradients(psrl, batch, similarity=1.0)
    taught = {name for name in without if name.startswith("correspondence.")}
    assert taught
    for name in taught:
        torch.testing.assert_close(beside[name], without[name])
    low = {
        f"encoder.convolutions.{layer}.{part}" for layer in (0, 2) for part in ("weight", "bias")
    }
    assert {name for name in without if name.startswith("encoder.")} == low


def test_targets_follow_by_the_rate(psrl):
    followed = {
        "target_encoder": psrl.encoder,
        "volumes.target_mix": psrl.volumes.mix,
        "volumes.target_project": psrl.volumes.project,
        "target_project_latent": psrl.project_latent,
    }
    before = {name: first_weight(psrl.get_submodule(name)).clone() for name in followed}
    with torch.no_grad():
        for source in followed.values():
            first_weight(source).add_(1.0)
    psrl.after_update()
    for name, old in before.items():
        torch.testing.assert_close(first_weight(psrl.get_submodule(name)), old + psrl.recipe.rate)


def first_weight(network):
    return next(network.parameters())


def test_the_action_is_that_after_the_newest_picture(psrl, batch):
    loss = psrl(batch)["loss"]
    earlier, last = batch["actions"].clone(), batch["actions"].clone()
    earlier[:, :-1] += 1.0
    last[:, -1] += 1.0
    assert psrl(batch | {"actions": earlier})["loss"] == loss
    assert psrl(batch | {"actions": last})["loss"] != loss


@pytest.mark.parametrize("loss", [global_loss, local_loss])
def test_no_gradient_reaches_what_is_compared_with(loss):
    guess, target = torch.rand(2, 4, 5, requires_grad=True), torch.rand(2, 4, 5, requires_grad=True)
    loss(guess, target).backward()
    assert guess.grad.abs().sum() > 0
    assert target.grad is None


def test_volumes_are_compared_on_one_scale():
    volumes = torch.randn(3, 2, 4, 4) * torch.tensor([1.0, 50.0, 0.0]).reshape(3, 1, 1, 1)
    scaled = min_max(volumes)
    torch.testing.assert_close(scaled.amin((1, 2, 3)), torch.zeros(3))
    torch.testing.assert_close(scaled.amax((1, 2, 3)), torch.tensor([1.0, 1.0, 0.0]))


def test_latents_of_different_pictures_come_apart(psrl, table):
    images = torch.from_numpy(table.images(np.arange(100)).transpose(0, 3, 1, 2).copy())
    before = psrl.encoder(images).std(0).mean()
    train(psrl, [table], 25)
    assert psrl.encoder(images).std(0).mean() > 1.5 * before


def test_a_preview_has_a_row_for_each_pair_and_changes_nothing(psrl, batch):
    state = {name: value.clone() for name, value in psrl.state_dict().items()}
    sheet = psrl.preview(batch)
    assert (sheet.shape, sheet.dtype) == ((6 * 3 * 64, 4 * 3 * 64, 3), np.uint8)
    source = batch["images"][0, -2].permute(1, 2, 0).numpy()
    np.testing.assert_array_equal(sheet[: 3 * 64 : 3, : 3 * 64 : 3], source)
    for name, value in psrl.state_dict().items():
        assert torch.equal(value, state[name])
    assert psrl.correspondence.training


def test_points_are_learned_too(batch):
    kind = objectives.find("psrl")
    objective = kind(PointEncoder(24, 8, 4), 24, kind.recipe_type())
    learned = gradients(objective, batch)
    assert {f"encoder.{name}" for name, _ in objective.encoder.named_parameters()} <= set(learned)


class OfControlSuite(nn.Module):
    """Pictures of 84 x 84, maps of 41 x 41 and 35 x 35."""

    def __init__(self):
        super().__init__()
        self.fine = nn.Conv2d(3, 4, 3, 2)
        self.coarse = nn.Sequential(*(nn.Conv2d(4, 4, 3) for _ in range(3)))
        self.latent = nn.Linear(4 * 35 * 35, 8)

    def pyramid(self, pictures):
        fine = self.fine(pictures / 255.0)
        return fine, self.coarse(fine)

    def forward(self, pictures):
        return self.latent(self.pyramid(pictures)[1].flatten(1))


def test_other_pictures_and_actions_are_taken():
    kind = objectives.find("psrl")
    objective = kind(OfControlSuite(), 8, kind.recipe_type(), actions=6)
    batch = {
        "images": torch.randint(256, (2, 4, 3, 84, 84), dtype=torch.uint8),
        "actions": torch.rand(2, 3, 6),
    }
    assert torch.isfinite(objective(batch)["loss"])
    assert objective.preview(batch).shape == (2 * 3 * 84, 4 * 3 * 84, 3)


def test_other_colours_are_the_same_for_a_stack_and_not_for_the_targets(table, monkeypatch):
    objective = make("psrl", batch_size=6, jitter=0.5)
    batch = next(batches(objective, [table]))
    batch["images"] = batch["images"][:, :1].expand_as(batch["images"])  # nothing moves
    seen = {}
    for name, network in (("query", objective.encoder), ("target", objective.target_encoder)):
        real = getattr(network, "network", network)
        pyramid = real.pyramid

        def watched(pictures, name=name, pyramid=pyramid):
            seen[name] = pictures.unflatten(0, (len(batch["images"]), -1))
            return pyramid(pictures)

        monkeypatch.setattr(real, "pyramid", watched)
    objective(batch)
    original = batch["images"][:, :3].float()
    torch.testing.assert_close(seen["target"], original)
    torch.testing.assert_close(seen["query"], seen["query"][:, :1].expand(-1, 3, -1, -1, -1))
    changed = (seen["query"] - original).abs().mean((1, 2, 3, 4))
    assert (changed > 1.0).all()
    assert len(changed.unique()) == len(changed)
