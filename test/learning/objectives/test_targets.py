"""Who is taught and who only follows: CURL, SPR and DrQ beside their slow copies."""

import numpy as np
import pytest
import torch
from trials import batches, make, train

FOLLOWERS = {
    "curl": ("key_encoder",),
    "spr": ("target_encoder", "target_projection"),
    "drq": ("target_encoder",),
}


def taught(objective, table):
    """Names of the weights that a gradient other than zero reaches."""
    objective(next(batches(objective, [table])))["loss"].backward()
    named = objective.named_parameters()
    return {name for name, weight in named if weight.grad is not None and weight.grad.any()}


@pytest.mark.parametrize("name", FOLLOWERS)
def test_no_gradient_reaches_what_follows(name, table):
    reached = taught(make(name, batch_size=8), table)
    assert not {n for n in reached if n.startswith(tuple(f"{f}." for f in FOLLOWERS[name]))}


@pytest.mark.parametrize("name", [*FOLLOWERS, "rad"])
def test_every_layer_of_the_encoder_is_taught(name, table):
    objective = make(name, batch_size=8)
    encoder = {f"encoder.{n}" for n, _ in objective.encoder.named_parameters()}
    assert encoder <= taught(objective, table)


@pytest.mark.parametrize("name", FOLLOWERS)
def test_a_follower_moves_by_the_rate(name, table):
    objective = make(name, batch_size=8, rate=0.25)
    follower = getattr(objective, FOLLOWERS[name][0])
    before = [weight.clone() for weight in follower.network.parameters()]
    with torch.no_grad():
        for weight in objective.encoder.parameters():
            weight.add_(1.0)
    objective.after_update()
    for old, new in zip(before, follower.network.parameters(), strict=True):
        torch.testing.assert_close(new, old + 0.25)


def test_latents_of_spr_do_not_become_all_the_same(table):
    objective = make("spr", batch_size=12)
    train(objective, [table], 30)
    rows = np.arange(0, table.num_frames, 4)
    images = torch.from_numpy(table.images(rows).transpose(0, 3, 1, 2).copy())
    with torch.no_grad():
        latents = objective.encoder(images)
    assert latents.std(0).mean() > 0.1
