"""The Franka Hand through the actions of franka_ros2's gripper node."""

from typing import Any

from rclpy.node import Node
from std_srvs.srv import Trigger

from latentplan_ros.control.backend import FrankaGripper
from latentplan_ros.control.profile import RobotProfile
from latentplan_ros.nodes.backends.goals import OneGoal, succeeded
from latentplan_ros.nodes.backends.messages import interface


class FrankaGripperDriver:
    """Grasp below the profile's opening, Move above it; Homing only when ``~/home_gripper`` is
    called, since it opens and closes the fingers whatever they hold."""

    def __init__(self, node: Node, profile: RobotProfile, settings: FrankaGripper) -> None:
        self._profile, self._settings = profile, settings
        kinds = {name: interface(f"franka_msgs/action/{name}") for name in _ACTIONS}
        self._goals = OneGoal(node)
        self._clients = {
            name: self._goals.client(kind, f"{settings.node}/{name.lower()}")
            for name, kind in kinds.items()
        }
        self._kinds = kinds
        node.create_service(Trigger, "~/home_gripper", self._on_home)

    def move(self, opening: float) -> None:
        limits, sent = self._settings, self._goals.sent
        grasp = opening < limits.grasp_below_m
        if sent is not None:
            holding = sent < limits.grasp_below_m
            # What is between the fingers decides how far a grasp closes, so it is sent once.
            if holding and opening < limits.grasp_below_m + limits.tolerance_m:
                return
            if abs(opening - sent) <= limits.tolerance_m:
                return
        name = "Grasp" if grasp else "Move"
        goal = self._kinds[name].Goal(width=opening, speed=limits.speed_m_s)
        if grasp:
            goal.force = limits.force_n
            # An object of any thickness is a success.
            goal.epsilon.inner = goal.epsilon.outer = self._profile.action.gripper_m[1]
        self._goals.send(self._clients[name], goal, opening, _fault)

    def _on_home(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        # Nothing is known of the fingers afterwards: the next action sends its opening anew.
        goal = self._kinds["Homing"].Goal()
        if self._goals.send(self._clients["Homing"], goal, None, _fault):
            response.success, response.message = True, "homing; /diagnostics says if it fails"
        else:
            why = "the gripper is moving" if self._goals.busy else self._goals.problem
            response.success, response.message = False, f"not homed: {why}"
        return response

    @property
    def problem(self) -> str:
        return self._goals.problem


_ACTIONS = ("Grasp", "Move", "Homing")


def _fault(status: int, result: Any) -> str:
    if succeeded(status) and result.success:
        return ""
    return result.error or "ended without success"
