"""CURL, SPR, RAD and DrQ: what is augmented, what is a target, and what it is compared with."""

import numpy as np
import pytest
import torch
from trials import batches, make, train

from latentplan_ros.learning import objectives
from latentplan_ros.learning.objectives import curl, drq, rad, spr
from latentplan_ros.learning.representation.action_prediction import ActionPrediction
from latentplan_ros.models.points import PointEncoder

NAMES = ("curl", "spr", "drq", "rad")
TARGETS = {
    "curl": {"key_encoder": "encoder"},
    "spr": {"target_encoder": "encoder", "target_projection": "projection"},
    "drq": {"target_encoder": "encoder"},
}
SHIFTED_BY = {"curl": curl, "spr": spr, "drq": drq, "rad": rad}


def learning(objective, batch):
    objective(batch)["loss"].backward()
    return {
        name
        for name, weight in objective.named_parameters()
        if weight.grad is not None and weight.grad.abs().sum() > 0
    }


@pytest.mark.parametrize("name", NAMES)
def test_all_learn_but_the_targets(name, table):
    objective = make(name, batch_size=12)
    names = {one for one, _ in objective.named_parameters()}
    targets = {one for one in names if one.split(".")[0] in TARGETS.get(name, {})}
    assert bool(targets) == (name in TARGETS)
    assert learning(objective, next(batches(objective, [table]))) == names - targets


@pytest.mark.parametrize("name", TARGETS)
def test_targets_follow_by_the_rate(name):
    objective = make(name)
    for target, source in TARGETS[name].items():
        weight = next(getattr(objective, source).parameters())
        before = next(getattr(objective, target).parameters()).clone()
        with torch.no_grad():
            weight += 1.0
        objective.after_update()
        after = next(getattr(objective, target).parameters())
        torch.testing.assert_close(after, before + objective.recipe.rate)


@pytest.mark.parametrize("name", NAMES)
def test_points_are_learned_too(name, table):
    kind = objectives.find(name)
    objective = kind(PointEncoder(24, 8, 4), 24, kind.recipe_type(batch_size=12))
    learned = learning(objective, next(batches(objective, [table])))
    assert {f"encoder.{one}" for one, _ in objective.encoder.named_parameters()} <= learned


@pytest.fixture
def shifts(monkeypatch):
    """What each objective had shifted, in order, and left where it was."""
    seen = []

    def still(pictures, pad):
        seen.append(pictures.shape)
        return pictures

    for module in SHIFTED_BY.values():
        monkeypatch.setattr(module, "random_shift", still)
    return seen


def test_rad_draws_one_shift_for_both_pictures_of_a_pair(shifts, table):
    objective = make("rad", batch_size=12)
    objective(next(batches(objective, [table])))
    assert shifts == [(12, 6, 64, 64)]


def test_drq_has_two_shifts_of_targets_and_two_of_pairs(shifts, table):
    objective = make("drq", batch_size=12)
    objective(next(batches(objective, [table])))
    assert shifts == [(24, 3, 64, 64), (24, 6, 64, 64)]


def test_without_shifts_and_with_its_own_encoder_as_target_drq_is_rad(shifts, table):
    one, other = make("drq", batch_size=12), make("rad", batch_size=12)
    other.encoder.load_state_dict(one.encoder.state_dict())
    other.prediction.load_state_dict(one.prediction.state_dict())
    batch = next(batches(one, [table]))
    torch.testing.assert_close(one(batch)["loss"], other(batch)["loss"])


def test_no_gradient_reaches_the_target_of_a_prediction():
    here, following, target = (torch.rand(3, 8, requires_grad=True) for _ in range(3))
    ActionPrediction(8)(here, following, torch.rand(3, 4), target).backward()
    assert target.grad is None
    assert here.grad.abs().sum() > 0
    assert following.grad.abs().sum() > 0


def test_curl_finds_a_picture_by_its_own_key(shifts, table):
    objective = make("curl", batch_size=12)
    with torch.no_grad():
        objective.product.copy_(100.0 * torch.eye(24))
    batch = next(batches(objective, [table]))
    # Noise makes twelve pictures that no two encoders would mistake for each other.
    batch["images"] = torch.randint_like(batch["images"], 256)
    losses = objective(batch)
    assert losses["found"] == 1.0
    with torch.no_grad():
        objective.product.zero_()
    assert objective(batch)["loss"].item() == pytest.approx(torch.tensor(12.0).log().item())


def test_spr_predicts_each_step_with_the_actions_so_far(shifts, table, monkeypatch):
    monkeypatch.setattr(spr, "intensity_jitter", lambda pictures, scale: pictures)
    objective = make("spr", batch_size=12)
    batch = next(batches(objective, [table]))
    assert batch["images"].shape[1] == 6
    guessed = []
    objective.projection.register_forward_hook(lambda _, inputs, __: guessed.append(inputs[0]))
    changed = batch["actions"].clone()
    changed[:, 3] += 1.0  # leads from picture 3 to 4
    objective(batch)
    objective(batch | {"actions": changed})
    before, after = (steps.unflatten(0, (5, 12)) for steps in guessed)
    torch.testing.assert_close(before[:3], after[:3])
    assert (before[3:] - after[3:]).abs().amax((1, 2)).min() > 1e-3


def test_latents_of_spr_do_not_become_all_the_same(table):
    objective = make("spr", batch_size=12)
    train(objective, [table], 30)
    rows = np.arange(0, table.num_frames, 4)
    images = torch.from_numpy(table.images(rows).transpose(0, 3, 1, 2).copy())
    with torch.no_grad():
        latents = objective.encoder(images)
    assert latents.std(0).mean() > 0.1
