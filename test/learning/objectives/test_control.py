"""Objectives of control: moments near and far, two cameras, imagined goals, grasps."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import INFO, THINGS, moved
from torch import nn
from torch.distributions import Normal, kl_divergence
from trials import Stub, batches, make, train

from latentplan_ros.data.dataset import Dataset, DatasetError, DatasetWriter
from latentplan_ros.learning.objectives import find
from latentplan_ros.learning.representation.clips import Clips
from latentplan_ros.learning.representation.gaussian_latent import GaussianLatent
from latentplan_ros.learning.representation.n_pairs import n_pairs
from latentplan_ros.learning.representation.objective import pictures
from latentplan_ros.learning.representation.time_contrast import FRAMES, triplets


# Time contrast -------------------------------------------------------------------------------
def test_positives_are_a_step_away_and_negatives_beyond_the_margin():
    anchor, positive, negative = triplets(2000, torch.device("cpu"))
    assert set((positive - anchor).abs().tolist()) == {1}
    assert set((negative - anchor).abs().tolist()) == {3, 4, 5, 6, 7}
    for moments in (anchor, positive, negative):
        assert set(moments.tolist()) == set(range(FRAMES))


def brightness(objective):
    """Makes the embedding the picture's brightness, in grey values."""
    objective.encode = lambda seen: 255.0 * seen.mean((1, 2, 3))[:, None]
    objective.embed = nn.Identity()


def test_one_camera_compares_moments_of_one_window():
    objective = make("tcn", margin=4.0)
    brightness(objective)
    times = torch.arange(FRAMES, dtype=torch.uint8).reshape(1, -1, 1, 1, 1)
    losses = objective({"images": times.expand(64, -1, 3, 64, 64)})
    # Squared distances in steps: 1 to a positive, 9 at least to a negative, which a margin of 4 is
    # less than.
    assert losses["loss"] == pytest.approx(0.0, abs=1e-3)
    assert losses["right"] == 1.0


def test_two_cameras_meet_at_one_moment_and_part_at_others():
    objective = make("tcn_two_views")
    seen = []
    objective.encode = lambda p: (seen.append(255.0 * p.mean((1, 2, 3))), torch.zeros(len(p), 24))[
        1
    ]
    times = torch.arange(FRAMES, dtype=torch.uint8).reshape(1, -1, 1, 1, 1)
    views = times.expand(64, -1, 3, 64, 64)
    objective({"images": views, "second": views + 100})
    anchor, positive, negative = seen[0].round().chunk(3)
    torch.testing.assert_close(positive, anchor + 100)
    assert (negative < FRAMES).all()
    assert ((negative - anchor).abs() > 2).all()


def test_n_pairs_is_the_formula_of_the_survey():
    torch.manual_seed(0)
    a, p, n = torch.randn(3, 5, 4)
    for negatives in (None, n):
        want = 0.0
        for i in range(5):
            others = [(a[i] @ p[j]).exp() for j in range(5)]
            if negatives is not None:
                others.append((a[i] @ n[i]).exp())
            want -= ((a[i] @ p[i]).exp() / sum(others)).log() / 5
            want += 0.1 * (a[i].square().sum() + p[i].square().sum()) / 5
        torch.testing.assert_close(n_pairs(a, p, 0.1, negatives), want)


# Variational autoencoders --------------------------------------------------------------------
def test_the_latent_is_the_mean_and_the_divergence_is_that_of_gaussians():
    torch.manual_seed(0)
    gaussian, mean = GaussianLatent(6), torch.randn(4, 6)
    deviation = (0.5 * gaussian.log_variance(mean)).exp()
    samples = torch.stack([gaussian(mean)[0] for _ in range(4000)])
    torch.testing.assert_close(samples.mean(0), mean, atol=0.1, rtol=0)
    torch.testing.assert_close(samples.std(0), deviation, atol=0.1, rtol=0)
    want = kl_divergence(Normal(mean, deviation), Normal(0.0, 1.0)).sum(1)
    torch.testing.assert_close(gaussian(mean)[1], want)


@pytest.mark.parametrize("name", ["beta_vae", "cc_vae"])
def test_the_loss_weighs_the_divergence_by_beta(name, table):
    values = {}
    for beta in (0.0, 7.0):
        objective = make(name, beta=beta, batch_size=4)
        batch = next(batches(objective, [table]))
        torch.manual_seed(3)
        values[beta] = objective(batch)
    added = values[7.0]["loss"] - values[0.0]["loss"]
    torch.testing.assert_close(added, 7.0 * values[0.0]["divergence"] / (3 * 64 * 64))


def test_the_context_vae_draws_the_first_picture_from_the_context_alone(table):
    objective = make("cc_vae", batch_size=12, channels=8, learning_rate=2e-3)
    train(objective, [table], 90)
    first = pictures(next(batches(objective, [table])))[:, 0]
    with torch.no_grad():
        drawn = objective.context_decoder(objective.context(255.0 * first))
    error, of_another = ((d - first).square().mean() for d in (drawn, drawn.roll(1, 0)))
    assert error < 0.8 * (first.mean(0) - first).square().mean()
    assert error < 0.5 * of_another


def test_the_context_has_an_encoder_of_its_own_and_no_say_in_the_latent(table):
    objective = make("cc_vae", batch_size=4)
    shared = {id(weight) for weight in objective.encoder.parameters()}
    assert not shared & {id(weight) for weight in objective.context.parameters()}
    encoded = []
    encoder = objective.encoder
    objective.encode = lambda seen: (encoded.append(seen), encoder(255.0 * seen))[1]
    frames = torch.arange(8, dtype=torch.uint8).reshape(1, -1, 1, 1, 1)
    objective({"images": (10 * frames).expand(200, -1, 3, 64, 64)})
    moments = (255.0 * encoded[0].mean((1, 2, 3)) / 10.0).round()
    assert set(moments.tolist()) == set(range(1, 8))  # any later picture, never the first


# Grasp2Vec -----------------------------------------------------------------------------------
def test_what_is_missing_is_what_was_taken():
    """With embeddings that count colours, the difference of scenes is the thing."""
    objective = make("grasp2vec", norm_weight=0.0)

    def count(seen):
        return 8.0 * seen.amax((2, 3))

    objective.encode, objective.scene = count, nn.Identity()
    objective.outcome = Stub(lambda outcome: count(outcome / 255.0))
    images = torch.zeros(3, 3, 3, 64, 64, dtype=torch.uint8)
    images[:, 0, :, 10:20, 10:20] = 255  # all of red, green and blue
    for taken in range(3):
        images[taken, 1] = images[taken, 0]
        images[taken, 1, taken] = 0
        images[taken, 2, taken] = 255
    losses = objective({"images": images})
    assert losses["right"] == 1.0
    assert losses["loss"] < 1e-3


def test_it_learns_which_thing_was_taken(grasps):
    objective = make("grasp2vec", batch_size=24)
    train(objective, [grasps], 60)
    starts = grasps.episode_starts
    images = grasps.images(starts[:, None] + np.arange(3)).transpose(0, 1, 4, 2, 3)
    before, after, outcome = torch.from_numpy(images.copy()).unbind(1)
    things = grasps.truth[starts + 2].argmax(1)
    with torch.no_grad():
        scenes = [objective.scene(objective.encoder(seen)) for seen in (before, after)]
        found = ((scenes[0] - scenes[1]) @ objective.outcome(outcome).T).argmax(1).numpy()
    assert (things[found] == things).mean() > 0.8 > 3.0 / len(THINGS)


# What the datasets must be -------------------------------------------------------------------
def test_recordings_of_another_task_are_refused(table):
    with pytest.raises(
        DatasetError, match=r"of task tiny_table; .*latentplan collect --task franka_grasp"
    ):
        Clips([table], np.arange(3), find("grasp2vec").needs)


def test_two_cameras_need_a_second_dataset_of_the_same_moments(table, other_side, tmp_path):
    needs, episodes = find("tcn_two_views").needs, np.arange(3)
    with pytest.raises(DatasetError, match="a second camera"):
        Clips([table], episodes, needs)
    path = tmp_path / "others.zarr"
    with DatasetWriter(path, replace(INFO)) as writer:
        for episode in range(table.num_episodes):
            writer.append(moved(np.random.default_rng([9, episode]), True))
    with pytest.raises(DatasetError, match="not of the same moments"):
        Clips([table, Dataset.open(path)], episodes, needs)
    batch = Clips([table, other_side], episodes, needs).draw(np.random.default_rng(0), 4)
    assert batch["second"].shape == batch["images"].shape
    torch.testing.assert_close(
        batch["second"], batch["images"].flip(3, 4) // 2 + 60, atol=0, rtol=0
    )
