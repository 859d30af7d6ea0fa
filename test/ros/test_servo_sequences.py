"""Whatever happens in whatever order, MoveIt Servo is told nothing that it must not be told."""

import dataclasses
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped
from hypothesis import given, settings
from hypothesis import strategies as st
from test_backend_logic import Node

from latentplan_ros.control.envelope import Command
from latentplan_ros.control.profile import load_profile
from latentplan_ros.nodes.backends import moveit_servo

PROFILE = load_profile("ur5e_servo")
number = st.floats(-2.0, 2.0)
place = st.tuples(number, number, number)
events = st.lists(
    st.tuples(st.just("move"), place)
    | st.tuples(st.just("hold"), place)
    | st.tuples(st.just("pose"), place, st.sampled_from(["base", "base", "world"]))
    | st.tuples(st.just("wait"), st.floats(0.0, 0.3)),
    max_size=30,
)


@settings(max_examples=200, deadline=None)
@given(events, st.sampled_from(["unitless", "speed_units"]))
def test_no_order_of_events_moves_the_arm_too_fast_or_without_a_reason(sequence, unit):
    arm = dataclasses.replace(PROFILE.backend.arm, command_in_type=unit)
    fastest = PROFILE.max_speed_m_s / (arm.linear_scale if unit == "unitless" else 1.0)
    turn = 1.0 if unit == "unitless" else arm.rotational_scale
    clock, node = SimpleNamespace(seconds=1000.0), Node()
    told = posed = -np.inf  # when the last target and the last pose in the right frame came
    with patch.object(moveit_servo.time, "monotonic", lambda: clock.seconds):
        driver = moveit_servo.MoveitServoArm(node, PROFILE, arm)
        for kind, *values in sequence:
            node.published.clear()
            if kind == "move":
                driver.move(Command(np.array(values[0]), None))
                told = clock.seconds
            elif kind == "hold":
                driver.move(Command(np.array(values[0]), None, hold=True))
                told = -np.inf
            elif kind == "pose":
                pose = PoseStamped()
                pose.header.frame_id = values[1]
                p, q = pose.pose.position, pose.pose.orientation
                p.x, p.y, p.z = values[0]
                q.x, q.w = 1.0, 0.0
                node.heard["current_pose"](pose)
                posed = clock.seconds if values[1] == "base" else posed
            else:
                clock.seconds += values[0]
            node.timer()
            for _, message in node.published:
                linear, angular = message.twist.linear, message.twist.angular
                speed = float(np.linalg.norm([linear.x, linear.y, linear.z]))
                assert speed <= fastest + 1e-9
                assert np.linalg.norm([angular.x, angular.y, angular.z]) <= turn + 1e-9
                assert message.header.frame_id == PROFILE.base_frame
                if speed > 0.0:
                    assert clock.seconds <= told + PROFILE.action_timeout_s + 1e-9
                    assert clock.seconds <= posed + PROFILE.pose_timeout_s + 1e-9


def test_the_sequences_do_move_the_arm():
    """The property above is not kept by saying nothing."""
    node = Node()
    driver = moveit_servo.MoveitServoArm(node, PROFILE, PROFILE.backend.arm)
    pose = PoseStamped()
    pose.header.frame_id = "base"
    pose.pose.orientation.x, pose.pose.orientation.w = 1.0, 0.0
    node.heard["current_pose"](pose)
    driver.move(Command(np.array([0.01, 0.0, 0.0]), None))
    assert node.published[-1][1].twist.linear.x == pytest.approx(0.05 / 0.4)
