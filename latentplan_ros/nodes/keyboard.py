"""A terminal's keyboard as a gamepad on ``joy``, for people without one."""

import os
import select
import sys
import termios
import time
import tty

import rclpy.node
from sensor_msgs.msg import Joy

from latentplan_ros.control.joystick import JoystickError, load_joystick
from latentplan_ros.nodes import qos
from latentplan_ros.nodes.parameters import ParameterError, declare
from latentplan_ros.nodes.process import Done, run

PERIOD_S = 0.05
AXES, BUTTONS = 6, 21  # those of game_controller_node
MOTIONS = {"w": (0, 1), "s": (0, -1), "a": (1, 1), "d": (1, -1), "r": (2, 1), "f": (2, -1)}
HELP = """
Keys move the end effector while they are pressed; a short press is a nudge.

  w s   forward, back        o c   open, close the gripper
  a d   left, right          q     end
  r f   up, down
"""


class KeyboardError(RuntimeError):
    """There is no terminal to read keys from."""


class Keyboard(rclpy.node.Node):
    """Reads keys from the terminal and presents them as sticks and buttons of ``gamepad``.

    A terminal tells presses and repetitions but no releases, so a key counts as held for
    ``nudge_s`` after each, and the dead-man button with it: letting go stops the arm.
    """

    def __init__(self) -> None:
        super().__init__("keyboard")
        self._nudge = declare(
            self, "nudge_s", 0.2, "How long one press lasts, s", 0.05, 1.0, read_only=True
        )
        if not sys.stdin.isatty():
            raise KeyboardError(
                "keyboard reads keys from a terminal, and this is none; start it in one, by "
                "`latentplan teleop` or `ros2 run latentplan_ros keyboard`"
            )
        self._gamepad = load_joystick("gamepad")
        self._pressed: dict[str, float] = {}
        self._terminal = sys.stdin.fileno()
        self._before = termios.tcgetattr(self._terminal)
        tty.setcbreak(self._terminal)  # key by key, unseen; Ctrl-C stays what it is
        self._joy = self.create_publisher(Joy, "joy", qos.STATE_OUT)
        print(HELP, flush=True)
        self.create_timer(PERIOD_S, self._on_tick)

    def close(self) -> None:
        termios.tcsetattr(self._terminal, termios.TCSADRAIN, self._before)

    def _on_tick(self) -> None:
        while select.select([self._terminal], [], [], 0.0)[0]:
            keys = os.read(self._terminal, 64).decode(errors="ignore").lower()
            if not keys or "q" in keys:  # nothing: the terminal was closed
                raise Done
            self._pressed |= dict.fromkeys(keys, time.monotonic())
        self._publish()

    def _publish(self) -> None:
        now, pad = time.monotonic(), self._gamepad
        held = {key for key, at in self._pressed.items() if now - at < self._nudge}
        message = Joy(axes=[0.0] * AXES, buttons=[0] * BUTTONS)
        message.header.stamp = self.get_clock().now().to_msg()
        for key in held & MOTIONS.keys():
            axis, direction = MOTIONS[key]
            message.axes[pad.axes[axis]] += direction * pad.signs[axis]
        message.buttons[pad.open] = int("o" in held)
        message.buttons[pad.close] = int("c" in held)
        message.buttons[pad.dead_man] = int(bool(held & (MOTIONS.keys() | {"o", "c"})))
        self._joy.publish(message)


def main() -> None:
    sys.exit(run(Keyboard, ParameterError, KeyboardError, JoystickError))


if __name__ == "__main__":
    main()
