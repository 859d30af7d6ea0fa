"""The arm node: what it sends to the robot, and when it holds and says why."""

import math
import time

import numpy as np
import pytest
import rclpy
import yaml
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PoseStamped
from harness import Ros
from sensor_msgs.msg import Image, JointState, Joy
from std_msgs.msg import Float64MultiArray
from std_srvs.srv import Trigger

from latentplan_ros.control.envelope import Reason
from latentplan_ros.control.profile import load_profile
from latentplan_ros.control.target import next_target
from latentplan_ros.nodes import qos
from latentplan_ros.nodes.pictures import image_message
from latentplan_ros.resources import resource

LIMIT_S = 0.6  # longer than a busy test machine stalls


class Bench:
    """An arm node, and a robot, a camera and a planner that fail on demand."""

    def __init__(self, folder):
        values = yaml.safe_load(resource("config/robots/franka.yaml").read_text())
        values |= {f"{k}_timeout_s": LIMIT_S for k in ("image", "pose", "action")}
        path = folder / "patient.yaml"
        path.write_text(yaml.safe_dump(values))
        self.profile = load_profile(path)
        self.centre = (np.array(values["workspace"]["min"]) + values["workspace"]["max"]) / 2
        self.healthy()
        self.ros = Ros()
        self.targets = self.ros.listen(PoseStamped, "target_pose", qos.TARGET)
        self.openings = self.ros.listen(
            Float64MultiArray, "gripper_position_controller/commands", qos.TARGET
        )
        self.diagnostics = self.ros.listen(DiagnosticArray, "/diagnostics")
        self._pose = self.ros.publisher(PoseStamped, "current_pose", qos.STATE_OUT)
        self._joints = self.ros.publisher(JointState, "joint_states", qos.STATE_OUT)
        self._image = self.ros.publisher(Image, "camera/image_raw", qos.CAMERA)
        self._action = self.ros.publisher(Joy, "action", qos.ACTION)
        self._picture = np.zeros((64, 64, 3), np.uint8)
        self._ticks = 0
        self.ros.every(0.02, self._tick)
        self.arm = self.ros.start("arm", {"robot": str(path)})

    def healthy(self):
        self.frame, self.position = self.profile.base_frame, self.centre.copy()
        self.orientation = self.profile.orientation_xyzw
        self.joint, self.axes = 0.0, [0.1, 0.0, 0.0, 1.0]
        self.silent = set()

    def _tick(self):
        stamp = self.ros.stamp()
        if "pose" not in self.silent:
            pose = PoseStamped()
            pose.header.stamp, pose.header.frame_id = stamp, self.frame
            p = pose.pose.position
            p.x, p.y, p.z = (float(v) for v in self.position)
            q = pose.pose.orientation
            q.x, q.y, q.z, q.w = self.orientation
            self._pose.publish(pose)
        joints = JointState(name=list(self.profile.joints), position=[self.joint] * 9)
        joints.header.stamp = stamp
        self._joints.publish(joints)
        if "picture" not in self.silent:
            self._image.publish(image_message(self._picture, stamp, "camera"))
        self._ticks += 1
        if "action" not in self.silent and self._ticks % 5 == 0:
            message = Joy(axes=self.axes)
            message.header.stamp = stamp
            self._action.publish(message)

    def _last(self):
        """The arm's last report; its backend has reports of its own."""
        for array in reversed(self.diagnostics):
            for status in array.status:
                if status.name == "/arm":
                    return status
        return DiagnosticStatus()

    @property
    def values(self):
        """The named values of the arm's last report."""
        return {v.key: v.value for v in self._last().values}

    @property
    def status(self):
        """The arm's last status: (reason, message)."""
        last = self._last()
        return {v.key: v.value for v in last.values}.get("reason"), last.message

    def expect(self, reason, seconds=10.0):
        """Wait until the arm gives this reason, and return its message."""
        name = "" if reason is None else reason.name
        self.ros.wait(
            lambda: self.status[0] == name, seconds, f"reason {name!r}, not {self.status}"
        )
        return self.status[1]

    def moving(self):
        self.expect(None)
        count = len(self.targets)
        self.ros.wait(lambda: len(self.targets) > count, 5.0, "a target")

    def position_of(self, message):
        p = message.pose.position
        return np.array([p.x, p.y, p.z])


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    bench = Bench(tmp_path_factory.mktemp("arm"))
    yield bench
    bench.ros.close()


@pytest.fixture
def bench(shared):
    shared.healthy()
    shared.moving()
    return shared


def test_an_action_becomes_the_target_of_training(bench):
    bench.axes = [0.2, -0.1, 0.05, -1.0]
    expected = next_target(bench.centre, bench.centre, np.array(bench.axes), bench.profile)
    # The first target after another action still leads from that one; the arm here never moves.
    bench.ros.wait(lambda: bench.openings[-1].data[0] == 0.0, 5.0, "closed fingers")
    bench.silent = {"action"}
    bench.expect(Reason.STALE_ACTION)
    bench.silent = set()
    before = len(bench.targets)
    bench.ros.wait(lambda: len(bench.targets) > before, 5.0, "a target")
    target = bench.targets[before]
    np.testing.assert_allclose(bench.position_of(target), expected, atol=1e-6)
    assert target.header.frame_id == bench.profile.base_frame
    assert target.pose.orientation.x == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("lost", "reason"),
    [
        ("picture", Reason.STALE_PICTURE),
        ("pose", Reason.STALE_POSE),
        ("action", Reason.STALE_ACTION),
    ],
)
def test_what_falls_silent_makes_the_arm_hold_and_say_so(bench, lost, reason):
    bench.silent = {lost}
    began = time.monotonic()
    message = bench.expect(reason)
    assert time.monotonic() - began < LIMIT_S + 1.0
    assert "older than" in message
    np.testing.assert_allclose(bench.position_of(bench.targets[-1]), bench.centre, atol=1e-6)
    count = len(bench.targets)
    bench.ros.wait(lambda: bench._ticks % 25 == 0)
    assert len(bench.targets) == count, "one hold, then silence"
    bench.silent = set()
    bench.moving()


def broken_pose(bench):
    bench.position = np.array([math.nan, 0.0, 0.0])


def broken_frame(bench):
    bench.frame = "camera"


def broken_joint(bench):
    bench.joint = math.nan


def nan_action(bench):
    bench.axes = [math.nan, 0.0, 0.0, 0.0]


def short_action(bench):
    bench.axes = [0.1, 0.1]


def large_action(bench):
    bench.axes = [3.0, 0.0, 0.0, 0.0]


def arm_far_outside(bench):
    bench.position = bench.centre + np.array([0.0, 0.5, 0.0])


def turned_arm(bench):
    bench.orientation = (0.0, 0.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("spoil", "reason", "said"),
    [
        (broken_pose, Reason.BAD_POSE, "nan"),
        (broken_frame, Reason.BAD_POSE, "'camera'"),
        (broken_joint, Reason.BAD_JOINTS, "panda_joint1"),
        (nan_action, Reason.BAD_ACTION, "not all finite"),
        (short_action, Reason.BAD_ACTION, "4: x, y, z, gripper"),
        (large_action, Reason.BAD_ACTION, "outside [-1, 1]"),
        (turned_arm, Reason.TILTED, "orientation_xyzw"),
        (arm_far_outside, Reason.OUTSIDE_WORKSPACE, "workspace"),
    ],
)
def test_bad_input_makes_the_arm_hold_and_is_named(bench, spoil, reason, said):
    spoil(bench)
    assert said in bench.expect(reason)
    box = bench.profile.workspace
    assert all(box.contains(bench.position_of(t), 1e-9) for t in bench.targets)
    bench.healthy()
    bench.moving()


def test_two_planners_hold_the_arm_and_both_are_named(bench):
    second = rclpy.create_node("second_planner", context=bench.ros.context)
    second.create_publisher(Joy, "action", qos.ACTION)
    bench.ros.wait(
        lambda: all(n in bench.expect(Reason.TWO_SOURCES) for n in ("/watcher", "/second_planner")),
        10.0,
        "both names",
    )
    count = len(bench.targets)
    np.testing.assert_allclose(bench.position_of(bench.targets[-1]), bench.centre, atol=1e-6)
    ticks = bench._ticks
    bench.ros.wait(lambda: bench._ticks > ticks + 25)
    assert len(bench.targets) == count
    second.destroy_node()
    bench.moving()


def test_nothing_leaves_between_stop_and_resume(bench):
    assert bench.ros.call(Trigger, "arm/stop").success
    bench.expect(Reason.STOPPED)
    np.testing.assert_allclose(bench.position_of(bench.targets[-1]), bench.centre, atol=1e-6)
    count, ticks = len(bench.targets), bench._ticks
    bench.ros.wait(lambda: bench._ticks > ticks + 50)
    assert len(bench.targets) == count
    assert bench.ros.call(Trigger, "arm/resume").success
    bench.moving()


def test_a_flood_of_bad_messages_is_no_flood_of_reports_and_stop_still_answers(bench):
    bench.moving()
    lines, reports, last = len(bench.arm.lines), len(bench.diagnostics), bench._ticks
    spoilt = [[math.nan, 0, 0, 0], [0.1], [2.0, 0, 0, 0], [], [0, 0, 0, -math.inf], [0, 0, 0, 0]]
    sent = 0

    def flood():
        nonlocal sent
        for _ in range(10):
            message = Joy(axes=[float(v) for v in spoilt[sent % len(spoilt)]])
            message.header.stamp = bench.ros.stamp()
            bench._action.publish(message)
            bench.frame = "nowhere" if sent % 7 == 0 else bench.profile.base_frame
            sent += 1

    began = time.monotonic()
    timer = bench.ros.every(0.01, flood)
    bench.ros.wait(lambda: bench._ticks > last + 100, 30.0, "two seconds of flood")
    assert bench.ros.call(Trigger, "arm/stop").success
    bench.expect(Reason.STOPPED)
    timer.cancel()
    # Whatever was logged before this has come by then.
    bench.ros.wait(lambda: any("~/stop was" in line for line in bench.arm.lines[lines:]), 10.0)
    elapsed = time.monotonic() - began
    assert sent > 200
    assert len(bench.arm.lines) - lines < 20 + 5 * elapsed
    assert len(bench.diagnostics) - reports < 30 + 10 * elapsed
    assert bench.values["refused"] != "0"
    bench.healthy()
    assert bench.ros.call(Trigger, "arm/resume").success
    bench.moving()


def test_what_shortened_commands_is_counted_in_the_report(bench):
    bench.moving()
    bench.axes = [1.0, 1.0, 0.0, -1.0]
    bench.ros.wait(lambda: "GRIPPER_SPEED" in bench.values.get("limited", ""), 10.0, "a limit")


def test_an_unknown_robot_ends_the_node_with_one_clear_line(ros):
    arm = ros.start("arm", {"robot": "puma"})
    assert arm.wait(30.0) == 2
    assert "no robot profile named 'puma'" in arm.output
    assert "Traceback" not in arm.output


def test_a_parameter_outside_its_choices_is_named(ros):
    arm = ros.start("arm", {"image_transport": "theora"})
    assert arm.wait(30.0) == 2
    assert "image_transport" in arm.output
    assert "raw, compressed" in arm.output
