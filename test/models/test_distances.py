"""Distances: values and time steps are each other's inverse, and order is kept everywhere."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from latentplan_ros.models.iqe_distance import IqeDistance, covered_length
from latentplan_ros.models.plan2vec_distance import Plan2vecDistance
from latentplan_ros.models.q_distance import QDistance, q_to_steps, steps_to_q
from latentplan_ros.models.sorb_distance import SorbDistance, expected_steps
from latentplan_ros.models.temporal_distance import TemporalDistance
from latentplan_ros.models.value_distance import ValueDistance

discounts = st.floats(0.5, 0.85)


@given(discount=discounts, steps=st.floats(1.0, 15.0))
def test_steps_to_q_is_the_inverse_of_q_to_steps(discount, steps):
    steps = min(steps, 1.0 + 4.5 / -torch.log(torch.tensor(discount)).item())
    q = steps_to_q(torch.tensor([steps], dtype=torch.float64), discount)
    assert q_to_steps(q, discount).item() == pytest.approx(steps, abs=1e-6)


@given(discount=discounts, steps=st.integers(1, 40))
def test_q_is_the_sum_of_the_rewards_on_the_way(discount, steps):
    total = sum(discount**k for k in range(steps - 1)) + 10.0 * discount ** (steps - 1)
    assert steps_to_q(torch.tensor(float(steps)), discount).item() == pytest.approx(total, rel=1e-4)


@given(discount=discounts, low=st.floats(-50, 50), more=st.floats(0.01, 50))
def test_a_higher_q_is_always_fewer_steps(discount, low, more):
    q = torch.tensor([low, low + more], dtype=torch.float64)
    far, near = q_to_steps(q, discount)
    assert torch.isfinite(far)
    assert near < far


HEADS = {
    "q": QDistance(6, 16, 3, 3, 0.8, 0.3),
    "value": ValueDistance(6, 16, 2, 0.95),
    "temporal": TemporalDistance(6, 16, 3),
    "iqe": IqeDistance(6, 16, 2, 4, 3),
    "plan2vec": Plan2vecDistance(6, 16, 2, 4, 3, 1.5),
    "sorb": SorbDistance(6, 16, 3, 3, 10, 4.0, 5),
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_a_distance_is_one_finite_number_a_pair(head):
    state, goal = torch.randn(2, 7, 6) * 100
    together = head(state, goal)
    assert together.shape == (7,)
    assert torch.isfinite(together).all()
    alone = torch.cat([head(s[None], g[None]) for s, g in zip(state, goal, strict=True)])
    torch.testing.assert_close(together, alone)


def test_a_value_of_minus_the_discounted_steps_reads_as_those_steps(monkeypatch):
    head = ValueDistance(6, 16, 2, 0.95)
    steps = torch.arange(0.0, 60.0)
    values = -(1 - 0.95**steps) / (1 - 0.95)
    monkeypatch.setattr(head, "values", lambda state, goal: values.expand(2, -1))
    torch.testing.assert_close(head(steps[:, None], steps[:, None]), steps, atol=1e-3, rtol=1e-3)


points = st.lists(st.floats(-3, 3, width=16), min_size=6, max_size=6)


@given(seed=st.integers(0, 20), start=points, middle=points, end=points)
def test_an_iqe_is_a_quasimetric_whatever_its_weights(seed, start, middle, end):
    torch.manual_seed(seed)
    head = IqeDistance(6, 8, 1, 4, 3).double()
    a, b, c = torch.tensor([start, middle, end], dtype=torch.float64)[:, None]
    with torch.no_grad():
        assert head(a, a).item() == 0.0
        assert head(a, b).item() >= 0.0
        assert head(a, c).item() <= head(a, b).item() + head(b, c).item() + 1e-9


@given(seed=st.integers(0, 20), start=points, middle=points, end=points)
def test_plan2vec_is_a_metric_whatever_its_weights(seed, start, middle, end):
    torch.manual_seed(seed)
    head = Plan2vecDistance(6, 8, 1, 4, 3, 1.2).double()
    a, b, c = torch.tensor([start, middle, end], dtype=torch.float64)[:, None]
    with torch.no_grad():
        for apart in (head, head.near):
            assert apart(a, a).item() == pytest.approx(0.0, abs=2e-3)
            assert apart(a, b).item() == apart(b, a).item() >= 0.0
            assert apart(a, c).item() <= apart(a, b).item() + apart(b, c).item() + 1e-9


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=1, max_size=6))
def test_overlapping_intervals_are_covered_once(ends):
    covered = {cell for start, end in ends for cell in range(start, end)}
    start, end = torch.tensor(ends, dtype=torch.float32).T
    assert covered_length(start[None], end[None]).item() == len(covered)


def test_there_and_back_may_differ():
    up, down = torch.tensor([[0.0, 0.0]]), torch.tensor([[1.0, 2.0]])
    assert covered_length(up, down).item() == 2.0
    assert covered_length(down, up).item() == 0.0
    head, (a, b) = IqeDistance(6, 16, 2, 4, 3), torch.randn(2, 5, 6)
    assert not torch.allclose(head(a, b), head(b, a), rtol=0.05)


def test_bins_are_one_step_two_steps_and_so_on():
    logits = torch.tensor([[0.5, 0.25, 0.25], [1e-9, 1e-9, 1.0]]).log()
    torch.testing.assert_close(expected_steps(logits), torch.tensor([1.75, 3.0]))
