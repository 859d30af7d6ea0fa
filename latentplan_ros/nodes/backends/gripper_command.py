"""Grippers behind a control_msgs GripperCommand action."""

from typing import Any

from rclpy.node import Node

from latentplan_ros.control.backend import CommandGripper
from latentplan_ros.control.profile import RobotProfile
from latentplan_ros.nodes.backends.goals import OneGoal, succeeded
from latentplan_ros.nodes.backends.messages import interface
from latentplan_ros.nodes.backends.opening import scaled


class CommandGripperDriver:
    """A goal where the wished opening differs from the last one's by more than the tolerance."""

    def __init__(self, node: Node, profile: RobotProfile, settings: CommandGripper) -> None:
        self._profile, self._settings = profile, settings
        self._kind = interface("control_msgs/action/GripperCommand")
        self._goals = OneGoal(node)
        self._client = self._goals.client(self._kind, settings.action)

    def move(self, opening: float) -> None:
        limits, sent = self._settings, self._goals.sent
        if sent is not None and abs(opening - sent) <= limits.tolerance_m:
            return
        goal = self._kind.Goal()
        goal.command.position = scaled(opening, self._profile, limits.closed, limits.open)
        goal.command.max_effort = limits.max_effort
        self._goals.send(self._client, goal, opening, _fault)

    @property
    def problem(self) -> str:
        return self._goals.problem


def _fault(status: int, result: Any) -> str:
    # Stalled is how such a gripper says that there is an object between the fingers.
    reached = succeeded(status) or result.stalled or result.reached_goal
    return "" if reached else "the fingers did not get there"
