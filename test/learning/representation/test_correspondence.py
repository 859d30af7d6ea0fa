"""Correspondences of pictures whose true ones are known."""

import pytest
import torch
from torch.nn import functional

from latentplan_ros.learning.representation.correlation import correlation_volume
from latentplan_ros.learning.representation.correspondence import (
    Correspondence,
    correspondence_loss,
)
from latentplan_ros.learning.representation.flow_picture import flow_picture
from latentplan_ros.models.networks import Encoder

FURTHEST = 4  # pixels


def shifted_pairs(count):
    """Pictures a and b of the same texture and the flow from a to b, one shift a pair."""
    texture = functional.interpolate(torch.rand(count, 3, 16, 16), (80, 80), mode="bicubic")
    shifts = torch.randint(-FURTHEST, FURTHEST + 1, (count, 2))
    a = torch.stack(
        [
            one[:, 8 + y : 72 + y, 8 + x : 72 + x]
            for one, (x, y) in zip(texture, shifts.tolist(), strict=True)
        ]
    )
    return a, texture[:, :, 8:72, 8:72], shifts


def test_different_shifts_are_found_to_half_a_pixel_after_a_short_training():
    torch.manual_seed(0)
    encoder = Encoder(24, 8)
    correspondence = Correspondence(8, 16, 8)

    def flows(a, b):
        fine, coarse = encoder.pyramid(255.0 * a)
        return correspondence(fine, coarse, encoder.pyramid(255.0 * b)[1], (64, 64))

    weights = [*encoder.parameters(), *correspondence.parameters()]
    optimizer = torch.optim.Adam(weights, 3e-3)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.02, 200)
    for _ in range(200):
        a, b, _ = shifted_pairs(8)
        optimizer.zero_grad()
        correspondence_loss(flows(a, b), a, b, 0.01).backward()
        optimizer.step()
        schedule.step()
    a, b, shifts = shifted_pairs(32)
    with torch.no_grad():
        found = flows(a, b)[:, :, 8:-8, 8:-8].flatten(2).median(2).values
    wrong = (found - shifts).abs()
    assert wrong.mean() < 0.5
    assert (found - shifts.flip(1)).abs().mean() > 1.0  # x is x and y is y


@pytest.mark.parametrize("move", [(0, 0), (2, 0), (0, -3), (-1, 2)])
def test_the_volume_has_its_peak_at_the_move(move):
    torch.manual_seed(0)
    x, y = move
    b = torch.randn(2, 16, 12, 12)
    a = torch.roll(b, (-y, -x), (2, 3))  # what a shows at u, b shows at u + (x, y)
    volume = correlation_volume(a, b, 3)
    assert volume.shape == (2, 49, 12, 12)
    inside = volume[:, :, 4:-4, 4:-4]
    assert (inside.argmax(1) == 7 * (y + 3) + x + 3).all()
    torch.testing.assert_close(inside.amax(1), torch.ones(2, 4, 4))


def test_outside_of_the_map_nothing_is_alike():
    maps = torch.ones(1, 4, 6, 6)
    volume = correlation_volume(maps, maps, 2).unflatten(1, (5, 5))
    assert (volume[0, :2, :, 0] == 0.0).all()
    assert (volume[0, 2:, 2:, 0, 0] > 0.99).all()


@pytest.mark.parametrize(("size", "fine", "coarse"), [(64, 32, 16), (84, 37, 35), (84, 41, 35)])
def test_maps_of_other_sizes_are_taken(size, fine, coarse):
    module = Correspondence(4, 6, 16)
    a, b = torch.rand(2, 6, coarse, coarse), torch.rand(2, 6, coarse, coarse)
    flow = module(torch.rand(2, 4, fine, fine), a, b, (size, size))
    assert flow.shape == (2, 2, size, size)


def test_smoothness_is_let_go_where_the_picture_has_an_edge():
    picture, flow = torch.zeros(1, 3, 16, 16), torch.zeros(1, 2, 16, 16)
    flow[..., 8:] = 1e-3
    even = correspondence_loss(flow, picture, picture, 1.0)
    picture[..., 8:] = 1.0
    assert correspondence_loss(flow, picture, picture, 1.0) < 0.5 * even


def test_flow_colours():
    flow = torch.tensor([[[0.0, 0.0], [2.0, 0.0], [-2.0, 0.0], [1.0, 0.0]]]).numpy()
    still, right, left, slow = flow_picture(flow, 2.0)[0].tolist()
    assert still == [255, 255, 255]
    assert right == [255, 0, 0]
    assert left == [0, 255, 255]
    assert slow == [255, 128, 128]
