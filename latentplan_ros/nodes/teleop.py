"""Driving by hand: a joystick's ``joy`` in, ``action`` out while the dead-man button is held."""

import sys
import time
from typing import Any

import numpy as np
import rclpy.node
from sensor_msgs.msg import Joy

from latentplan_ros.control.joystick import JoystickError, load_joystick
from latentplan_ros.control.profile import ProfileError, load_profile
from latentplan_ros.nodes import qos
from latentplan_ros.nodes.diagnostics import ERROR, OK, WARN, Diagnostics
from latentplan_ros.nodes.episodes import Episodes
from latentplan_ros.nodes.parameters import ParameterError, declare
from latentplan_ros.nodes.process import run


class Teleop(rclpy.node.Node):
    """One action a control period while the dead-man button is held and its driver is heard.

    Released, it publishes nothing, and the arm node holds as soon as the last action is too old:
    the hold does not depend on this process. What is driven is recorded: an episode begins with the
    button and ends ``episode_gap_s`` after it was let go for good.
    """

    def __init__(self) -> None:
        super().__init__("teleop")

        def setting(
            name: str,
            default: Any,
            about: str,
            low: float | None = None,
            high: float | None = None,
        ) -> Any:
            return declare(self, name, default, about, low, high, read_only=True)

        robot = setting("robot", "franka", "Robot profile: a name or a YAML file")
        joystick = setting(
            "joystick", "gamepad", "gamepad (the keyboard too), spacemouse, or a YAML file"
        )
        self._scale = setting("scale", 0.3, "Share of the fastest action", 0.01, 1.0)
        self._timeout = setting(
            "joy_timeout_s", 0.3, "Silence that counts as the button let go, s", 0.05, 5.0
        )
        self._gripper = setting(
            "gripper", 1.0, "Gripper until a button says otherwise: 1 open, -1 closed", -1.0, 1.0
        )
        recorder = setting("recorder", "", "Recorder node to record episodes with; empty: none")
        gap = setting("episode_gap_s", 2.0, "Rest that ends an episode, s", 0.0, 600.0)
        self._joystick = load_joystick(joystick)
        self._joy: Joy | None = None
        self._heard = -np.inf
        self._problem = ""
        self._diagnostics = Diagnostics(self)
        self._episodes = Episodes(self, recorder, gap) if recorder else None
        self._action = self.create_publisher(Joy, "action", qos.ACTION)
        self.create_subscription(Joy, "joy", self._on_joy, qos.STATE_IN)
        self.create_timer(load_profile(robot).action.period_s, self._on_tick)

    def _on_joy(self, message: Joy) -> None:
        try:
            self._joystick.check(message.axes, message.buttons)
        except JoystickError as error:
            self._joy, self._problem = None, str(error)
            return
        before = [] if self._joy is None else self._joy.buttons
        if self._joystick.held(message.buttons):
            self._gripper = self._joystick.gripper(self._gripper, before, message.buttons)
        # By this machine's steady clock: a driver on another one may stamp as it likes.
        self._joy, self._heard, self._problem = message, time.monotonic(), ""

    def _on_tick(self) -> None:
        joy, silent = self._joy, time.monotonic() - self._heard > self._timeout
        driving = joy is not None and not silent and self._joystick.held(joy.buttons)
        if driving:
            assert joy is not None
            motion = self._joystick.motion(joy.axes, self._scale)
            message = Joy(axes=[*motion.tolist(), float(self._gripper)])
            message.header.stamp = self.get_clock().now().to_msg()
            self._action.publish(message)
        unrecorded = self._episodes.follow(driving) if self._episodes is not None else ""
        self._report(driving, silent, unrecorded)

    def _report(self, driving: bool, silent: bool, unrecorded: str) -> None:
        recorded = self._episodes is not None and self._episodes.recording
        values = {"joystick": self._joystick.name, "gripper": self._gripper, "recording": recorded}
        if self._problem:
            self._diagnostics.set(ERROR, f"not driving: {self._problem}", **values)
        elif unrecorded:
            self._diagnostics.set(ERROR, unrecorded, **values)
        elif silent:
            self._diagnostics.set(WARN, "not driving: no joystick is heard on joy", **values)
        elif driving:
            self._diagnostics.set(OK, "driving", **values)
        else:
            button = self._joystick.dead_man
            self._diagnostics.set(OK, f"released: hold button {button} to drive", **values)


def main() -> None:
    sys.exit(run(Teleop, ParameterError, ProfileError, JoystickError))


if __name__ == "__main__":
    main()
