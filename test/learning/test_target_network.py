"""A target follows its source at the rate that was said, and learns nothing itself."""

import torch
from torch import nn

from latentplan_ros.learning.target_network import TargetNetwork


def test_it_follows_by_the_rate_and_copies_buffers():
    source = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    target = TargetNetwork(source)
    before = target.network[0].weight.clone()
    with torch.no_grad():
        source[0].weight += 1.0
    source(torch.rand(8, 3))
    target.follow(source, 0.1)
    torch.testing.assert_close(target.network[0].weight, before + 0.1)
    torch.testing.assert_close(target.network[1].running_mean, source[1].running_mean)


def test_no_gradient_passes_it():
    source = nn.Linear(3, 2)
    target = TargetNetwork(source)
    inputs = torch.rand(4, 3, requires_grad=True)
    assert not target(inputs).requires_grad
    assert not any(weight.requires_grad for weight in target.parameters())
    assert all(weight.requires_grad for weight in source.parameters())
