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
    "arrow_of_time": 40,
    "tracking": 40,
    "video_colorization": 40,
}
SETTINGS: dict[str, dict] = {
    "bigan": {"batch_size": 12, "channels": 8},
    "exemplar": {"batch_size": 16, "learning_rate": 2e-3},
    "jigsaw": {"batch_size": 12},
    "spr": {"batch_size": 16, "learning_rate": 2e-3},
    "cc_vae": {"batch_size": 16, "channels": 8},
    "odd_one_out": {"batch_size": 16},
    "arrow_of_time": {"batch_size": 16},
    "tracking": {"batch_size": 16},
    "video_colorization": {"batch_size": 8, "learning_rate": 3e-3},
}
# What falls, where the loss itself holds two sides of a game, of which one wins as the other loses.
WATCHED = {"bigan": "reconstruction", "context_encoder": "reconstruction"}


def small(name):
    return make(name, **({"batch_size": 24} | SETTINGS.get(name, {})))


@pytest.mark.parametrize("name", objectives.names())
def test_it_lowers_its_loss_and_the_error_of_a_probe(name, recordings):
    objective = small(name)
    views = recordings(objective)
    before = probe_error(objective, views[0])
    first, last = train(objective, views, UPDATES.get(name, 60), WATCHED.get(name, "loss"))
    after = probe_error(objective, views[0])
    assert last < first
    assert after < before


@pytest.mark.parametrize("name", objectives.names())
def test_constant_pictures_give_finite_losses_and_gradients(name, recordings):
    objective = small(name)
    batch = next(batches(objective, recordings(objective)))
    for view in ("images", "second"):
        if view in batch:
            batch[view] = torch.full_like(batch[view], 127)
    losses = objective(batch)
    losses["loss"].backward()
    assert all(torch.isfinite(value).all() for value in losses.values())
    gradients = [w.grad for w in objective.parameters() if w.grad is not None]
    assert gradients
    assert all(torch.isfinite(gradient).all() for gradient in gradients)
