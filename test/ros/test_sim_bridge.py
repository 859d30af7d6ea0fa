"""The simulated robot keeps the contract of a real one."""

import math

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped
from harness import Ros
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import Float64MultiArray
from std_srvs.srv import Trigger

from latentplan_ros.control.profile import load_profile
from latentplan_ros.nodes import qos
from latentplan_ros.nodes.stamps import seconds
from latentplan_ros.sim.environment import Environment
from latentplan_ros.sim.goals import make_goal
from latentplan_ros.sim.tasks import make_task

PROFILE = load_profile("franka")
SMALL = {"task": "franka_drawer", "robot": "franka", "width": 64, "height": 64}


def position(message):
    p = message.pose.position
    return np.array([p.x, p.y, p.z])


class Bridge:
    def __init__(self):
        self.ros = Ros()
        self.process = self.ros.start("sim_bridge", SMALL)
        self.pictures = self.ros.listen(Image, "camera/image_raw", qos.CAMERA)
        self.poses = self.ros.listen(PoseStamped, "current_pose", qos.STATE_IN)
        self.joints = self.ros.listen(JointState, "joint_states", qos.STATE_IN)
        self.truth = self.ros.listen(Float64MultiArray, "sim_bridge/truth", qos.STATE_IN)
        self.diagnostics = self.ros.listen(DiagnosticArray, "/diagnostics")
        self._target = self.ros.publisher(PoseStamped, "target_pose", qos.TARGET)
        self._gripper = self.ros.publisher(
            Float64MultiArray, "gripper_position_controller/commands", qos.TARGET
        )
        for heard, what in ((self.pictures, "a picture"), (self.truth, "the truth")):
            self.ros.wait(lambda heard=heard: heard, 60.0, what)
        self.ros.wait(lambda: self._target.get_subscription_count(), 10.0, "sim_bridge listening")

    def send(self, target, frame=PROFILE.base_frame, opening=None, stamp=None):
        if opening is not None:
            self._gripper.publish(Float64MultiArray(data=[opening]))
        message = PoseStamped()
        message.header.frame_id, message.header.stamp = frame, stamp or self.ros.stamp()
        p = message.pose.position
        p.x, p.y, p.z = (float(v) for v in target)
        self._target.publish(message)

    def reset(self, **parameters):
        if parameters:
            results = self.ros.set_parameters("sim_bridge", **parameters)
            assert all(r.successful for r in results)
        response = self.ros.call(Trigger, "sim_bridge/reset")
        self.truth.clear()
        self.poses.clear()
        self.ros.wait(lambda: self.truth and self.poses, 10.0, "state after the reset")
        return response

    def said(self, text):
        return any(text in s.message for array in self.diagnostics for s in array.status)


@pytest.fixture(scope="module")
def bridge():
    bridge = Bridge()
    yield bridge
    bridge.ros.close()


def test_messages_are_those_of_a_real_robot(bridge):
    bridge.ros.wait(lambda: len(bridge.pictures) > 3 and len(bridge.joints) > 3, 10.0, "messages")
    picture = bridge.pictures[-1]
    assert (picture.width, picture.height, picture.encoding) == (64, 64, "rgb8")
    assert len(picture.data) == picture.step * picture.height == 64 * 64 * 3
    assert np.frombuffer(picture.data, np.uint8).std() > 5, "there is something to see"
    assert bridge.joints[-1].name == list(PROFILE.joints)
    assert np.isfinite(bridge.joints[-1].position).all()
    assert bridge.poses[-1].header.frame_id == PROFILE.base_frame
    stamps = [seconds(m.header.stamp) for m in bridge.poses]
    assert stamps == sorted(stamps)
    assert [d.label for d in bridge.truth[-1].layout.dim] == ["drawer_opening"]


def test_the_arm_goes_where_it_is_told_and_the_fingers_too(bridge):
    bridge.reset(seed=3, episode=1, goal_kind="")
    target = np.array([0.45, 0.05, 0.15])
    bridge.send(target, opening=0.08)
    bridge.ros.wait(
        lambda: np.linalg.norm(position(bridge.poses[-1]) - target) < 0.01, 10.0, "the target"
    )
    bridge.ros.wait(
        lambda: sum(bridge.joints[-1].position[-2:]) == pytest.approx(0.08, abs=0.01),
        10.0,
        "open fingers",
    )


@pytest.mark.parametrize(
    ("target", "frame", "said"),
    [
        ([0.5, 0.0, 0.15], "world", "target_pose is in frame 'world', not 'panda_link0'"),
        ([math.nan, 0.0, 0.15], PROFILE.base_frame, "not finite"),
    ],
)
def test_a_bad_target_is_refused_by_name_and_moves_nothing(bridge, target, frame, said):
    bridge.reset()
    before = position(bridge.poses[-1])
    bridge.diagnostics.clear()
    bridge.send(target, frame)
    bridge.ros.wait(lambda: bridge.said(said), 10.0, said)
    count = len(bridge.poses)
    bridge.ros.wait(lambda: len(bridge.poses) > count + 20, 10.0, "poses")
    np.testing.assert_allclose(position(bridge.poses[-1]), before, atol=0.005)


def test_a_target_from_before_the_reset_moves_nothing(bridge):
    earlier = bridge.ros.stamp()
    bridge.reset()
    before = position(bridge.poses[-1])
    bridge.send(np.add(before, [0.0, 0.05, 0.0]), stamp=earlier)
    count = len(bridge.poses)
    bridge.ros.wait(lambda: len(bridge.poses) > count + 50, 10.0, "poses")
    np.testing.assert_allclose(position(bridge.poses[-1]), before, atol=0.005)


def test_an_episode_starts_the_same_every_time_and_the_next_differs(bridge):
    starts = []
    for parameters in ({"seed": 5, "episode": 7}, {"seed": 5, "episode": 7}, {}):
        response = bridge.reset(**parameters)
        assert response.success
        starts.append(bridge.truth[0].data[0])
        message = response.message
    assert starts[0] == pytest.approx(starts[1], abs=1e-6)
    assert starts[0] != pytest.approx(starts[2], abs=1e-6)
    assert message == "episode 8 of seed 5"


def test_a_goal_starts_where_evaluation_says(bridge):
    env = Environment(make_task("franka_drawer"))
    goal = make_goal(env, "open", 1_000_000, 2)
    env.close()
    assert bridge.reset(goal_kind="open", seed=1_000_000, episode=2).success
    np.testing.assert_allclose(bridge.truth[0].data, goal.start_truth, atol=1e-3)


def test_an_impossible_goal_is_refused_with_what_is_possible(bridge):
    response = bridge.reset(goal_kind="fly", seed=1_000_000, episode=0)
    assert not response.success
    assert "open, close" in response.message
    assert bridge.reset(goal_kind="", seed=0, episode=0).success


def test_simulated_time_is_published_and_stamps_are_of_it(ros):
    ros.start("sim_bridge", SMALL | {"publish_clock": True, "real_time_factor": 2.0})
    clock = ros.listen(Clock, "/clock", qos.CLOCK)
    pictures = ros.listen(Image, "camera/image_raw", qos.CAMERA)
    ros.wait(lambda: len(clock) > 50 and len(pictures) > 5, 60.0, "a second of simulated time")
    times = [seconds(c.clock) for c in clock]
    assert times == sorted(times)
    gaps = np.diff([seconds(p.header.stamp) for p in pictures])
    assert np.median(gaps) == pytest.approx(0.1, abs=0.011), "10 pictures a simulated second"
    assert seconds(pictures[-1].header.stamp) <= times[-1] + 0.05


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"task": "franka_juggle"}, "no task named 'franka_juggle'"),
        ({"task": "sawyer_reach", "robot": "franka"}, "one of robot 'sawyer', not of 'franka'"),
        ({"task": "franka_reach", "camera_rate": 1000.0}, "camera_rate"),
    ],
)
def test_what_cannot_be_simulated_is_said_in_one_line(ros, parameters, said):
    process = ros.start("sim_bridge", parameters)
    assert process.wait(60.0) == 2
    assert said in process.output
    assert "Traceback" not in process.output
