"""MoveIt Servo: velocities of the end effector, sent again and again while a target is young."""

import time

import numpy as np
from geometry_msgs.msg import PoseStamped, TwistStamped
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from latentplan_ros.control.backend import MoveitServo
from latentplan_ros.control.envelope import Command
from latentplan_ros.control.profile import RobotProfile
from latentplan_ros.control.twist import twist_towards
from latentplan_ros.nodes import qos

PERIOD_S = 0.02  # well within Servo's incoming_command_timeout, 0.1 s unless somebody changed it
ZEROS = 10  # twists of zero after motion ends, in case some are lost


class MoveitServoArm:
    """``servo_node/delta_twist_cmds`` along the axes of the base frame.

    Velocities lead from the measured pose towards the last target. They end in zero twists, then
    silence, on a hold, where no new target comes within ``action_timeout_s``, and where no pose
    does within ``pose_timeout_s``: Servo goes on with a twist it was left with, an arm does not
    stop at its target by itself.
    """

    def __init__(self, node: Node, profile: RobotProfile, settings: MoveitServo) -> None:
        self._node, self._profile, self._settings = node, profile, settings
        self._twist = node.create_publisher(TwistStamped, "servo_node/delta_twist_cmds", qos.TARGET)
        node.create_subscription(PoseStamped, "current_pose", self._on_pose, qos.STATE_IN)
        self._position = self._orientation = np.zeros(0)
        self._posed = self._commanded = -np.inf  # steady seconds
        self._target: np.ndarray | None = None
        self._zeros = 0
        node.create_timer(PERIOD_S, self._step, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def move(self, command: Command) -> None:
        if command.hold:
            self._target, self._zeros = None, ZEROS
        else:
            self._target, self._commanded = np.array(command.position), time.monotonic()
        self._step()

    def _on_pose(self, message: PoseStamped) -> None:
        p, q = message.pose.position, message.pose.orientation
        position = np.array([p.x, p.y, p.z])
        orientation = np.array([q.x, q.y, q.z, q.w])
        right_frame = message.header.frame_id == self._profile.base_frame
        unit = abs(float(np.linalg.norm(orientation)) - 1.0) < 1e-2
        if right_frame and unit and np.isfinite(position).all():
            self._position, self._orientation = position, orientation
            self._posed = time.monotonic()

    def _step(self) -> None:
        now, limits = time.monotonic(), self._profile
        if self._target is not None and (
            now > self._commanded + limits.action_timeout_s
            or now > self._posed + limits.pose_timeout_s
        ):
            self._target, self._zeros = None, ZEROS
        if self._target is not None:
            self._publish(*self._velocity(self._target))
        elif self._zeros:
            self._zeros -= 1
            self._publish(np.zeros(3), np.zeros(3))

    def _velocity(self, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Linear and angular velocity ``[3]`` in the unit that Servo is set to."""
        servo = self._settings
        linear, angular = twist_towards(
            self._position,
            self._orientation,
            target,
            np.array(self._profile.orientation_xyzw),
            servo.gain_per_s,
            min(self._profile.max_speed_m_s, servo.linear_scale),
            servo.rotational_scale,
        )
        if servo.command_in_type == "unitless":
            return linear / servo.linear_scale, angular / servo.rotational_scale
        return linear, angular

    def _publish(self, linear: np.ndarray, angular: np.ndarray) -> None:
        message = TwistStamped()
        message.header.stamp = self._node.get_clock().now().to_msg()
        message.header.frame_id = self._profile.base_frame
        for vector, values in ((message.twist.linear, linear), (message.twist.angular, angular)):
            vector.x, vector.y, vector.z = (float(v) for v in values)
        self._twist.publish(message)

    @property
    def problem(self) -> str:
        topic = self._twist.topic_name
        if self._twist.get_subscription_count() == 0:
            return f"nobody listens on {topic}: start MoveIt Servo, or remap the topic"
        if self._node.count_publishers(topic) > 1:
            return f"{topic} has a second publisher: end the other"
        return ""
