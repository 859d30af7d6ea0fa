import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from latentplan_ros.data.alignment import (
    AlignmentError,
    ages,
    control_ticks,
    newest_before,
    one_clock,
    unbroken,
)

MS = 1_000_000
times = st.lists(st.integers(0, 5000), min_size=1, max_size=80, unique=True).map(
    lambda ms: np.asarray(sorted(ms), np.int64) * MS
)


@given(times, times)
def test_no_sample_comes_from_the_future_and_none_is_passed_over(samples, ticks):
    index = newest_before(samples, ticks)
    assert (np.diff(index) >= 0).all()
    for tick, i in zip(ticks, index, strict=True):
        assert i == -1 or samples[i] <= tick
        assert i + 1 == len(samples) or samples[i + 1] > tick


@given(times, st.sampled_from([0.02, 0.1, 0.5]))
def test_ticks_keep_the_control_rate_within_half_a_period(anchors, period):
    ticks = control_ticks(anchors, period)
    steps = np.diff(ticks.times) * 1e-9
    assert (steps >= 0.5 * period - 1e-9).all()
    assert (steps <= 1.5 * period + 1e-9).all()
    on_anchor = ticks.anchor >= 0
    assert on_anchor[0]
    np.testing.assert_array_equal(ticks.times[on_anchor], anchors[ticks.anchor[on_anchor]])
    assert (np.diff(ticks.anchor[on_anchor]) > 0).all()


@given(st.lists(st.integers(-20, 20), min_size=2, max_size=50))
def test_every_action_of_a_jittery_10_hz_loop_gets_its_tick(jitter):
    anchors = (np.arange(len(jitter)) * 100 + np.asarray(jitter)) * MS
    ticks = control_ticks(anchors, 0.1)
    np.testing.assert_array_equal(ticks.anchor, np.arange(len(jitter)))


def test_a_lost_action_leaves_a_filled_tick_and_a_fast_topic_is_thinned():
    anchors = np.array([0, 100, 300, 400]) * MS
    assert control_ticks(anchors, 0.1).anchor.tolist() == [0, 1, -1, 2, 3]
    fast = np.arange(0, 1000, 20) * MS
    assert control_ticks(fast, 0.1).anchor[:10].tolist() == list(range(0, 50, 5))


@given(st.lists(st.booleans(), max_size=40))
def test_unbroken_stretches_hold_usable_ticks_only_and_all_of_them(flags):
    usable = np.asarray(flags, bool)
    pieces = unbroken(usable, shortest=1)
    covered = np.zeros(len(flags), bool)
    for piece in pieces:
        covered[piece] = True
    np.testing.assert_array_equal(covered, usable)
    assert all(p.stop - p.start >= 3 for p in unbroken(usable, shortest=3))


def test_alignment_error_is_the_age_of_the_samples_used():
    samples, ticks = np.array([5, 50]) * MS, np.array([0, 10, 60]) * MS
    error = AlignmentError.of(ages(samples, ticks, newest_before(samples, ticks))[1:])
    assert (error.samples, error.max_s) == (2, 0.01)
    assert error.median_s == 0.0075


def test_a_camera_on_its_own_clock_is_noticed():
    near, far = np.full(5, 0.01), np.full(5, 1.7e9)
    assert one_clock({"pose": near, "image": near + 0.1})
    assert not one_clock({"pose": near, "image": far})
