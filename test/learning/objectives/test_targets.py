"""Who is taught and who only follows: PSRL, CURL, SPR and DrQ beside their slow copies."""

import numpy as np
import pytest
import torch
from trials import batches, make, train

FOLLOWERS = {
    "psrl": ("target_encoder", "target_mix", "target_project", "target_project_latent"),
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


def test_all_of_psrls_own_networks_are_taught(table):
    reached = taught(make("psrl", batch_size=8), table)
    parts = "correspondence mix transform project predict change project_latent predict_latent"
    assert set(parts.split()) <= {name.split(".")[0] for name in reached}


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


@pytest.mark.parametrize("name", ["psrl", "spr"])
def test_latents_do_not_become_all_the_same(name, table):
    objective = make(name, batch_size=12)
    train(objective, [table], 30)
    rows = np.arange(0, table.num_frames, 4)
    images = torch.from_numpy(table.images(rows).transpose(0, 3, 1, 2).copy())
    with torch.no_grad():
        latents = objective.encoder(images)
    assert latents.std(0).mean() > 0.1


def test_the_preview_of_psrl_has_a_row_for_each_window(table):
    objective = make("psrl", batch_size=3)
    sheet = objective.preview(next(batches(objective, [table])))
    assert sheet.shape == (3 * 3 * 64, 3 * 4 * 64, 3)
    assert sheet.dtype == np.uint8
    source = sheet[::3, ::3][:64, :64]
    stored = {image.tobytes() for image in table.images(np.arange(table.num_frames))}
    assert np.ascontiguousarray(source).tobytes() in stored
