import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentplan_ros.evaluation.statistics import median_interval, wilson


def test_wilson_matches_published_values() -> None:
    # Newcombe 1998, Table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


@given(n=st.integers(0, 500), data=st.data())
def test_wilson_holds_the_rate_and_mirrors(n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n))
    low, high = wilson(k, n)
    assert 0.0 <= low <= high <= 1.0
    if n:
        assert low - 1e-12 <= k / n <= high + 1e-12
    assert wilson(n - k, n) == pytest.approx((1 - high, 1 - low))


def test_wilson_refuses_more_successes_than_tries() -> None:
    with pytest.raises(ValueError, match="between 0 and n=3"):
        wilson(4, 3)


def test_median_interval_covers_the_median_about_95_times_in_100() -> None:
    rng = np.random.default_rng(0)
    hits = [
        low <= 0.0 <= high
        for low, high in (median_interval(rng.normal(size=40).tolist()) for _ in range(400))
    ]
    assert 0.92 <= np.mean(hits) <= 1.0
