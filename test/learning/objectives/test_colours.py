"""Lab, colorization and the split-brain autoencoder."""

import cv2
import numpy as np
import pytest
import torch
from trials import LATENT, batches, make

from latentplan_ros.learning.objectives.colorization import rebalancing, soft_encoding
from latentplan_ros.learning.objectives.split_brain import isoluminant
from latentplan_ros.learning.representation.lab import ab_bins, gray, to_lab, to_rgb


@pytest.fixture
def colours():
    torch.manual_seed(0)
    return torch.rand(4, 3, 64, 64)


def test_lab_is_that_of_opencv(colours):
    ours = to_lab(colours).permute(0, 2, 3, 1).numpy()
    for picture, lab in zip(colours, ours, strict=True):
        theirs = cv2.cvtColor(picture.permute(1, 2, 0).numpy().copy(), cv2.COLOR_RGB2Lab)
        assert np.abs(lab - theirs).max() < 0.5


def test_lab_goes_there_and_back(colours):
    assert (to_rgb(to_lab(colours)) - colours).abs().max() < 1e-4


def test_gray_has_no_colour_and_isoluminant_no_lightness(colours):
    lab = to_lab(0.3 + 0.2 * colours)  # so faint that L = 50 can show them
    as_gray = to_lab(gray(lab))
    assert (as_gray[:, 0] - lab[:, 0]).abs().max() < 0.01
    assert as_gray[:, 1:].abs().max() < 0.01
    even = to_lab(isoluminant(lab))
    assert (even[:, 0] - 50.0).abs().max() < 0.01
    assert (even[:, 1:] - lab[:, 1:]).abs().max() < 0.01


def test_there_are_313_bins_of_colour(colours):
    bins = ab_bins()
    assert bins.shape == (313, 2)
    assert (bins % 10 == 0).all()
    assert len(bins.unique(dim=0)) == 313
    assert bins.amin(0).tolist() == [-90.0, -110.0]
    assert bins.amax(0).tolist() == [100.0, 100.0]
    ab = to_lab(colours)[:, 1:].permute(0, 2, 3, 1).reshape(-1, 2)
    assert (
        torch.cdist(ab, bins).amin(1).max() < 50.0**0.5 + 1e-3
    )  # each colour in a cell of 10 x 10


def test_a_colour_is_spread_over_its_five_nearest_bins():
    bins = ab_bins()
    at = torch.tensor([[0.0, 0.0], [13.0, -42.0]])
    shares = soft_encoding(at, bins)
    assert torch.allclose(shares.sum(1), torch.ones(2))
    assert (shares > 0.0).sum(1).tolist() == [5, 5]
    near = bins[shares[0] > 0.0].tolist()
    assert sorted(near) == [[-10.0, 0.0], [0.0, -10.0], [0.0, 0.0], [0.0, 10.0], [10.0, 0.0]]
    ratio = shares[0, (bins == 0.0).all(1)] / shares[0].sort().values[-2]
    assert ratio.item() == pytest.approx(np.exp(0.5 * (10.0 / 5.0) ** 2), rel=1e-4)
    assert bins[shares[1].argmax()].tolist() == [10.0, -40.0]


def test_rare_colours_weigh_more():
    bins = ab_bins()
    prior = torch.full((313,), 0.1 / 312)
    prior[150] = 0.9
    weights = rebalancing(prior, bins)
    assert weights.argmin() == 150
    assert weights.max() / weights.min() > 50.0
    # Half of the uniform distribution is mixed in, so that none weighs without bound.
    assert rebalancing(torch.eye(313)[150], bins).max() < 1000.0
    assert torch.allclose(
        rebalancing(torch.full((313,), 1 / 313), bins).mean(), torch.tensor(1.0), atol=0.1
    )


def test_the_prior_is_the_mean_of_what_was_seen(table):
    objective = make("colorization", batch_size=8)
    stream = batches(objective, [table])
    objective(next(stream))
    first = objective.prior.clone()
    assert first.sum().item() == pytest.approx(1.0, abs=1e-4)
    assert (first == 0.0).sum() > 250  # a table of few colours
    objective.eval()
    objective(next(stream))
    assert torch.equal(objective.prior, first)


def test_colorization_sees_no_colours(table):
    objective = make("colorization", batch_size=4)
    seen = []
    objective.encoder.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    objective(next(batches(objective, [table])))
    assert (seen[0].std(1) < 0.01).all()
    assert seen[0].std() > 1.0


@pytest.mark.parametrize(("prediction", "picture", "half"), [("colour", 0, 0), ("lightness", 1, 1)])
def test_each_prediction_has_one_picture_and_one_half_of_its_latent(
    prediction, picture, half, table
):
    objective = make("split_brain", batch_size=4)
    latents = []
    objective.encoder.register_forward_hook(lambda module, inputs, output: latents.append(output))
    losses = objective(next(batches(objective, [table])))
    (gradient,) = torch.autograd.grad(losses[prediction], latents)
    reached = gradient.unflatten(1, (2, LATENT // 2)).abs().sum(2).unflatten(0, (2, 4)).sum(1) > 0.0
    expected = torch.zeros(2, 2, dtype=torch.bool)
    expected[picture, half] = True
    assert torch.equal(reached, expected)
