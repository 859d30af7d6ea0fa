"""Each backend against a fake of its controller in another process, through a real arm node."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from diagnostic_msgs.msg import DiagnosticArray
from harness import Ros
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Joy
from std_msgs.msg import String
from std_srvs.srv import Trigger

from latentplan_ros.control.profile import load_profile
from latentplan_ros.nodes import qos
from latentplan_ros.resources import resource

FAKES = Path(__file__).with_name("fake_robots.py")
LIMIT_S = 0.6  # longer than a busy test machine stalls


class Bench:
    """An arm node, the fake it drives, and somebody at the joystick."""

    def __init__(self, folder, robot, fake, **backend):
        values = yaml.safe_load(resource(f"config/robots/{robot}.yaml").read_text())
        values |= {f"{k}_timeout_s": LIMIT_S for k in ("image", "pose", "action")}
        values["soft_start_s"] = 0.2
        if backend:
            values["backend"] = backend
        self.path = folder / f"{robot}.yaml"
        self.path.write_text(yaml.safe_dump(values))
        self.profile = load_profile(self.path)
        self.ros = Ros()
        self.axes = None
        self._heard = self.ros.listen(String, "fake/events", QoSProfile(depth=1000))
        self.diagnostics = self.ros.listen(DiagnosticArray, "/diagnostics")
        self._action = self.ros.publisher(Joy, "action", qos.ACTION)
        self.ros.every(0.1, self._tick)
        self.fake = self.ros.run([sys.executable, str(FAKES), fake, str(self.path)], fake)
        self.arm = self.ros.start("arm", {"robot": str(self.path), "needs_picture": False})

    def _tick(self):
        if self.axes is not None:
            message = Joy(axes=self.axes)
            message.header.stamp = self.ros.stamp()
            self._action.publish(message)

    def events(self, what):
        return [e for e in map(json.loads, (m.data for m in self._heard)) if e["what"] == what]

    def drive(self, *axes):
        """Act from now on; what was heard before is forgotten."""
        node = self.ros.node
        self.wait(lambda: node.count_publishers("fake/events") and self.diagnostics, "both to run")
        self._heard.clear()
        self.axes = [float(a) for a in axes]

    def wait(self, condition, what):
        return self.ros.wait(condition, 30.0, what)

    def stop(self):
        assert self.ros.call(Trigger, "arm/stop", seconds=30.0).success

    def resume(self):
        self._heard.clear()
        assert self.ros.call(Trigger, "arm/resume", seconds=30.0).success

    def said(self, text):
        return any(text in s.message for array in self.diagnostics for s in array.status)


@pytest.fixture
def bench(tmp_path):
    started = []

    def start(robot, fake, **backend):
        started.append(Bench(tmp_path, robot, fake, **backend))
        return started[-1]

    yield start
    for each in started:
        each.ros.close()


def needs(package):
    return pytest.mark.skipif(
        importlib.util.find_spec(package) is None, reason=f"{package} is not installed"
    )


def test_crisp_is_told_poses_in_its_frame_and_keeps_the_last_one_on_a_stop(bench):
    gripper = {"kind": "position", "closed": 0.2, "open": 1.0}  # not in metres
    robot = bench("franka_hand", "crisp", arm={"kind": "crisp"}, gripper=gripper)
    robot.drive(1.0, 0.0, 0.0, 0.5)
    robot.wait(lambda: len(robot.events("target")) > 3, "targets")
    first, *_, last = robot.events("target")
    assert last["frame"] == "base"
    assert last["orientation"] == pytest.approx(robot.profile.orientation_xyzw)
    assert last["position"][0] > first["position"][0] + 1e-3
    robot.wait(lambda: robot.events("gripper")[-1]["value"] == pytest.approx([0.8]), "fingers")
    robot.stop()
    robot.wait(lambda: robot.said("stopped"), "the stop on /diagnostics")
    targets, fingers = robot.events("target"), robot.events("gripper")
    step = robot.profile.max_step_m + 1e-6  # what the fake has moved since its last pose
    assert targets[-1]["away"] <= step, "the hold keeps the arm about where it is"
    assert fingers[-1]["value"] == pytest.approx([0.8]), "a hold says nothing to the fingers"
    robot.ros.wait(lambda: robot.said("the controllers are there"), 30.0, "no problem")


def test_a_controller_that_is_not_there_is_named(bench):
    robot = bench("ur5e_servo", "crisp", arm={"kind": "crisp"})
    robot.fake.stop()
    robot.wait(lambda: robot.said("nobody listens on /target_pose"), "the missing controller")


@pytest.mark.parametrize("command_in_type", ["unitless", "speed_units"])
def test_servo_moves_the_arm_and_stands_still_on_a_stop_and_without_targets(bench, command_in_type):
    arm = yaml.safe_load(resource("config/robots/ur5e_servo.yaml").read_text())["backend"]["arm"]
    arm |= {"command_in_type": command_in_type}
    robot = bench("ur5e_servo", "servo", arm=arm)

    def moved(by):
        twists = robot.events("twist")
        return twists and twists[-1]["position"][0] - twists[0]["position"][0] > by

    def ended():
        return robot.events("twist")[-1]["value"] == [0.0, 0.0, 0.0]

    robot.drive(1.0, 0.0, 0.0, 0.0)
    robot.wait(lambda: moved(0.03), "3 cm")
    twists = robot.events("twist")
    assert not any(t["refused"] for t in twists)
    assert {t["frame"] for t in twists} == {robot.profile.base_frame}
    fastest = robot.profile.max_speed_m_s
    fastest /= arm["linear_scale"] if command_in_type == "unitless" else 1.0
    assert max(np.linalg.norm(t["value"]) for t in twists) <= fastest + 1e-6
    assert max(abs(t["value"][1]) for t in twists) < 0.05 * fastest, "straight ahead"

    robot.stop()
    robot.wait(ended, "a twist of zero after the stop")
    count = len(robot.events("twist"))
    robot.resume()
    robot.wait(lambda: moved(0.005), "motion after resume")
    assert count, "something was heard before"
    robot.axes = None
    robot.wait(ended, "a twist of zero when actions end")


@needs("franka_msgs")
def test_the_franka_hand_moves_grasps_and_homes_one_goal_at_a_time(bench):
    robot = bench("franka_hand", "franka_hand")
    move, grasp, homing = (f"franka_gripper/{name}" for name in ("move", "grasp", "homing"))
    robot.drive(0.2, 0.0, 0.0, 1.0)
    robot.wait(lambda: robot.events(move), "a Move")
    targets = len(robot.events("target"))
    robot.wait(lambda: len(robot.events("target")) > targets + 8, "more commands")
    (event,) = robot.events(move)
    assert event["width"] == pytest.approx(0.08), "one goal for one wish"
    assert event["speed"] == pytest.approx(0.1)

    robot.drive(0.0, 0.0, 0.0, -1.0)
    robot.wait(lambda: robot.events(grasp), "a Grasp")
    for noise in (0.01, 0.03, 0.06):  # the wish stays below grasp_below_m
        robot.axes[3] = -1.0 + noise
        count = len(robot.events("target"))
        robot.wait(lambda count=count: len(robot.events("target")) > count + 3, "more commands")
    (event,) = robot.events(grasp)
    assert (event["width"], event["force"]) == (pytest.approx(0.0), pytest.approx(20.0))
    assert event["outer"] == pytest.approx(0.08), "an object of any thickness will do"
    assert not robot.events(homing), "never by itself"

    robot.stop()
    robot.wait(lambda: robot.ros.call(Trigger, "arm/home_gripper").success, "a homing")
    robot.wait(lambda: robot.events(homing), "the homing")
    assert not robot.events(move), "a hold leaves the fingers alone"
    robot.resume()
    robot.wait(lambda: robot.events(grasp), "a Grasp after homing, for the fingers are elsewhere")
    everything = [e for m in robot._heard for e in [json.loads(m.data)] if "together" in e]
    assert max(e["together"] for e in everything) == 1


@needs("control_msgs")
def test_a_gripper_command_is_sent_where_the_wish_changes(bench):
    backend = yaml.safe_load(resource("config/robots/ur5e_servo.yaml").read_text())["backend"]
    robot = bench(
        "ur5e_servo", "gripper_command", arm={"kind": "crisp"}, gripper=backend["gripper"]
    )
    name = robot.profile.backend.gripper.action
    robot.drive(0.2, 0.0, 0.0, 1.0)
    robot.wait(lambda: robot.events(name), "a goal")
    robot.axes[3] = 0.95  # 2 mm less
    count = len(robot.events("target"))
    robot.wait(lambda: len(robot.events("target")) > count + 5, "more commands")
    (event,) = robot.events(name)
    assert event["position"] == pytest.approx(0.0)
    assert event["effort"] == pytest.approx(50.0)
    robot.drive(0.0, 0.0, 0.0, -1.0)
    robot.wait(
        lambda: robot.events(name) and robot.events(name)[-1]["position"] == pytest.approx(0.8),
        "closed fingers",
    )
    assert max(e["together"] for e in robot.events(name)) == 1


@needs("intera_core_msgs")
def test_sawyer_is_driven_through_its_inverse_kinematics(bench):
    robot = bench("sawyer_intera", "sawyer")
    robot.drive(0.5, -0.2, 0.0, 1.0)
    robot.wait(lambda: len(robot.events("joints")) > 5, "joint commands")
    solve, joints = robot.events("solve")[-1], robot.events("joints")
    assert (solve["frame"], solve["tip"], solve["seed_mode"]) == ("base", "right_gripper_tip", 1)
    assert len(solve["seed"]) == 7
    assert {j["mode"] for j in joints} == {1}, "position mode"
    assert joints[-1]["position"][0] > joints[0]["position"][0]
    robot.wait(lambda: robot.events("gripper"), "the fingers")
    (gripper,) = robot.events("gripper")
    assert gripper["op"] == "set"
    signal = {"format": {"type": "float"}, "data": [pytest.approx(0.041)]}
    assert gripper["args"] == {"signals": {"position_m": signal}}
    assert gripper["sec"] > 0

    robot.stop()
    robot.wait(lambda: robot.said("stopped"), "the stop on /diagnostics")
    assert robot.events("joints")[-1]["away"] < 0.02, "a hold commands the present angles"
    count = len(robot.events("joints"))
    robot.resume()
    robot.drive(0.0, 1.0, 0.0, 1.0)  # where the fake's answer is another configuration
    robot.wait(lambda: robot.said("from the present ones"), "the refused answer")
    far = [j for j in robot.events("joints") if j["position"][3] != 0.0]
    assert count
    assert not far, "an arm that turns over"


@pytest.mark.parametrize(
    ("robot", "package", "how"),
    [
        ("franka_hand", "franka_msgs", "apt install ros-humble-franka-msgs"),
        ("ur5e_servo", "control_msgs", "apt install ros-$ROS_DISTRO-control-msgs"),
        ("sawyer_intera", "intera_core_msgs", "docs/connect_sawyer.md"),
    ],
)
def test_a_missing_message_package_ends_the_node_with_how_to_install_it(
    ros, tmp_path, robot, package, how
):
    hidden = tmp_path / package
    hidden.mkdir()
    (hidden / "__init__.py").write_text("raise ImportError('hidden by a test')")
    arm = ros.start("arm", {"robot": robot}, env={"PYTHONPATH": str(tmp_path)})
    assert arm.wait(60.0) == 2
    assert package in arm.output
    assert how in arm.output
    assert "Traceback" not in arm.output
