import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from latentplan_ros.control.exploration import SmoothedRandomPolicy
from latentplan_ros.planning.noise import filter_matrix, smoothed_noise


@given(horizon=st.integers(1, 20), beta=st.floats(0.05, 1.0), seed=st.integers(0, 2**31))
@settings(max_examples=50, deadline=None)
def test_filter_matrix_is_the_recursion(horizon: int, beta: float, seed: int) -> None:
    raw = np.random.default_rng(seed).normal(size=horizon + 1)
    expected, last = [], raw[0]
    for eps in raw[1:]:
        last = beta * eps + (1 - beta) * last
        expected.append(last)
    matrix = filter_matrix(horizon, beta)
    np.testing.assert_allclose(matrix.numpy() @ raw, expected, atol=1e-5)


def test_samples_are_distributed_as_the_data_collecting_policy() -> None:
    std = (0.3, 0.3, 0.2, 0.1)
    policy, rng = SmoothedRandomPolicy(std), np.random.default_rng(0)
    episodes = []
    for _ in range(4000):
        policy.reset(rng)
        episodes.append([policy.act() for _ in range(6)])
    collected = np.array(episodes)
    generator = torch.Generator().manual_seed(0)
    sampled = smoothed_noise(4000, filter_matrix(6, 0.5), torch.tensor(std), generator).numpy()
    np.testing.assert_allclose(sampled.std(0), collected.std(0), rtol=0.08)
    correlation = [np.corrcoef(x[:, 2, 0], x[:, 3, 0])[0, 1] for x in (sampled, collected)]
    assert correlation[0] == pytest.approx(correlation[1], abs=0.05)
