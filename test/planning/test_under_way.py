"""Which actions lie between a picture and the moment that the action planned on it takes effect."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from point_mass import REACH, PointMass, picture

from latentplan_ros.planning import CEM, Controller, ModelError, UnderWay

PERIOD = 0.1


def action(number: float) -> np.ndarray:
    return np.full(4, number / 100, np.float32)


def driven(delay: float, until: float) -> UnderWay:
    """Pictures at 0.0, 0.1, ...; the action of each leaves ``delay`` later."""
    under_way = UnderWay(PERIOD, lasts_s=0.2)
    for number in range(round(until / PERIOD) + 1):
        if number * PERIOD + delay <= until:
            under_way.sent(number * PERIOD + delay, action(number))
    return under_way


@pytest.mark.parametrize(
    ("delay", "last", "ahead"),
    [
        # On picture 9 (0.9 s): the actions of which pictures led to it, and are under way after it.
        (0.02, 8, []),
        (0.07, 8, []),  # the arm has only begun with it, and imagining a whole step would be wrong
        (0.12, 7, [8]),
        (0.15, 7, [8]),
        (0.23, 6, [7, 8]),
    ],
)
def test_whole_periods_of_delay_are_imagined_ahead(delay, last, ahead):
    begins = 0.9 + delay - 0.01  # the plan takes the last 10 ms of the delay
    situation = driven(delay, begins).at(0.9, 0.9 + delay)
    np.testing.assert_array_equal(situation.last, action(last))
    np.testing.assert_array_equal(situation.ahead, np.reshape([action(n) for n in ahead], (-1, 4)))


def test_nearly_a_period_is_one():
    situation = driven(0.095, 0.985).at(0.9, 0.995)
    np.testing.assert_array_equal(situation.last, action(7))
    np.testing.assert_array_equal(situation.ahead, [action(8)])


def test_an_action_moves_the_target_once():
    """A plan that takes longer than usual: nothing new is under way because of that."""
    under_way = driven(0.075, 0.9)  # the newest, of picture 8, left at 0.875
    late = under_way.at(0.9, 0.995)
    np.testing.assert_array_equal(late.last, action(8))
    assert len(late.ahead) == 0
    missed = under_way.at(0.9, 1.08)
    np.testing.assert_array_equal(missed.last, action(8))
    np.testing.assert_array_equal(missed.ahead, [[0, 0, 0, action(8)[3]]])


def test_at_first_and_after_a_pause_the_arm_is_at_rest():
    under_way = UnderWay(PERIOD, lasts_s=0.2)
    assert len(under_way.at(5.0, 5.35).ahead) == 0
    under_way.sent(5.0, action(9))
    np.testing.assert_array_equal(under_way.at(9.0, 9.05).last, np.zeros(4))


def test_a_clock_turned_back_forgets_what_is_in_the_future():
    under_way = driven(0.05, 2.0)
    under_way.sent(1.0, action(50))
    np.testing.assert_array_equal(under_way.at(1.05, 1.1).last, action(50))
    np.testing.assert_array_equal(under_way.at(1.0, 1.15).ahead, [action(50)])
    np.testing.assert_array_equal(under_way.at(1.0, 1.15).last, np.zeros(4))


@given(
    st.lists(st.floats(0, 3), max_size=80), st.floats(-1, 4), st.floats(-0.5, 5), st.floats(0.01, 1)
)
def test_any_times_give_a_situation_of_the_right_shape(stamps, seen, delay, lasts):
    under_way = UnderWay(PERIOD, lasts)
    for number, stamp in enumerate(stamps):
        under_way.sent(stamp, action(number))
    situation = under_way.at(seen, seen + delay)
    assert situation.last.shape == (4,)
    assert situation.ahead.shape[1:] == (4,)
    assert len(situation.ahead) <= max(0.0, delay) / PERIOD + 1


def test_rolled_forward_it_reaches_the_goal_that_a_delay_makes_it_pass():
    """Pictures come late: the point moves by an action two periods after the picture it is from."""
    goal = np.array([0.3, -0.2, 0.0])

    def furthest_after(rolled: bool) -> float:
        under_way = UnderWay(PERIOD, lasts_s=1.0)
        controller = Controller(PointMass(), CEM((0.6, 0.6, 0.3, 0.3), reluctance=0.0, horizon=5))
        controller.set_goal(image(goal))
        position, waiting, off = np.zeros(3), [np.zeros(4)] * 2, []
        for step in range(25):
            seen, effect = step * PERIOD, (step + 1.95) * PERIOD
            situation = under_way.at(seen, effect) if rolled else None
            chosen, _ = controller.act(image(position), situation)
            under_way.sent(effect, chosen)
            waiting.append(chosen)
            position = position + REACH * waiting.pop(0)[:3]
            off.append(float(np.abs(position - goal).max()))
        return max(off[-10:])

    assert furthest_after(rolled=True) < 0.05
    assert furthest_after(rolled=False) > 0.1


def image(position: np.ndarray) -> np.ndarray:
    return picture(tuple(position))[0].permute(1, 2, 0).numpy()


def test_model_error_compares_with_the_picture_a_period_after_the_action():
    errors = ModelError(PERIOD)
    errors.imagined(0.08, torch.tensor([1.0, 1.0]))
    errors.imagined(0.18, torch.tensor([2.0, 2.0]))
    assert errors.seen(0.10, torch.zeros(2)) == []
    assert errors.seen(0.20, torch.tensor([1.0, 0.0])) == pytest.approx([0.5**0.5])
    assert errors.seen(0.30, torch.tensor([2.0, 2.0])) == [0.0]
    errors.imagined(0.38, torch.zeros(2))
    assert errors.seen(5.0, torch.ones(2)) == [], "too long after to be told from what came between"
