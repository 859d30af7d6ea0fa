"""What holds for each of them."""

import pytest
import torch
from trials import batches, make, probe_error, train

from latentplan_ros.learning import objectives

# What makes one learn within seconds; by default 60 updates with its own settings.
UPDATES = {
    "bigan": 40,
    "colorization": 25,
    "context_encoder": 30,
    "exemplar": 80,
    "split_brain": 25,
}
SETTINGS: dict[str, dict] = {
    "bigan": {"batch_size": 12, "channels": 8},
    "exemplar": {"batch_size": 16, "learning_rate": 2e-3},
    "jigsaw": {"batch_size": 12},
}
# What falls, where the loss itself holds two sides of a game, of which one wins as the other loses.
WATCHED = {"bigan": "reconstruction", "context_encoder": "reconstruction"}


def small(name):
    return make(name, **({"batch_size": 24} | SETTINGS.get(name, {})))


@pytest.mark.parametrize("name", objectives.names())
def test_it_lowers_its_loss_and_the_error_of_a_probe(name, table, other_side):
    objective = small(name)
    before = probe_error(objective, table)
    first, last = train(
        objective, [table, other_side], UPDATES.get(name, 60), WATCHED.get(name, "loss")
    )
    after = probe_error(objective, table)
    assert last < first
    assert after < before


@pytest.mark.parametrize("name", objectives.names())
def test_constant_pictures_give_finite_losses_and_gradients(name, table, other_side):
    objective = small(name)
    batch = next(batches(objective, [table, other_side]))
    for view in ("images", "second"):
        if view in batch:
            batch[view] = torch.full_like(batch[view], 127)
    losses = objective(batch)
    losses["loss"].backward()
    assert all(torch.isfinite(value).all() for value in losses.values())
    gradients = [w.grad for w in objective.parameters() if w.grad is not None]
    assert gradients
    assert all(torch.isfinite(gradient).all() for gradient in gradients)
