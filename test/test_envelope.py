"""The safety envelope: what it lets through, what it refuses, and what it never does."""

import dataclasses
import math
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentplan_ros.control.box import KeepOut
from latentplan_ros.control.envelope import (
    RATE_MARGIN,
    Command,
    Limit,
    Reason,
    Refusal,
    SafetyEnvelope,
)
from latentplan_ros.control.profile import load_profile
from latentplan_ros.control.target import next_target

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.envelope_play import (
    SPECIAL,
    Event,
    Play,
    random_profile,
    random_sequence,
)

PROFILE = load_profile("franka")
CENTRE = (np.array(PROFILE.workspace.min) + PROFILE.workspace.max) / 2
FRAME = PROFILE.base_frame
PERIOD = PROFILE.action.period_s
DOWN = PROFILE.orientation_xyzw
STILL = [0, 0, 0, 0]


def off(x, y, z):
    """A position beside the centre, m."""
    return CENTRE + np.array([x, y, z])


def ready(now=100.0, position=CENTRE, profile=PROFILE):
    """An envelope that has just heard a pose and a picture."""
    envelope = SafetyEnvelope(profile)
    see(envelope, now, position)
    return envelope


def see(envelope, now, position=CENTRE):
    envelope.pose(now, now, position, DOWN, FRAME)
    envelope.picture(now, now)


def moving(now=100.0, profile=PROFILE):
    """An envelope whose arm is on its way."""
    envelope = ready(now, profile=profile)
    assert isinstance(envelope.act(now, now, [0.5, 0, 0, 0]), Command)
    return envelope


def underway(profile=PROFILE, now=100.0, action=STILL, periods=12):
    """An envelope past its soft start, and the time: an arm that stood at the centre meanwhile."""
    envelope = ready(now, profile=profile)
    for _ in range(periods):
        assert isinstance(envelope.act(now, now, action), Command)
        now += PERIOD
        see(envelope, now)
    return envelope, now


def replaced(**fields):
    return dataclasses.replace(PROFILE, **fields)


def reason(answer):
    assert isinstance(answer, Refusal), answer
    return answer.reason


def test_an_action_becomes_the_same_target_as_in_training():
    action = np.array([0.5, -0.2, 0.1, 1.0])
    envelope, now = underway(action=[0, 0, 0, 0.9])
    command = envelope.act(now, now, action)
    assert (command.position == next_target(CENTRE, CENTRE, action, PROFILE)).all()
    assert command.opening == pytest.approx(0.08)
    assert command.limited == ()
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
    envelope.pose(100.1, 100.1, CENTRE + 0.01, DOWN, FRAME)
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
            envelope.pose(now, now, CENTRE, DOWN, FRAME)
        if lost != "picture":
            envelope.picture(now, now)
        if lost != "action" and round(now * 100) % 10 == 0:
            envelope.act(now, now, STILL)
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
    assert reason(envelope.act(100.0, 100.0, STILL)) == Reason.NO_POSE
    envelope.pose(100.0, 100.0, CENTRE, DOWN, FRAME)
    assert reason(envelope.act(100.0, 100.0, STILL)) == Reason.NO_PICTURE
    assert envelope.watch(100.0) is None, "nothing moved, so nothing is to be held"
    envelope.picture(100.0, 100.0)
    assert isinstance(envelope.act(100.0, 100.0, STILL), Command)


def test_a_robot_without_a_camera_can_be_driven_by_hand():
    envelope = SafetyEnvelope(PROFILE, needs_picture=False)
    envelope.pose(100.0, 100.0, CENTRE, DOWN, FRAME)
    assert isinstance(envelope.act(100.0, 100.0, STILL), Command)


def test_old_news_that_arrives_now_is_still_old():
    envelope = SafetyEnvelope(PROFILE)
    envelope.pose(100.0, 100.0, CENTRE, DOWN, FRAME)
    envelope.picture(100.0, 99.0)
    assert reason(envelope.act(100.0, 100.0, STILL)) == Reason.STALE_PICTURE


def test_a_stamp_from_the_future_is_refused():
    envelope = ready()
    envelope.pose(100.0, 105.0, CENTRE, DOWN, FRAME)
    refusal = envelope.act(100.0, 100.0, STILL)
    assert reason(refusal) == Reason.STALE_POSE
    assert "clocks" in refusal.detail


def test_a_bad_pose_ends_motion_until_a_good_one_arrives():
    for position, frame in (([math.nan, 0, 0], FRAME), (CENTRE, "world")):
        envelope = moving()
        envelope.pose(100.05, 100.05, position, DOWN, frame)
        hold = envelope.watch(100.05)
        np.testing.assert_allclose(hold.position, CENTRE)
        refusal = envelope.act(100.1, 100.1, STILL)
        assert reason(refusal) == Reason.BAD_POSE
        assert ("world" in refusal.detail) == (frame == "world")
        envelope.pose(100.1, 100.1, CENTRE, DOWN, FRAME)
        assert isinstance(envelope.act(100.1, 100.1, STILL), Command)


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
    refusal = envelope.act(100.1, 100.1, STILL)
    assert reason(refusal) == Reason.TWO_SOURCES
    assert "/planner" in refusal.detail
    assert "/joystick" in refusal.detail
    envelope.sources(["/planner"])
    assert isinstance(envelope.act(100.1, 100.1, STILL), Command)


def test_stop_holds_once_and_lasts_until_resume():
    envelope = moving()
    assert envelope.stop(100.05).hold
    envelope.pose(100.1, 100.1, CENTRE, DOWN, FRAME)
    envelope.picture(100.1, 100.1)
    assert reason(envelope.act(100.1, 100.1, STILL)) == Reason.STOPPED
    assert envelope.watch(100.1) is None
    envelope.resume(100.1)
    assert envelope.refusal(100.1).reason == Reason.NO_ACTION
    assert isinstance(envelope.act(100.1, 100.1, STILL), Command)


def test_a_clock_that_jumps_back_needs_everything_anew():
    envelope = moving()
    assert envelope.watch(50.0).hold
    assert envelope.refusal(50.0).reason == Reason.CLOCK_JUMP
    assert reason(envelope.act(50.0, 50.0, STILL)) == Reason.CLOCK_JUMP
    see(envelope, 50.1)
    assert envelope.watch(50.1) is None
    assert isinstance(envelope.act(50.1, 50.1, STILL), Command)


def test_actions_faster_than_the_control_rate_are_thinned_out():
    envelope = ready()
    commands = 0
    for k in range(100):
        now = 100.0 + 0.01 * k
        envelope.pose(now, now, CENTRE, DOWN, FRAME)
        envelope.picture(now, now)
        commands += isinstance(envelope.act(now, now, STILL), Command)
    assert 10 <= commands <= 10 * RATE_MARGIN + 1


def test_an_arm_outside_its_workspace_is_not_pulled_into_it():
    refusal = ready(position=CENTRE + np.array([0, 0.5, 0])).act(100.0, 100.0, [0, -1, 0, 0])
    assert reason(refusal) == Reason.OUTSIDE_WORKSPACE


def test_what_arrives_out_of_order_changes_nothing():
    envelope = moving()
    envelope.pose(100.1, 100.1, CENTRE, DOWN, FRAME)
    envelope.pose(100.1, 100.05, CENTRE + 0.03, DOWN, FRAME)
    assert reason(envelope.act(100.1, 99.99, STILL)) == Reason.OUT_OF_ORDER
    assert envelope.refusal(100.1) is None, "the action before it still counts"
    command = envelope.act(100.1, 100.1, STILL)
    np.testing.assert_allclose(command.position, off(0.03, 0, 0), atol=1e-9)


def test_a_sender_whose_clock_was_ahead_is_heard_again_once_it_is_right():
    envelope = moving()
    envelope.picture(100.05, 200.0)
    assert envelope.refusal(100.05).reason == Reason.STALE_PICTURE
    envelope.picture(100.1, 100.1)
    assert envelope.refusal(100.1) is None


def test_a_message_without_a_stamp_is_not_fresh():
    envelope = moving()
    envelope.picture(100.05, math.nan)
    assert envelope.refusal(100.05).reason == Reason.STALE_PICTURE
    assert envelope.watch(100.05).hold


def test_motion_begins_slowly_after_start_hold_and_resume():
    profile = replaced(soft_start_s=0.5)
    full = profile.max_speed_m_s * PERIOD
    action = [1, 0, 0, 0]

    def first_strides(envelope, now):
        strides = []
        for _ in range(6):
            see(envelope, now)
            command = envelope.act(now, now, action)
            strides.append(float(np.linalg.norm(command.position - CENTRE)))
            now += PERIOD
        return strides, now - PERIOD, command

    envelope = SafetyEnvelope(profile)
    strides, now, last = first_strides(envelope, 100.0)
    np.testing.assert_allclose(strides[:5], full * np.array([0.2, 0.4, 0.6, 0.8, 1.0]), atol=0.012)
    assert all(
        stride <= full * share + 1e-9
        for stride, share in zip(strides, (0.2, 0.4, 0.6), strict=False)
    )
    assert Limit.SOFT_START not in last.limited
    envelope.joints(now, profile.joints[:1], [math.nan])
    assert envelope.watch(now).hold
    envelope.joints(now, profile.joints[:1], [0.0])
    strides, now, _ = first_strides(envelope, now + PERIOD)
    assert strides[0] <= 0.2 * full + 1e-9
    envelope.stop(now)
    envelope.resume(now)
    strides, _, _ = first_strides(envelope, now + PERIOD)
    assert strides[0] <= 0.2 * full + 1e-9


def test_getting_faster_and_turning_are_limited_and_braking_is_not():
    profile = replaced(max_acceleration_m_s2=2.0, soft_start_s=0.05)
    envelope = ready(profile=profile)
    command = envelope.act(100.0, 100.0, [1, 0, 0, 0])
    assert command.limited == (Limit.ACCELERATION,)
    np.testing.assert_allclose(command.position, off(0.02, 0, 0), atol=1e-9)
    see(envelope, 100.1)
    command = envelope.act(100.1, 100.1, [1, 0, 0, 0])
    np.testing.assert_allclose(command.position, off(0.04, 0, 0), atol=1e-9)
    see(envelope, 100.2)
    command = envelope.act(100.2, 100.2, [-1, 0, 0, 0])
    np.testing.assert_allclose(command.position, off(-0.02, 0, 0), atol=1e-9)
    see(envelope, 100.3)
    command = envelope.act(100.3, 100.3, [0.2, 0, 0, 0])
    assert command.limited == ()


def test_a_target_never_steps_further_than_the_limit():
    envelope, now = underway(replaced(max_step_m=0.03))
    command = envelope.act(now, now, [1, 0, 0, 0])
    assert Limit.STEP in command.limited
    np.testing.assert_allclose(command.position, off(0.03, 0, 0), atol=1e-9)


def test_a_step_that_the_other_limits_do_not_leave_room_for_ends_motion():
    profile = replaced(max_step_m=0.01, max_speed_m_s=0.5)
    envelope, now = underway(profile)
    see(envelope, now, off(0.08, 0, 0))  # pushed further than speed lets it go back
    assert reason(envelope.act(now, now, STILL)) == Reason.TOO_LARGE_STEP
    assert envelope.watch(now).hold


def test_a_target_is_never_further_from_the_arm_than_the_limit():
    envelope, now = underway(replaced(max_distance_m=0.06))
    command = envelope.act(now, now, [1, 0, 0, 0])
    assert Limit.DISTANCE in command.limited
    np.testing.assert_allclose(command.position, off(0.06, 0, 0), atol=1e-9)


def test_an_arm_that_is_pushed_away_from_its_target_is_not_pulled_back():
    envelope = moving()
    pushed = off(-PROFILE.max_distance_m, 0, 0)
    envelope.pose(100.05, 100.05, pushed, DOWN, FRAME)
    assert envelope.refusal(100.05).reason == Reason.TOO_FAR
    hold = envelope.watch(100.05)
    np.testing.assert_allclose(hold.position, PROFILE.workspace.clip(pushed))
    assert envelope.refusal(100.06).reason == Reason.TOO_FAR, "said until the next action"
    see(envelope, 100.1, CENTRE)
    assert isinstance(envelope.act(100.1, 100.1, STILL), Command)


def test_fingers_move_no_faster_than_the_limit():
    envelope, now = underway(replaced(max_gripper_speed_m_s=0.1), action=[0, 0, 0, -1])
    command = envelope.act(now, now, [0, 0, 0, 1])
    assert command.opening == pytest.approx(0.01)
    assert Limit.GRIPPER_SPEED in command.limited


def quaternion(angle):
    """``orientation_xyzw`` turned about x by an angle, rad."""
    return [math.cos(angle / 2), 0.0, 0.0, math.sin(angle / 2)]


def test_an_arm_that_no_longer_points_as_it_should_holds():
    envelope = moving()
    envelope.pose(100.05, 100.05, CENTRE, quaternion(PROFILE.max_tilt_rad - 0.01), FRAME)
    assert envelope.watch(100.05) is None
    turned = quaternion(PROFILE.max_tilt_rad + 0.01)
    envelope.pose(100.06, 100.06, CENTRE, turned, FRAME)
    assert envelope.refusal(100.06).reason == Reason.TILTED
    assert envelope.watch(100.06).hold
    envelope.pose(100.07, 100.07, CENTRE, [-v for v in DOWN], FRAME)
    assert envelope.refusal(100.07) is None, "q and -q are the same orientation"


@pytest.mark.parametrize(
    "orientation", [[0, 0, 0, 0], [math.nan, 0, 0, 1], [1, 1, 1, 1], [1, 0, 0]]
)
def test_an_orientation_that_is_none_is_a_bad_pose(orientation):
    envelope = moving()
    envelope.pose(100.05, 100.05, CENTRE, orientation, FRAME)
    assert envelope.refusal(100.05).reason == Reason.BAD_POSE
    assert envelope.watch(100.05).hold


def test_a_pose_that_jumps_is_not_followed_until_two_agree():
    envelope = moving()
    envelope.pose(100.01, 100.01, off(0.15, 0.14, 0.0), DOWN, FRAME)
    assert envelope.refusal(100.01).reason == Reason.POSE_JUMP
    assert envelope.watch(100.01) is None, "neither pose can be trusted: the last target stands"
    envelope.pose(100.02, 100.02, CENTRE, DOWN, FRAME)
    assert envelope.refusal(100.02).reason == Reason.POSE_JUMP
    envelope.pose(100.03, 100.03, CENTRE, DOWN, FRAME)
    assert envelope.refusal(100.03) is None
    command = envelope.act(100.1, 100.1, [1, 0, 0, 0])
    assert Limit.SOFT_START in command.limited, "motion begins anew"


def test_a_process_that_slept_waits_for_news_and_then_holds_where_the_arm_is():
    envelope, moved = moving(), off(0.0, 0.05, 0.0)
    assert envelope.watch(103.0) is None, "where the arm was three seconds ago is no place to hold"
    assert envelope.refusal(103.0).reason == Reason.PAUSED
    envelope.pose(103.01, 103.01, moved, DOWN, FRAME)
    np.testing.assert_allclose(envelope.watch(103.02).position, moved)
    envelope.picture(103.03, 103.03)
    assert envelope.watch(103.04) is None
    assert envelope.refusal(103.04).reason == Reason.NO_ACTION, "it has been told all the rest"
    assert isinstance(envelope.act(103.1, 103.1, STILL), Command)


def test_an_action_from_before_resume_moves_nothing():
    envelope = moving()
    envelope.stop(100.05)
    envelope.resume(100.1)
    see(envelope, 100.1)
    assert reason(envelope.act(100.12, 100.09, STILL)) == Reason.OUT_OF_ORDER
    assert envelope.refusal(100.12).reason == Reason.NO_ACTION


def test_stop_outlasts_everything_but_resume():
    envelope = moving()
    envelope.stop(100.05)
    for now in (100.1, 50.0, 90.0, 90.1):  # a jump back, a pause
        see(envelope, now)
        assert reason(envelope.act(now, now, STILL)) == Reason.STOPPED
        assert envelope.watch(now) is None
    envelope.stop(90.15)
    envelope.resume(90.2)
    see(envelope, 90.2)
    assert isinstance(envelope.act(90.3, 90.3, STILL), Command)


# Keep-out boxes -----------------------------------------------------------------------------------
def wall(near, far):
    """The profile with a box across the workspace, this far (m) beyond the centre along x."""
    low, high = off(near, -1, -1), off(far, 1, 1)
    return replaced(keep_out=(KeepOut(tuple(low), tuple(high), "wall"),), soft_start_s=0.05)


@pytest.mark.parametrize("thickness", [0.2, 0.001])
def test_a_target_stops_short_of_a_keep_out_box_however_thin(thickness):
    command = ready(profile=wall(0.05, 0.05 + thickness)).act(100.0, 100.0, [1, 0, 0, 0])
    assert command.limited == (Limit.KEEP_OUT,)
    assert 0.045 < command.position[0] - CENTRE[0] < 0.05


def test_an_arm_beside_a_keep_out_box_may_leave_it():
    profile = wall(0.05, 0.1)
    close = off(0.0499, 0, 0)
    command = ready(profile=profile, position=close).act(100.0, 100.0, [-0.5, 0.2, 0, 0])
    assert command.limited == ()
    command = ready(profile=profile, position=close).act(100.0, 100.0, [0.5, 0, 0, 0])
    np.testing.assert_allclose(command.position, close)


def test_the_target_itself_does_not_pass_through_a_keep_out_box():
    low, high = off(0.02, 0.02, -1), off(0.06, 0.06, 1)
    profile = replaced(keep_out=(KeepOut(tuple(low), tuple(high), "post"),), soft_start_s=0.05)
    envelope = ready(profile=profile)
    command = envelope.act(100.0, 100.0, [0.8, 0, 0, 0])
    assert command.limited == ()
    see(envelope, 100.1, off(0.0, 0.07, 0))  # pushed around the corner
    assert reason(envelope.act(100.1, 100.1, [0, 0, 0, 0])) == Reason.KEEP_OUT
    assert envelope.watch(100.1).hold


def test_an_arm_inside_a_keep_out_box_holds_outside_and_is_not_moved():
    profile = wall(0.03, 0.2)
    envelope = moving(profile=profile)
    envelope.pose(100.02, 100.02, off(0.02, 0, 0), DOWN, FRAME)
    envelope.pose(100.03, 100.03, off(0.04, 0, 0), DOWN, FRAME)
    hold = envelope.watch(100.03)
    np.testing.assert_allclose(hold.position, off(0.02, 0, 0))
    refusal = envelope.act(100.1, 100.1, [-1, 0, 0, 0])
    assert reason(refusal) == Reason.KEEP_OUT
    assert "'wall'" in refusal.detail


# What it never does -----------------------------------------------------------------------------
numbers = st.one_of(st.floats(-1.2, 1.2), st.sampled_from(SPECIAL))
elapsed = st.one_of(
    st.sampled_from([0.1, 0.07, 0.0]), st.floats(0, 0.3), st.floats(-5, 0), st.floats(0.2, 10)
)
lags = st.one_of(st.just(0.0), st.floats(-0.5, 0.5))
axes = st.lists(st.floats(-1, 1), min_size=4, max_size=4)
nudges = st.lists(st.floats(-0.02, 0.02), min_size=3, max_size=3)
events = st.one_of(
    st.builds(Event, st.just("tick"), st.just(0.1), st.just(0.0), axes, nudges, st.floats(0, 1)),
    st.builds(Event, st.just("tick"), elapsed, lags, axes, nudges, st.floats(0, 1)),
    st.builds(Event, st.just("action"), elapsed, lags, st.lists(numbers, max_size=5)),
    st.builds(
        Event,
        st.just("pose"),
        elapsed,
        lags,
        st.just(()),
        st.tuples(numbers, numbers, numbers),
    ),
    st.builds(
        Event,
        st.just("turned"),
        elapsed,
        lags,
        st.just(()),
        st.tuples(numbers, numbers, numbers, numbers),
    ),
    st.builds(Event, st.just("joints"), elapsed, lags, st.just(()), st.tuples(numbers)),
    st.builds(
        Event,
        st.sampled_from(["watch", "picture", "framed", "stop", "resume", "one", "two"]),
        elapsed,
        lags,
    ),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(events, min_size=1, max_size=50), st.integers(0, 1000))
def test_no_sequence_of_events_gets_a_command_outside_the_envelope_out(sequence, seed):
    profile = random_profile(PROFILE, np.random.default_rng(seed))
    watched = [each for event in sequence for each in (event, Event("watch", 0.0))]
    assert Play(profile).run(watched) == []


def test_no_sequence_of_the_benchmark_does_either_and_most_of_them_move():
    moves = holds = 0
    for seed in range(300):
        rng = np.random.default_rng([1, seed])
        profile = random_profile(PROFILE, rng)
        play = Play(profile)
        assert play.run(random_sequence(profile, rng)) == []
        moves, holds = moves + play.moves, holds + play.holds
    assert moves > 2000
    assert holds > 300
