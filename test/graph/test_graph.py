"""Shortest paths: right beside every way there is, and blind to edges too long to be believed."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from latentplan_ros.graph import ImageGraph, steps_to, within


@st.composite
def maps(draw):
    """Distances between nodes ``[N,N]`` and to goals ``[N,M]``, with and without way."""
    nodes, goals = draw(st.integers(1, 6)), draw(st.integers(1, 3))
    length = st.one_of(st.just(np.inf), st.integers(0, 9).map(float))
    numbers = draw(st.lists(length, min_size=nodes * (nodes + goals), max_size=10**3))
    both = np.array(numbers[: nodes * (nodes + goals)]).reshape(nodes, nodes + goals)
    return both[:, :nodes], both[:, nodes:]


@given(maps=maps(), limit=st.integers(0, 9))
@settings(deadline=None)
def test_no_way_is_shorter_and_none_is_overlooked(maps, limit):
    between, last = (np.where(distances <= limit, distances, np.inf) for distances in maps)
    best = last.copy()
    for _ in between:  # Bellman and Ford: as many edges as there are nodes
        best = np.minimum(best, (between[:, :, None] + best[None]).min(axis=1))
    found = steps_to(within(maps[0], limit), within(maps[1], limit))
    np.testing.assert_array_equal(found, best)


def wall(start, end):
    """Steps on a plane, ``[B,2]`` each: exact up to 3, beyond that a guess that is far too low."""
    apart = (start - end).abs().sum(-1)
    return torch.where(apart <= 3.0, apart, torch.tensor(3.5))


@pytest.fixture
def line():
    """Nodes at 0, 2, 4, ... 18."""
    return ImageGraph(wall, torch.arange(0.0, 20.0, 2.0)[:, None].expand(-1, 2) / 2.0, limit=3.0)


def test_far_is_what_the_path_says(line):
    goals = torch.tensor([[8.0, 8.0], [3.5, 3.5]])
    remaining = line.remaining(goals)
    assert remaining[0].tolist() == [16.0, 7.0]
    now = torch.tensor([[0.5, 0.5], [9.0, 9.0]])
    nodes, lengths = line.next_nodes(now, remaining)
    assert lengths.tolist() == [15.0, 11.0]
    assert line.states[nodes[0]].tolist() in ([1.0, 1.0], [2.0, 2.0])  # both lie on a shortest way
    assert line.states[nodes[1]].tolist() in ([9.0, 9.0], [8.0, 8.0])


def test_where_no_way_leads_the_length_says_so(line):
    nodes, lengths = line.next_nodes(torch.zeros(1, 2), line.remaining(torch.tensor([[90.0, 0.0]])))
    assert nodes.shape == (1,)
    assert np.isinf(lengths).all()
    away = torch.tensor([[-90.0, 0.0]])
    assert np.isinf(line.next_nodes(away, line.remaining(torch.zeros(1, 2)))[1]).all()


def test_there_and_back_are_two_edges():
    one_way = ImageGraph(
        lambda start, end: torch.where(end >= start, end - start, 9.0)[:, 0],
        torch.arange(3.0)[:, None],
        limit=1.0,
    )
    assert one_way.remaining(torch.tensor([[2.0]]))[:, 0].tolist() == [2.0, 1.0, 0.0]
    assert one_way.remaining(torch.tensor([[0.0]]))[:, 0].tolist() == [0.0, np.inf, np.inf]
