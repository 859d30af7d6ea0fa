"""Graphs of frames: edges, parts, files, and which of them are worm holes."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from latentplan_ros.graph.candidates import candidates
from latentplan_ros.graph.frame_graph import FrameGraph, GraphError
from latentplan_ros.graph.worm_holes import worm_holes

ENDS = np.array([10, 25, 40])


def steps(ends):
    """Each frame to the next of its sequence."""
    before = np.setdiff1d(np.arange(ends[-1]), ends - 1)
    return np.stack([before, before + 1], axis=1)


PLACES = np.random.default_rng(0).uniform(0, 10, (40, 2))


def apart(start, end):
    return np.linalg.norm(PLACES[start] - PLACES[end], axis=1)


def build(threshold=2.0, metric=apart, near=None):
    return joined(ENDS, metric, threshold, near)


def joined(ends, metric, threshold, near=None):
    happened = steps(ends)
    return FrameGraph.build(
        int(ends[-1]), happened, np.ones(len(happened)), metric, threshold, near
    )


def test_frames_are_joined_with_the_next_and_with_what_is_near():
    graph = build()
    every = np.indices((40, 40)).reshape(2, -1)
    near = (apart(*every) <= 2.0).reshape(40, 40)
    np.fill_diagonal(near, False)
    follows = np.zeros((40, 40), bool)
    for frame in range(39):
        follows[frame, frame + 1] = frame + 1 not in ENDS
    found = graph.edges.toarray()
    np.testing.assert_array_equal(found > 0, near | follows)
    np.testing.assert_array_equal(graph.recorded.toarray(), follows)
    assert (found[follows] == 1.0).all(), "a step is a step, whatever the metric says"
    only = near & ~follows
    np.testing.assert_allclose(found[only], apart(*np.nonzero(only)))


def test_candidates_find_what_all_pairs_find():
    whole, quick = build(), build(near=candidates(PLACES, 20))
    np.testing.assert_array_equal(whole.edges.toarray(), quick.edges.toarray())


@given(count=st.integers(2, 60), wanted=st.integers(2, 40), copies=st.integers(1, 4))
def test_candidates_hold_what_is_nearest_both_ways(count, wanted, copies):
    features = np.repeat(np.random.default_rng(count).normal(size=(count, 3)), copies, axis=0)
    pairs = candidates(features, wanted)
    assert (pairs[:, 0] != pairs[:, 1]).all()
    known = set(map(tuple, pairs.tolist()))
    assert len(known) == len(pairs)
    assert known == {(end, start) for start, end in known}
    apart = np.linalg.norm(features[:, None] - features, axis=-1)
    np.fill_diagonal(apart, np.inf)
    for frame in range(len(features)):
        others = pairs[pairs[:, 0] == frame, 1]
        missing = np.setdiff1d(np.arange(len(features)), [*others, frame])
        nearest = np.sort(apart[frame])[: min(wanted // 2, len(features) - 1)]
        if len(missing):
            assert apart[frame, missing].min() >= nearest.max() - 1e-3


@pytest.mark.parametrize(
    ("threshold", "words"), [(0.001, "none of.*raise it"), (100.0, "all of.*lower it")]
)
def test_a_threshold_that_tells_nothing_apart_is_refused(threshold, words):
    with pytest.raises(GraphError, match=words):
        build(threshold)


def two_rooms():
    """Two rooms ten apart, 20 frames each in sequences of 10, and no way between."""
    rng = np.random.default_rng(1)
    places = np.concatenate([rng.uniform(0, 2, (20, 2)), rng.uniform(10, 12, (20, 2))])
    metric = lambda a, b: np.linalg.norm(places[a] - places[b], axis=1)  # noqa: E731
    return metric, np.array([10, 20, 30, 40])


def test_parts_that_nothing_joins():
    metric, ends = two_rooms()
    graph = joined(ends, metric, 1.0)
    parts = graph.components()
    assert (parts[:20] == parts[0]).all()
    assert (parts[20:] == parts[20]).all()
    assert parts[0] != parts[20]
    assert not np.isfinite(graph.distances(np.array([3]))[0, 20:]).any()
    with pytest.raises(GraphError, match=r"3 and 30 are in different parts.* 20 and 20 .*above 1"):
        graph.path(3, 30)


def test_a_path_is_as_long_as_it_says():
    graph = build()
    path = graph.path(0, 39)
    assert (path[0], path[-1]) == (0, 39)
    edges = graph.edges.toarray()
    weights = [edges[a, b] for a, b in pairwise(path)]
    assert min(weights) > 0
    assert sum(weights) == pytest.approx(graph.distances(np.array([0]))[0, 39])


def test_the_edge_that_shortens_most_is_listed_first():
    """A metric that takes one frame of each room for the same."""
    metric, ends = two_rooms()

    def wrong(start, end):
        lengths = metric(start, end)
        lengths[(start == 5) & (end == 27)] = 0.5
        return lengths

    graph = joined(ends, wrong, 1.0)
    holes = worm_holes(graph, np.random.default_rng(0))
    assert (holes[0].start, holes[0].end) == (5, 27)
    assert holes[0].detour == np.inf
    assert holes[0].carried > max(hole.carried for hole in holes[1:])
    assert all(hole.detour < 5 for hole in holes[1:])


def test_what_is_saved_comes_back(tmp_path):
    graph, file = build(), tmp_path / "deep" / "graph.safetensors"
    graph.save(file)
    again = FrameGraph.load(file)
    np.testing.assert_array_equal(again.edges.toarray(), graph.edges.toarray())
    np.testing.assert_array_equal(again.recorded.toarray(), graph.recorded.toarray())
    assert again.threshold == graph.threshold
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("length", [0, 1, 100, 400, 2000])
def test_a_torn_file_is_refused(tmp_path, length):
    file = tmp_path / "graph.safetensors"
    build().save(file)
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(GraphError, match=r"graph\.safetensors is not a graph"):
        FrameGraph.load(file)


@pytest.mark.parametrize(
    ("name", "edit"),
    [
        ("edges_indices", lambda a: a + 1000),
        ("edges_data", lambda a: a * np.nan),
        ("edges_data", lambda a: -a),
        ("edges_indptr", lambda a: a[::-1].copy()),
        ("recorded_indptr", lambda a: a[:-3]),
        ("edges_indices", lambda a: a.astype(float)),
        ("format", "other"),
        ("threshold", "far"),
    ],
)
def test_a_file_of_other_contents_is_refused(tmp_path, name, edit):
    file = tmp_path / "graph.safetensors"
    build().save(file)
    with safe_open(file, "numpy") as kept:
        about = kept.metadata()
    contents = load_file(file)
    if name in contents:
        contents[name] = edit(contents[name])
    else:
        about[name] = edit
    save_file(contents, file, about)
    with pytest.raises(GraphError, match=r"graph\.safetensors is not a graph"):
        FrameGraph.load(file)
