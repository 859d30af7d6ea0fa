"""When the planner plans, and how much, as times alone: no ROS, no waiting."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentplan_ros.nodes.effort import LEAST, MOST, Effort
from latentplan_ros.nodes.pace import Pace
from latentplan_ros.planning import CEM, Plan

PERIOD = 0.1


def drive(pictures, busy=0.02):
    """Times at which plans begin on the newest of these pictures, and the pictures' ages then."""
    pace, begun, ages, now = Pace(PERIOD), [], [], 0.0
    newest = None
    pictures = list(pictures)
    while pictures or newest is not None:
        while pictures and pictures[0] <= now:
            newest = pictures.pop(0)
        if newest is None:
            now = pictures[0]
            continue
        wait = pace.wait(now)
        if wait > 0:
            now += min(max(wait, 1e-6), 0.001)
            continue
        pace.begin(now)
        begun.append(now)
        ages.append(now - newest)
        newest, now = None, now + busy
        pace.sent(now)
    return np.array(begun), np.array(ages), pace


@pytest.mark.parametrize("rate", [9.9, 10.0, 10.1, 10.2])
def test_a_camera_at_about_the_control_rate_is_followed_without_waiting(rate):
    begun, ages, pace = drive(np.arange(0, 60, 1 / rate))
    assert len(begun) == len(np.arange(0, 60, 1 / rate))
    assert ages.max() < 1e-6
    assert pace.missed == 0
    assert max(pace.jitter) < 0.004


def test_a_hiccup_is_over_with_the_next_picture():
    times = np.arange(0, 2, PERIOD)
    times[5] += 0.06
    begun, ages, pace = drive(times)
    assert len(begun) == len(times)
    assert ages[6] < 0.035, "the shortest interval that the arm accepts"
    assert ages[7:].max() < 0.002
    assert pace.missed <= 1


@pytest.mark.parametrize("rate", [15.0, 24.0, 30.0, 60.0, 120.0])
def test_a_faster_camera_does_not_make_it_act_faster(rate):
    begun, ages, pace = drive(np.arange(0, 30, 1 / rate))
    assert 9.5 < (len(begun) - 1) / (begun[-1] - begun[0]) < 10.4
    assert ages[:-1].max() <= 1 / rate + 0.002
    assert np.diff(begun).min() > 2 / 3 * PERIOD, "the arm would refuse it as too soon"
    assert pace.missed == 0


def test_a_picture_much_too_early_is_waited_with_and_not_lost():
    """One picture a period, but every tenth 45 ms early: all of them are planned on."""
    times = np.arange(0, 10, PERIOD)
    times[5::10] -= 0.045
    begun, ages, pace = drive(times)
    assert len(begun) == len(times)
    assert 0.01 < ages.max() < 0.05
    assert pace.missed == 0


@settings(max_examples=50)
@given(st.lists(st.floats(-0.024, 0.024), min_size=20, max_size=60))
def test_jittering_pictures_lose_no_tick(offsets):
    times = 1.0 + PERIOD * np.arange(len(offsets)) + np.array(offsets)
    begun, _, pace = drive(times)
    assert len(begun) == len(times)
    assert pace.missed == 0


def test_missed_ticks_and_jitter_are_counted_between_actions_alone():
    pace = Pace(PERIOD)
    for now in (1.0, 1.1, 1.21, 1.5):
        pace.sent(now)
    assert pace.missed == 2
    np.testing.assert_allclose(list(pace.jitter), [0.0, 0.01, 0.01], atol=1e-9)
    pace.rest()
    pace.sent(9.0)
    assert pace.missed == 2


def test_a_clock_turned_back_does_not_stop_it():
    pace = Pace(PERIOD)
    pace.begin(1000.0)
    assert pace.wait(5.0) <= 0.0
    pace.begin(5.0)
    assert 0.0 < pace.wait(5.0) <= PERIOD


def plan_of(effort, seconds_a_sample):
    """As if ``effort.cem`` had been run on a machine of that speed."""
    cem, iterations = effort.cem, 0
    one = cem.samples * seconds_a_sample
    while iterations == 0 or (
        iterations < cem.iterations and (iterations + 1) * one <= cem.time_limit_s
    ):
        iterations += 1
    return Plan(
        actions=np.zeros((13, 4), np.float32),
        latents=None,  # type: ignore[arg-type]
        cost=0.0,
        stats={
            "costs": np.zeros((iterations, cem.samples)),
            "milliseconds": iterations * one * 1e3,
        },
    )


def test_a_late_picture_gets_a_shorter_search():
    effort = Effort(CEM((1.0,) * 4), PERIOD)
    for _ in range(10):
        effort.fit(0.01)
        effort.learn(plan_of(effort, 1e-4))  # 600 samples would take 60 ms
    early, late = effort.fit(0.01), effort.fit(0.025)
    assert early.samples == 200
    assert late.samples == pytest.approx(200 * 55 / 60, abs=1)
    assert effort.fit(0.5).time_limit_s == pytest.approx(LEAST * PERIOD)
    assert effort.fit(-0.5).time_limit_s == pytest.approx(MOST * PERIOD)
    assert effort.cut == effort.overruns == 0


def test_a_machine_that_becomes_slow_costs_samples_and_no_tick():
    effort = Effort(CEM((1.0,) * 4), PERIOD)
    taken = []
    for tick in range(40):
        effort.fit(0.01)
        plan = plan_of(effort, 5e-5 if tick < 20 else 3e-4)
        effort.learn(plan)
        taken.append(plan.stats["milliseconds"])
    assert max(taken) <= 70.0
    assert effort.cut > 0, "the first slow plans were cut"
    assert effort.cem.samples < 100
    for _ in range(10):
        effort.fit(0.01)
        effort.learn(plan_of(effort, 5e-5))
    assert effort.cem.samples == 200


def test_however_slow_it_keeps_enough_samples_for_its_elites():
    effort = Effort(CEM((1.0,) * 4, samples=40, elites=10), PERIOD)
    for _ in range(3):
        effort.fit(0.0)
        effort.learn(plan_of(effort, 1.0))
    assert effort.fit(0.0).samples == 40
    assert effort.overruns == 3
