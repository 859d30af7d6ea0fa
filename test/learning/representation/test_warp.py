"""Which way a flow points, and that whole pixels are moved without loss."""

import torch

from latentplan_ros.learning.representation.warp import resized, warped


def a_flow(x, y, size=12):
    return torch.tensor([x, y], dtype=torch.float32).reshape(1, 2, 1, 1).expand(-1, -1, size, size)


def test_the_true_flow_makes_one_picture_of_the_other():
    b = torch.rand(1, 3, 12, 12)
    a = torch.roll(b, (2, -3), (2, 3))  # what b shows is in a 3 to the left and 2 down
    made = warped(b, a_flow(3, -2))
    torch.testing.assert_close(made[:, :, 2:, :-3], a[:, :, 2:, :-3])


def test_the_first_channel_is_to_the_right_and_the_second_down():
    b = torch.zeros(1, 1, 12, 12)
    b[0, 0, 4, 9] = 1.0
    assert warped(b, a_flow(3, 1))[0, 0, 3, 6] == 1.0


def test_beyond_the_border_is_the_border():
    b = torch.rand(1, 3, 12, 12)
    made = warped(b, a_flow(20, 0))
    torch.testing.assert_close(made, b[..., -1:].expand_as(b))


def test_half_a_pixel_is_the_mean_of_two():
    b = torch.rand(1, 3, 12, 12)
    made = warped(b, a_flow(0.5, 0))
    torch.testing.assert_close(made[..., :-1], (b[..., :-1] + b[..., 1:]) / 2)


def test_a_resized_flow_points_to_the_same_place():
    flow = resized(a_flow(8, 4), (6, 3))
    torch.testing.assert_close(flow[0, :, 0, 0], torch.tensor([2.0, 2.0]))
    assert flow.shape == (1, 2, 6, 3)
