"""PSRL: who learns from what, who follows whom, and its pictures."""

import dataclasses

import pytest
import torch
from trials import batches, make

from latentplan_ros.learning import objectives
from latentplan_ros.learning.representation.paired_similarity import (
    global_loss,
    local_loss,
    min_max,
)
from latentplan_ros.models.networks import Encoder
from latentplan_ros.models.points import PointEncoder

TARGETS = ("target_encoder.", "target_mix.", "target_project.", "target_project_latent.")


@pytest.fixture
def psrl():
    return make("psrl", batch_size=6)


@pytest.fixture
def batch(psrl, table):
    return next(batches(psrl, [table]))


def learning(objective):
    return {
        name
        for name, weight in objective.named_parameters()
        if weight.grad is not None and weight.grad.abs().sum() > 0
    }


def test_all_of_the_encoder_and_the_heads_learn_and_no_target_does(psrl, batch):
    psrl(batch)["loss"].backward()
    everyone = {name for name, _ in psrl.named_parameters()}
    targets = {name for name in everyone if name.startswith(TARGETS)}
    # A bias that a batch norm subtracts again learns nothing to speak of.
    idle = {name for name in everyone - targets if name not in learning(psrl)}
    assert targets.isdisjoint(learning(psrl))
    assert targets
    assert not {name for name in idle if not name.endswith("bias")}
    assert {name for name in everyone if name.startswith("encoder.")} <= learning(psrl)


def test_similarity_does_not_train_the_correspondences(psrl, batch):
    """They are learned from pictures alone; z^q still learns by being warped."""
    losses = psrl(batch)
    only_similarity = losses["loss"] - _correspondence_loss(psrl, batch)
    assert only_similarity.item() == pytest.approx(
        (losses["similarity"] + losses["latent_similarity"]).item(), abs=1e-4
    )
    psrl.recipe = dataclasses.replace(psrl.recipe, similarity=0.0)
    psrl.zero_grad()
    psrl(batch)["loss"].backward()
    alone = {n: w.grad.clone() for n, w in psrl.correspondence.named_parameters()}
    psrl.recipe = dataclasses.replace(psrl.recipe, similarity=1.0)
    psrl.zero_grad()
    psrl(batch)["loss"].backward()
    for name, weight in psrl.correspondence.named_parameters():
        torch.testing.assert_close(weight.grad, alone[name])
