"""Sequences of pictures: which step leads where, and what cannot be learned from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentplan_ros.data.sequences import SequenceError, Sequences


def pictures(count, first=0):
    return (np.arange(first, first + count) % 256)[:, None, None] * np.ones((64, 64), np.uint8)


def row(lengths):
    starts = np.cumsum([0, *lengths])
    parts = [pictures(n, s).astype(np.uint8) for n, s in zip(lengths, starts, strict=False)]
    truth = [part[:, 0, :1].astype(float) for part in parts]
    return Sequences.in_a_row(parts, truth)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=8).filter(lambda n: max(n) > 1))
def test_a_step_leads_from_each_picture_to_the_next_of_its_sequence(lengths):
    sequences = row(lengths)
    assert len(sequences.pictures) == sum(lengths)
    assert len(sequences.steps) == sum(lengths) - len(lengths)
    start, end = sequences.steps.T
    np.testing.assert_array_equal(end, start + 1)
    np.testing.assert_array_equal(sequences.sequence[start], sequences.sequence[end])
    assert np.bincount(sequences.sequence).tolist() == lengths


@given(
    st.lists(st.integers(2, 5), min_size=2, max_size=6),
    st.sets(st.integers(0, 5), min_size=1, max_size=5),
)
def test_some_sequences_keep_their_pictures_steps_and_places(lengths, chosen):
    chosen = [number for number in sorted(chosen) if number < len(lengths)] or [0]
    whole = row(lengths)
    some = whole.only(np.array(chosen))
    kept = np.isin(whole.sequence, chosen)
    np.testing.assert_array_equal(some.pictures, whole.pictures[kept])
    np.testing.assert_array_equal(some.truth, whole.truth[kept])
    before = {tuple(whole.truth[step].ravel()) for step in whole.steps if kept[step].all()}
    assert {tuple(some.truth[step].ravel()) for step in some.steps} == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pictures": pictures(4).astype(float)}, r"uint8 \[N,64,64\], not float64"),
        ({"pictures": np.zeros((4, 32, 64), np.uint8)}, r"\[4, 32, 64\]"),
        ({"steps": np.array([[0, 4]])}, "beyond the 4"),
        ({"steps": np.array([[-1, 0]])}, "beyond the 4"),
        ({"steps": np.empty((0, 2), int), "lengths": np.empty(0)}, "4 pictures with 0 steps"),
        ({"lengths": np.array([0.0])}, "above 0"),
        ({"lengths": np.array([np.nan])}, "finite"),
        ({"lengths": np.ones(2)}, r"not \[1, 2\] and \[2\]"),
        ({"sequence": np.zeros(3, int)}, "sequence has 3 rows for 4"),
        ({"truth": np.zeros((5, 2))}, "truth has 5 rows for 4"),
    ],
)
def test_what_does_not_belong_together_is_refused(change, words):
    good = {
        "pictures": pictures(4).astype(np.uint8),
        "steps": np.array([[0, 1]]),
        "lengths": np.ones(1),
        "sequence": np.zeros(4, int),
        "truth": None,
    }
    Sequences(**good)
    with pytest.raises(SequenceError, match=words):
        Sequences(**good | change)


def test_one_view_is_nothing_to_plan_in():
    with pytest.raises(SequenceError, match=r"1 pictures with 0 steps between them.*at least two"):
        row([1])
    with pytest.raises(SequenceError, match="no sequences"):
        Sequences.in_a_row([])
