"""The safety envelope: what it lets through, what it refuses, and what it never does."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentplan_ros.control.envelope import RATE_MARGIN, Command, Reason, Refusal, SafetyEnvelope
from latentplan_ros.control.profile import load_profile
from latentplan_ros.control.target import next_target

PROFILE = load_profile("franka")
CENTRE = (np.array(PROFILE.workspace.min) + PROFILE.workspace.max) / 2
FRAME = PROFILE.base_frame
PERIOD = PROFILE.action.period_s


def ready(now=100.0, position=CENTRE):
    """An envelope that has just heard a pose and a picture."""
    envelope = SafetyEnvelope(PROFILE)
    envelope.pose(now, now, position, FRAME)
    envelope.picture(now, now)
    return envelope


def moving(now=100.0):
    """An envelope whose arm is on its way."""
    envelope = ready(now)
    assert isinstance(envelope.act(now, now, [0.5, 0, 0, 0]), Command)
    return envelope


def reason(answer):
    assert isinstance(answer, Refusal), answer
    return answer.reason


def test_an_action_becomes_the_same_target_as_in_training():
    action = np.array([0.5, -0.2, 0.1, 1.0])
    command = ready().act(100.0, 100.0, action)
    np.testing.assert_allclose(
        command.position, next_target(CENTRE, CENTRE, action, PROFILE), atol=1e-12
    )
    assert command.opening == pytest.approx(0.08)
    assert not command.hold


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ([math.nan, 0, 0, 0], "finite"),
        ([0, math.inf, 0, 0], "finite"),
        ([0, 0, 0], "4"),
        ([0, 0, 0, 0, 0], "4"),
        ([], "4"),
        ([1.5, 0, 0, 0], "outside"),
    ],
)
def test_a_malformed_action_is_refused_and_ends_motion(action, said):
    envelope = moving()
    envelope.pose(100.1, 100.1, CENTRE + 0.01, FRAME)
    refusal = envelope.act(100.1, 100.1, action)
    assert reason(refusal) == Reason.BAD_ACTION
    assert said in str(refusal)
    hold = envelope.watch(100.1)
    np.testing.assert_allclose(hold.position, CENTRE + 0.01)
    assert hold.hold
    assert hold.opening is None
    assert envelope.watch(100.11) is None, "one hold is enough"


def test_float32_round_off_at_the_edge_is_not_out_of_range():
    assert isinstance(ready().act(100.0, 100.0, [1.0005, 0, 0, -1.0005]), Command)


@pytest.mark.parametrize("lost", ["pose", "picture", "action"])
def test_what_stops_arriving_ends_motion_within_its_limit(lost):
    envelope, now = moving(), 100.0
    while now < 100.5:
        now += 0.01
        if lost != "pose":
            envelope.pose(now, now, CENTRE, FRAME)
        if lost != "picture":
            envelope.picture(now, now)
        if lost != "action" and round(now * 100) % 10 == 0:
            envelope.act(now, now, [0, 0, 0, 0])
        if envelope.watch(now) is not None:
            break
    assert 100.2 < now <= 100.22
    stale = {
        "pose": Reason.STALE_POSE,
        "picture": Reason.STALE_PICTURE,
        "action": Reason.STALE_ACTION,
    }
    assert envelope.refusal(now).reason == stale[lost]


def test_nothing_moves_before_everything_has_been_heard():
    envelope = SafetyEnvelope(PROFILE)
    assert reason(envelope.act(100.0, 100.0, [0, 0, 0, 0])) == Reason.NO_POSE
    envelope.pose(100.0, 100.0, CENTRE, FRAME)
    assert reason(envelope.act(100.0, 100.0, [0, 0, 0, 0])) == Reason.NO_PICTURE
    assert envelope.watch(100.0) is None, "nothing moved, so nothing is to be held"
    envelope.picture(100.0, 100.0)
    assert isinstance(envelope.act(100.0, 100.0, [0, 0, 0, 0]), Command)


def test_a_robot_without_a_camera_can_be_driven_by_hand():
    envelope = SafetyEnvelope(PROFILE, needs_picture=False)
    envelope.pose(100.0, 100.0, CENTRE, FRAME)
    assert isinstance(envelope.act(100.0, 100.0, [0, 0, 0, 0]), Command)


def test_old_news_that_arrives_now_is_still_old():
    envelope = ready()
    envelope.picture(100.0, 99.0)
    assert reason(envelope.act(100.0, 100.0, [0, 0, 0, 0])) == Reason.STALE_PICTURE


def test_a_stamp_from_the_future_is_refused():
    envelope = ready()
    envelope.pose(100.0, 105.0, CENTRE, FRAME)
    refusal = envelope.act(100.0, 100.0, [0, 0, 0, 0])
    assert reason(refusal) == Reason.STALE_POSE
    assert "clocks" in refusal.detail


def test_a_bad_pose_ends_motion_until_a_good_one_arrives():
    for position, frame in (([math.nan, 0, 0], FRAME), (CENTRE, "world")):
        envelope = moving()
        envelope.pose(100.05, 100.05, position, frame)
        hold = envelope.watch(100.05)
        np.testing.assert_allclose(hold.position, CENTRE)
        refusal = envelope.act(100.1, 100.1, [0, 0, 0, 0])
        assert reason(refusal) == Reason.BAD_POSE
        assert ("world" in refusal.detail) == (frame == "world")
        envelope.pose(100.1, 100.1, CENTRE, FRAME)
        assert isinstance(envelope.act(100.1, 100.1, [0, 0, 0, 0]), Command)


def test_a_joint_that_is_not_finite_ends_motion_and_is_named():
    envelope = moving()
    envelope.joints(100.05, ["panda_joint1", "panda_joint2"], [0.0, math.nan])
    assert envelope.watch(100.05) is not None
    assert "panda_joint2" in envelope.refusal(100.05).detail
    envelope.joints(100.06, ["panda_joint1", "panda_joint2"], [0.0, 0.0])
    assert envelope.refusal(100.06) is None


def test_other_robots_joints_are_not_our_concern():
    envelope = moving()
    envelope.joints(100.05, ["conveyor"], [math.nan])
    assert envelope.refusal(100.05) is None


def test_two_sources_of_actions_hold_the_arm_and_are_both_named():
    envelope = moving()
    envelope.sources(["/planner", "/joystick"])
    assert envelope.watch(100.05).hold
    refusal = envelope.act(100.1, 100.1, [0, 0, 0, 0])
    assert reason(refusal) == Reason.TWO_SOURCES
    assert "/planner" in refusal.detail
    assert "/joystick" in refusal.detail
    envelope.sources(["/planner"])
    assert isinstance(envelope.act(100.1, 100.1, [0, 0, 0, 0]), Command)


def test_stop_holds_once_and_lasts_until_resume():
    envelope = moving()
    assert envelope.stop(100.05).hold
    envelope.pose(100.1, 100.1, CENTRE, FRAME)
    envelope.picture(100.1, 100.1)
    assert reason(envelope.act(100.1, 100.1, [0, 0, 0, 0])) == Reason.STOPPED
    assert envelope.watch(100.1) is None
    envelope.resume(100.1)
    assert envelope.refusal(100.1).reason == Reason.NO_ACTION
    assert isinstance(envelope.act(100.1, 100.1, [0, 0, 0, 0]), Command)


def test_a_clock_that_jumps_back_needs_everything_anew():
    envelope = moving()
    assert envelope.watch(50.0).hold
    assert envelope.refusal(50.0).reason == Reason.CLOCK_JUMP
    assert isinstance(envelope.act(50.0, 50.0, [0, 0, 0, 0]), Refusal)
    envelope.pose(50.1, 50.1, CENTRE, FRAME)
    envelope.picture(50.1, 50.1)
    assert isinstance(envelope.act(50.1, 50.1, [0, 0, 0, 0]), Command)


def test_actions_faster_than_the_control_rate_are_thinned_out():
    envelope = ready()
    commands = 0
    for k in range(100):
        now = 100.0 + 0.01 * k
        envelope.pose(now, now, CENTRE, FRAME)
        envelope.picture(now, now)
        commands += isinstance(envelope.act(now, now, [0, 0, 0, 0]), Command)
    assert 10 <= commands <= 10 * RATE_MARGIN + 1


def test_an_arm_outside_its_workspace_is_not_pulled_into_it():
    refusal = ready(position=CENTRE + np.array([0, 0.5, 0])).act(100.0, 100.0, [0, -1, 0, 0])
    assert reason(refusal) == Reason.OUTSIDE_WORKSPACE


# What it never does -----------------------------------------------------------------------------
numbers = st.one_of(
    st.floats(-1.2, 1.2), st.sampled_from([math.nan, math.inf, -math.inf, 1.0, -1.0, 1e30])
)
clocks = st.one_of(st.floats(0.0, 0.05), st.floats(0.0, 0.5), st.floats(-5.0, 0.0), st.just(0.1))
lags = st.one_of(st.just(0.0), st.floats(-0.5, 0.5))
positions = st.one_of(
    st.tuples(st.floats(0.3, 0.85), st.floats(-0.3, 0.3), st.floats(0.0, 0.4)),
    st.tuples(numbers, numbers, numbers),
)
events = st.one_of(
    st.tuples(st.just("action"), clocks, lags, st.lists(numbers, min_size=3, max_size=5)),
    st.tuples(
        st.just("action"), clocks, st.just(0.0), st.lists(st.floats(-1, 1), min_size=4, max_size=4)
    ),
    st.tuples(st.just("pose"), clocks, lags, positions),
    st.tuples(st.just("picture"), clocks, lags, st.none()),
    st.tuples(st.just("all"), clocks, st.just(0.0), positions),
    st.tuples(st.just("joints"), clocks, lags, numbers),
    st.tuples(st.just("watch"), clocks, lags, st.none()),
    st.tuples(st.sampled_from(["stop", "resume", "two", "one"]), clocks, lags, st.none()),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(events, min_size=1, max_size=60), st.floats(0.05, 1.3))
def test_no_sequence_of_events_lets_a_dangerous_command_leave(sequence, speed):
    profile = dataclasses.replace(PROFILE, max_speed_m_s=speed)
    box, limit = profile.workspace, profile.pose_timeout_s
    envelope, now, stopped, two = SafetyEnvelope(profile), 100.0, False, False
    envelope.watch(now)
    good: dict[str, float] = {}  # stamps of the last usable pose and picture
    measured, last_motion = None, -math.inf
    for what, elapsed, lag, value in sequence:
        now += elapsed
        if elapsed < 0:
            good.clear()
            last_motion = now
        answer, was_stopped = None, stopped
        if what in ("pose", "all"):
            envelope.pose(now, now - lag, value, FRAME)
            if np.isfinite(value).all():
                measured, good["pose"] = np.array(value), now - lag
        if what in ("picture", "all"):
            envelope.picture(now, now - lag)
            good["picture"] = now - lag
        if what == "all":
            answer = envelope.act(now, now, [1.0, 1.0, -1.0, 0.0])
        elif what == "action":
            answer = envelope.act(now, now - lag, value)
        elif what == "joints":
            envelope.joints(now, profile.joints[:1], [value])
        elif what == "watch":
            answer = envelope.watch(now)
        elif what == "stop":
            answer, stopped = envelope.stop(now), True
        elif what == "resume":
            envelope.resume(now)
            stopped = False
        elif what in ("two", "one"):
            two = what == "two"
            envelope.sources(["/a", "/b"] if two else ["/a"])
        if not isinstance(answer, Command):
            continue
        assert not was_stopped, "a command left after stop"
        assert np.isfinite(answer.position).all()
        assert box.contains(answer.position), "a command left the workspace"
        stride = np.linalg.norm(answer.position - box.clip(measured))
        assert stride <= speed * profile.action.period_s + 1e-9, "faster than the profile"
        if not answer.hold:
            assert not two
            assert all(now - good[k] <= limit + 1e-9 for k in ("pose", "picture"))
            assert now - last_motion >= profile.action.period_s / RATE_MARGIN - 1e-9
            assert stride <= speed * (now - last_motion) + 1e-9
            low, high = profile.action.gripper_m
            assert low <= answer.opening <= high
            last_motion = now
