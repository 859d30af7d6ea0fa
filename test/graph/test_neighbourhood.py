"""What a few hops lead to, against hop counts and all ways of that many hops."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from latentplan_ros.graph.neighbourhood import neighbourhood


@given(seed=st.integers(0, 2**32), share=st.floats(0.02, 0.4), hops=st.integers(1, 4))
def test_frames_and_hops_are_those_of_breadth_first_search(seed, share, hops):
    rng = np.random.default_rng(seed)
    weights = rng.uniform(0.1, 2.0, (15, 15)) * (rng.random((15, 15)) < share)
    np.fill_diagonal(weights, 0.0)
    edges = csr_matrix(weights)
    frames, lengths, depths = neighbourhood(edges, 3, hops)
    counts = dijkstra(edges, indices=3, unweighted=True)
    assert set(frames) == set(np.flatnonzero((counts <= hops) & (counts > 0)))
    np.testing.assert_array_equal(depths, counts[frames])
    assert (np.diff(depths) >= 0).all()
    # The shortest of the ways with the fewest hops, one more hop at a time.
    best = {3: 0.0} | dict(zip(frames.tolist(), lengths.tolist(), strict=True))
    for frame, length, depth in zip(frames, lengths, depths, strict=True):
        before = [b for b in best if counts[b] == depth - 1 and weights[b, frame] > 0]
        assert length == min(best[b] + weights[b, frame] for b in before)
