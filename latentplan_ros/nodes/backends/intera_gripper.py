"""Sawyer's electric gripper over ros1_bridge."""

import json

from rclpy.node import Node

from latentplan_ros.control.backend import InteraGripper
from latentplan_ros.control.profile import RobotProfile
from latentplan_ros.nodes import qos
from latentplan_ros.nodes.backends.messages import interface


class InteraGripperDriver:
    """The signal ``position_m`` on ``io/end_effector/<device>/command``, sent where the wished
    opening differs from the last one sent by more than the tolerance."""

    def __init__(self, node: Node, profile: RobotProfile, settings: InteraGripper) -> None:
        self._node, self._settings = node, settings
        self._kind = interface("intera_core_msgs/msg/IOComponentCommand")
        topic = f"io/end_effector/{settings.device}/command"
        self._commands = node.create_publisher(self._kind, topic, qos.STATE_OUT)
        self._sent: float | None = None

    def move(self, opening: float) -> None:
        if self._sent is not None and abs(opening - self._sent) <= self._settings.tolerance_m:
            return
        if self.problem:
            return  # nobody would hear it; the next action asks again
        signal = {"format": {"type": "float"}, "data": [opening]}
        command = self._kind(op="set", args=json.dumps({"signals": {"position_m": signal}}))
        command.time = self._node.get_clock().now().to_msg()  # the robot takes each time once
        self._commands.publish(command)
        self._sent = opening

    @property
    def problem(self) -> str:
        if self._commands.get_subscription_count() == 0:
            return f"nobody listens on {self._commands.topic_name}: is the bridge running?"
        return ""
