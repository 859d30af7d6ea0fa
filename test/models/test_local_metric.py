"""The local metric's networks: those of the paper's listing, on any two pictures."""

import pytest
import torch

from latentplan_ros.models.local_metric import TRUNKS, StackedMetric


@pytest.mark.parametrize("kind", TRUNKS)
def test_two_pictures_give_one_number(kind):
    torch.manual_seed(0)
    metric = StackedMetric(kind).eval()
    start, end = torch.randint(0, 256, (2, 5, 64, 64), dtype=torch.uint8)
    with torch.no_grad():
        apart = metric(start, end)
        assert apart.shape == (5,)
        assert torch.isfinite(apart).all()
        # Stacked and not Siamese: there and back need not be the same.
        assert not torch.allclose(apart, metric(end, start))
        torch.testing.assert_close(metric(start[1:2], end[1:2]), apart[1:2], atol=1e-5, rtol=1e-4)


def test_the_maze_network_is_the_listed_one():
    """Appendix G: weights and biases of each layer, batch norms included."""
    convolutions = [(2, 32), (32, 64), (64, 64), (64, 32)]
    listed = sum(16 * a * b + b + 2 * b for a, b in convolutions)
    listed += 128 * 128 + 128 + 128 * 100 + 100 + 100 + 1
    assert sum(p.numel() for p in StackedMetric("maze").parameters()) == listed
