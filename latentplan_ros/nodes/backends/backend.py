"""The two halves of a robot, each spoken to in its controller's dialect."""

import importlib
from typing import Protocol

from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from latentplan_ros.control.backend import (
    CommandGripper,
    Crisp,
    FrankaGripper,
    Intera,
    InteraGripper,
    MoveitServo,
    PositionGripper,
)
from latentplan_ros.control.envelope import Command
from latentplan_ros.control.profile import RobotProfile
from latentplan_ros.nodes.diagnostics import OK, WARN, Diagnostics


class ArmDriver(Protocol):
    """Moves the end effector. problem: what keeps it from doing so, empty when all is well."""

    def move(self, command: Command) -> None:
        """Go to a position, or keep it where ``command.hold``: no motion may outlast a hold."""
        ...

    @property
    def problem(self) -> str: ...


class GripperDriver(Protocol):
    """Moves the fingers. problem: as of an arm."""

    def move(self, opening: float) -> None:
        """Wish for a distance between the fingers, metres; asked for anew with every action."""
        ...

    @property
    def problem(self) -> str: ...


# By settings; a module is imported only where its settings are chosen, for the messages it needs.
_DRIVERS = {
    Crisp: "crisp:CrispArm",
    MoveitServo: "moveit_servo:MoveitServoArm",
    Intera: "intera:InteraArm",
    PositionGripper: "crisp:PositionGripperDriver",
    CommandGripper: "gripper_command:CommandGripperDriver",
    FrankaGripper: "franka_gripper:FrankaGripperDriver",
    InteraGripper: "intera_gripper:InteraGripperDriver",
}


class Backend:
    """Sends the envelope's commands to the controllers that the profile names, and reports on
    /diagnostics, as a status of its own, what keeps them from being carried out.

    A hold keeps the arm where it is and leaves the fingers alone: an object that is held stays
    held. Raises MissingMessages where a message package is not installed.
    """

    def __init__(self, node: Node, profile: RobotProfile) -> None:
        settings = profile.backend
        self._arm: ArmDriver = _driver(settings.arm, node, profile)
        self._gripper: GripperDriver | None = None
        if settings.gripper is not None:
            self._gripper = _driver(settings.gripper, node, profile)
        self._diagnostics = Diagnostics(node, "starting", part="backend")
        node.create_timer(1.0, self._report, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def send(self, command: Command) -> None:
        if self._gripper is not None and command.opening is not None and not command.hold:
            # First the fingers: whoever joins the two acts when the target arrives.
            self._gripper.move(command.opening)
        self._arm.move(command)

    def _report(self) -> None:
        problems = [d.problem for d in (self._arm, self._gripper) if d is not None and d.problem]
        if problems:
            self._diagnostics.set(WARN, "; ".join(problems))
        else:
            self._diagnostics.set(OK, "the controllers are there")


def _driver(settings: object, node: Node, profile: RobotProfile):
    module, name = _DRIVERS[type(settings)].split(":")
    loaded = importlib.import_module(f"{__package__}.{module}")
    return getattr(loaded, name)(node, profile, settings)
