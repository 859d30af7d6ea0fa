"""Driving by hand: what a device's messages make the arm do, and what is kept of it."""

import os
import pty
import subprocess
import sys

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped
from sensor_msgs.msg import Joy
from std_msgs.msg import Float64MultiArray
from test_explorer import SMALL, patient, xyz

from latentplan_ros.control.joystick import load_joystick
from latentplan_ros.data.build import build
from latentplan_ros.data.dataset import Dataset
from latentplan_ros.nodes import qos

PAD = load_joystick("gamepad")


class Gamepad:
    """A driver that repeats its state 20 times a second, as game_controller_node does."""

    def __init__(self, ros):
        self.ros = ros
        self.axes, self.buttons = [0.0] * 6, [0] * 21
        self.out = ros.publisher(Joy, "joy")
        self.timer = ros.every(0.05, self._publish)

    def _publish(self):
        message = Joy(axes=self.axes, buttons=self.buttons)
        message.header.stamp = self.ros.stamp()
        self.out.publish(message)

    def hold(self, x=0.0, y=0.0, z=0.0):
        axes = [0.0] * 6
        for number, value in zip(PAD.axes, (x, y, z), strict=True):
            axes[number] = value
        self.axes = axes
        self.press(PAD.dead_man, 1)

    def press(self, button, value):
        buttons = list(self.buttons)
        buttons[button] = value
        self.buttons = buttons

    def release(self):
        self.press(PAD.dead_man, 0)


class Said:
    """The newest status of the teleop node."""

    def __init__(self, ros):
        self.ros, self.reports = ros, ros.listen(DiagnosticArray, "/diagnostics", qos.REPORT)

    def wait(self, words):
        def said():
            mine = [s for r in list(self.reports) for s in r.status if s.name.endswith("teleop")]
            return bool(mine) and words in mine[-1].message

        self.ros.wait(said, 30.0, f"teleop saying {words!r}")


def quiet(ros, actions, said, words):
    """No action follows once the node has said so."""
    said.wait(words)
    count, reports = len(actions), len(said.reports)
    ros.wait(lambda: len(said.reports) > reports, what="a further report")
    assert len(actions) == count


def test_only_a_held_button_of_a_driver_that_is_heard_makes_actions(ros):
    actions = ros.listen(Joy, "action", qos.ACTION)
    said = Said(ros)
    node = ros.start("teleop", {"scale": 0.5})
    said.wait("no joystick is heard")
    pad = Gamepad(ros)
    pad.axes[PAD.axes[0]] = 1.0
    quiet(ros, actions, said, "released")
    assert not actions, "the stick alone moves nothing"

    pad.hold(x=1.0, z=-1.0)
    ros.wait(lambda: len(actions) >= 10, 20.0, "actions")
    np.testing.assert_allclose(actions[-1].axes, [0.5, 0.0, -0.5, 1.0])
    stamps = [a.header.stamp.sec + 1e-9 * a.header.stamp.nanosec for a in actions]
    assert np.median(np.diff(stamps)) == pytest.approx(0.1, abs=0.03)
    pad.press(PAD.close, 1)
    ros.wait(lambda: actions[-1].axes[3] == -1.0, what="the gripper closing")
    pad.press(PAD.close, 0)
    pad.release()
    quiet(ros, actions, said, "released")

    pad.hold(y=0.05)
    count = len(actions)
    ros.wait(lambda: len(actions) > count + 2, what="actions within the deadband")
    np.testing.assert_allclose(actions[-1].axes, [0.0, 0.0, 0.0, -1.0])
    pad.timer.cancel()  # the receiver was unplugged, the button still held
    quiet(ros, actions, said, "no joystick is heard")
    pad.timer.reset()
    said.wait("driving")
    pad.axes = [float("nan")] * 6
    said.wait("not all finite")
    pad.axes = [0.0]
    quiet(ros, actions, said, "1 axes")
    assert node.alive


def test_what_is_driven_moves_the_arm_and_becomes_a_dataset(ros, tmp_path):
    actions = ros.listen(Joy, "action", qos.ACTION)
    poses = ros.listen(PoseStamped, "current_pose", qos.STATE_IN)
    fingers = ros.listen(Float64MultiArray, "gripper_position_controller/commands", qos.TARGET)
    said, robot = Said(ros), patient(tmp_path)
    bags = tmp_path / "bags"
    ros.start("sim_bridge", SMALL)
    ros.start("arm", {"robot": robot})
    ros.start("recorder", {"directory": str(bags), "robot": robot})
    ros.start("teleop", {"robot": robot, "recorder": "recorder", "episode_gap_s": 0.5})
    pad = Gamepad(ros)
    ros.wait(lambda: poses, 60.0, "a pose")
    said.wait("released")
    start = xyz(poses[-1])
    way = 1.0 if start[1] < 0 else -1.0  # towards the middle: there is room
    pad.hold(y=way)
    ros.wait(lambda: way * (xyz(poses[-1])[1] - start[1]) > 0.05, 60.0, "5 cm to the side")
    # Enough for a whole piece also where a loaded machine loses a picture in between.
    ros.wait(lambda: len(actions) >= 50 and fingers, 60.0, "actions and a gripper command")
    pad.release()
    said.wait("released")
    ros.wait(lambda: list(bags.glob("*/metadata.yaml")), 30.0, "the end of the episode")
    report = build([bags], tmp_path / "D.zarr")
    assert report.episodes >= 1, report.problems
    driven = Dataset.open(tmp_path / "D.zarr").action[:]
    moving = driven[np.abs(driven[:, 1]) > 0]
    assert len(moving) >= 10
    np.testing.assert_allclose(moving, np.tile([0.0, 0.3 * way, 0.0, 1.0], (len(moving), 1)))


def test_a_recorder_that_is_not_there_is_missed_aloud_and_driving_goes_on(ros):
    actions = ros.listen(Joy, "action", qos.ACTION)
    said, pad = Said(ros), Gamepad(ros)
    ros.start("teleop", {"recorder": "recorder"})
    pad.hold(x=1.0)
    said.wait("not recorded: there is no service recorder/start")
    count = len(actions)
    ros.wait(lambda: len(actions) > count + 3, what="actions all the same")


def test_keys_are_sticks_and_a_dead_man_button_that_lets_go_by_itself(ros):
    states = ros.listen(Joy, "joy")
    master, slave = pty.openpty()
    node = ros.run([sys.executable, "-m", "latentplan_ros.cli", "teleop"], "keyboard", stdin=slave)
    os.close(slave)
    ros.wait(lambda: states, 60.0, "joy")
    PAD.check(states[-1].axes, states[-1].buttons)
    assert not any(PAD.held(s.buttons) for s in states)

    def sent(keys, condition, what):
        count = len(states)
        os.write(master, keys)
        ros.wait(lambda: any(condition(s) for s in states[count:]), what=what)
        ros.wait(lambda: not PAD.held(states[-1].buttons), what="letting go")

    def moves(*direction):
        return lambda s: PAD.held(s.buttons) and np.allclose(PAD.motion(s.axes, 1.0), direction)

    sent(b"w", moves(1, 0, 0), "forward")
    sent(b"D", moves(0, -1, 0), "right, in capitals")
    sent(b"rs", moves(-1, 0, 1), "up and back at once")
    sent(b"c", lambda s: s.buttons[PAD.close] and PAD.held(s.buttons), "close")
    count = len(states)
    os.write(master, b"x")
    ros.wait(lambda: len(states) > count + 5, what="further states")
    assert not any(PAD.held(s.buttons) for s in states[count:]), "x means nothing"
    os.write(master, b"q")
    assert node.wait(10.0) == 0, node.output
    os.close(master)


def test_without_a_terminal_the_keyboard_says_so_in_one_line(ros):
    node = ros.run(
        [sys.executable, "-m", "latentplan_ros.nodes.keyboard"],
        "keyboard",
        stdin=subprocess.DEVNULL,
    )
    assert node.wait(30.0) == 2
    assert "latentplan teleop" in node.output
    assert "Traceback" not in node.output
