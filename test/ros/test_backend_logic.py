"""What the drivers do in moments that are hard to bring about between processes: a goal refused or
never answered, an answer after a hold, angles that are old."""

import dataclasses
import math
from types import SimpleNamespace

import numpy as np
import pytest
from action_msgs.msg import GoalStatus
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point, Pose, PoseStamped
from rclpy.task import Future
from sensor_msgs.msg import JointState

from latentplan_ros.control.envelope import Command
from latentplan_ros.control.profile import load_profile
from latentplan_ros.nodes.backends import (
    franka_gripper,
    goals,
    gripper_command,
    intera,
    moveit_servo,
)
from latentplan_ros.nodes.backends.opening import scaled


class Kind:
    """A stand-in for a generated message class: whatever it is made with, it has."""

    POSITION_MODE, SEED_USER = 1, 1

    def __init__(self, **values):
        self.header = SimpleNamespace(stamp=None)
        self.epsilon, self.command = SimpleNamespace(), SimpleNamespace()
        self.__dict__.update(values)


Kind.Goal = Kind.Request = Kind


class Client:
    """An action client whose server answers when a test says so."""

    def __init__(self, node, kind, name):
        self.name, self.ready, self.goals, self.answers = name, True, [], []
        node.clients[name] = self

    def server_is_ready(self):
        return self.ready

    def send_goal_async(self, goal):
        self.goals.append(goal)
        self.answers.append((Future(), Future()))
        return self.answers[-1][0]

    def answer(self, accepted=True, status=GoalStatus.STATUS_SUCCEEDED, index=-1, **result):
        taken, ended = self.answers[index]
        handle = SimpleNamespace(accepted=accepted, get_result_async=lambda: ended)
        finish(taken, handle)
        if accepted:
            finish(ended, SimpleNamespace(status=status, result=SimpleNamespace(**result)))


def finish(future, result):
    """Set the result and run the callbacks, as an executor would."""
    future.set_result(result)
    for callback in list(future._callbacks):
        callback(future)
    future._callbacks.clear()


class Node:
    """As much of a node as the drivers ask for."""

    def __init__(self):
        self.clients, self.published, self.heard, self.services = {}, [], {}, {}

    def create_publisher(self, kind, topic, qos):
        return SimpleNamespace(
            publish=lambda m: self.published.append((topic, m)),
            get_subscription_count=lambda: 1,
            topic_name=topic,
        )

    def create_subscription(self, kind, topic, callback, qos):
        self.heard[topic] = callback

    def create_service(self, kind, name, callback):
        self.services[name] = callback

    def create_timer(self, seconds, callback, clock):
        self.timer = callback

    def count_publishers(self, topic):
        return 1

    def create_client(self, kind, name):
        self.solver = SimpleNamespace(
            srv_name=name, requests=[], dropped=[], service_is_ready=lambda: True
        )

        def call(request):
            self.solver.requests.append((request, Future()))
            return self.solver.requests[-1][1]

        self.solver.call_async = call
        self.solver.remove_pending_request = self.solver.dropped.append
        return self.solver

    def get_clock(self):
        return SimpleNamespace(now=lambda: SimpleNamespace(to_msg=lambda: Time(sec=1)))


@pytest.fixture
def clock(monkeypatch):
    """The steady clock, which only a test moves."""
    now = SimpleNamespace(seconds=1000.0)
    for module in (goals, intera, moveit_servo):
        monkeypatch.setattr(module.time, "monotonic", lambda: now.seconds)
    return now


@pytest.fixture
def hand(monkeypatch, clock):
    monkeypatch.setattr(goals, "ActionClient", Client)
    monkeypatch.setattr(franka_gripper, "interface", lambda _: Kind)
    node, profile = Node(), load_profile("franka_hand")
    driver = franka_gripper.FrankaGripperDriver(node, profile, profile.backend.gripper)
    actions = {n: node.clients[f"franka_gripper/{n}"] for n in ("move", "grasp", "homing")}
    return SimpleNamespace(driver=driver, home=node.services["~/home_gripper"], **actions)


def test_what_is_wished_during_a_goal_is_asked_for_after_it(hand):
    hand.driver.move(0.08)
    for wish in (0.06, 0.04, 0.0):
        hand.driver.move(wish)
    assert [g.width for g in hand.move.goals] == [0.08]
    assert not hand.grasp.goals
    hand.move.answer(success=True, error="")
    hand.driver.move(0.0)
    assert len(hand.grasp.goals) == 1
    assert hand.driver.problem == ""


def test_a_refused_goal_is_sent_again_but_not_at_once(hand, clock):
    hand.driver.move(0.08)
    hand.move.answer(accepted=False)
    assert "franka_gripper/move refused a goal" in hand.driver.problem
    hand.driver.move(0.08)
    assert len(hand.move.goals) == 1
    clock.seconds += goals.PAUSE_S + 0.1
    hand.driver.move(0.08)
    assert len(hand.move.goals) == 2


def test_a_grasp_of_nothing_is_reported_and_not_tried_again_and_again(hand, clock):
    hand.driver.move(0.0)
    hand.grasp.answer(status=GoalStatus.STATUS_ABORTED, success=False, error="nothing there")
    assert hand.driver.problem == "franka_gripper/grasp: nothing there"
    clock.seconds += 60.0
    hand.driver.move(0.0)
    assert len(hand.grasp.goals) == 1
    hand.driver.move(0.08)
    hand.move.answer(success=True, error="")
    assert hand.driver.problem == ""


def test_a_server_that_dies_with_a_goal_does_not_block_the_next(hand, clock):
    hand.driver.move(0.08)
    clock.seconds += goals.PATIENCE_S + 0.1
    hand.driver.move(0.08)
    assert len(hand.move.goals) == 2
    hand.move.answer(index=0, success=False, error="late")  # the first one's answer, too late
    assert "late" not in hand.driver.problem
    hand.driver.move(0.0)
    assert not hand.grasp.goals, "the second goal is under way"


def test_nothing_is_sent_to_a_server_that_is_not_there(hand):
    hand.move.ready = False
    hand.driver.move(0.08)
    assert hand.driver.problem == "no action server franka_gripper/move"
    hand.move.ready = True
    hand.driver.move(0.08)
    assert len(hand.move.goals) == 1


def test_homing_waits_for_the_goal_under_way_and_forgets_what_was_sent(hand):
    hand.driver.move(0.08)
    answer = hand.home(None, SimpleNamespace())
    assert (answer.success, answer.message) == (False, "not homed: the gripper is moving")
    hand.move.answer(success=True, error="")
    assert hand.home(None, SimpleNamespace()).success
    hand.driver.move(0.08)
    assert len(hand.move.goals) == 1
    hand.homing.answer(success=True, error="")
    hand.driver.move(0.08)
    assert len(hand.move.goals) == 2


def test_a_stalled_gripper_holds_something(monkeypatch, clock):
    monkeypatch.setattr(goals, "ActionClient", Client)
    monkeypatch.setattr(gripper_command, "interface", lambda _: Kind)
    node, profile = Node(), load_profile("ur5e_servo")
    settings = profile.backend.gripper
    driver = gripper_command.CommandGripperDriver(node, profile, settings)
    client = node.clients[settings.action]
    driver.move(0.0)
    assert client.goals[0].command.position == pytest.approx(0.8)
    client.answer(status=GoalStatus.STATUS_ABORTED, stalled=True, reached_goal=False)
    assert driver.problem == ""
    driver.move(0.085)
    client.answer(status=GoalStatus.STATUS_ABORTED, stalled=False, reached_goal=False)
    assert "did not get there" in driver.problem


def test_openings_keep_within_the_controllers_ends():
    profile = load_profile("ur5e_servo")
    assert scaled(0.0, profile, 0.8, 0.0) == pytest.approx(0.8)
    assert scaled(0.0425, profile, 0.8, 0.0) == pytest.approx(0.4)
    assert scaled(1.0, profile, 0.8, 0.0) == pytest.approx(0.0)
    assert scaled(-1.0, profile, 0.8, 0.0) == pytest.approx(0.8)


@pytest.fixture(params=["unitless", "speed_units"])
def servo(request, clock):
    node, profile = Node(), load_profile("ur5e_servo")
    arm = dataclasses.replace(profile.backend.arm, command_in_type=request.param)
    driver = moveit_servo.MoveitServoArm(node, profile, arm)

    def see(x, frame="base"):
        pose = PoseStamped()
        pose.header.frame_id = frame
        pose.pose.position.x = x
        pose.pose.orientation.x, pose.pose.orientation.w = 1.0, 0.0
        node.heard["current_pose"](pose)

    def speeds():
        unit = arm.linear_scale if request.param == "unitless" else 1.0
        return [m.twist.linear.x * unit for _, m in node.published]

    return SimpleNamespace(driver=driver, node=node, see=see, speeds=speeds, tick=node.timer)


AHEAD = Command(np.array([0.02, 0.0, 0.0]), None)


def test_a_twist_leads_to_the_target_in_metres_a_second_whatever_the_unit(servo):
    servo.see(0.0)
    servo.driver.move(AHEAD)
    servo.see(0.01)
    servo.tick()
    servo.see(0.02)
    servo.tick()
    assert servo.speeds() == pytest.approx([0.1, 0.05, 0.0])
    servo.driver.move(Command(np.array([0.5, 0.0, 0.0]), None))
    assert servo.speeds()[-1] == pytest.approx(0.2), "no faster than max_speed_m_s"


def test_a_hold_ends_in_zeros_and_then_silence(servo):
    servo.see(0.0)
    servo.driver.move(AHEAD)
    servo.driver.move(dataclasses.replace(AHEAD, hold=True))
    for _ in range(30):
        servo.tick()
    assert servo.speeds() == pytest.approx([0.1] + [0.0] * moveit_servo.ZEROS)


@pytest.mark.parametrize("lost", ["targets", "poses", "frame"])
def test_motion_ends_when_targets_or_poses_do(servo, clock, lost):
    servo.see(0.0)
    servo.driver.move(AHEAD)
    for _ in range(20):
        clock.seconds += 0.02
        if lost != "targets":
            servo.driver.move(AHEAD)
        if lost != "poses":
            servo.see(0.0, "camera" if lost == "frame" else "base")
        servo.tick()
    assert servo.speeds()[0] == pytest.approx(0.1)
    assert servo.speeds()[-1] == 0.0


def test_nothing_moves_before_a_pose_in_the_right_frame(servo):
    servo.see(0.0, frame="world")
    servo.driver.move(AHEAD)
    servo.tick()
    assert set(servo.speeds()) == {0.0}


@pytest.fixture
def sawyer(monkeypatch, clock):
    monkeypatch.setattr(intera, "interface", lambda _: Kind)
    node, profile = Node(), load_profile("sawyer_intera")
    driver = intera.InteraArm(node, profile, profile.backend.arm)

    def see(*angles):
        names = list(profile.joints)
        node.heard["joint_states"](JointState(name=names, position=list(angles)))

    def solve(angles, result=1, index=-1):
        answer = JointState(name=list(profile.joints), position=[float(a) for a in angles])
        finish(
            node.solver.requests[index][1], SimpleNamespace(joints=[answer], result_type=[result])
        )

    def sent():
        return [m.position for topic, m in node.published if topic.endswith("joint_command")]

    return SimpleNamespace(driver=driver, node=node, see=see, solve=solve, sent=sent)


TARGET = Command(np.array([0.6, 0.0, 0.2]), None)
HOLD = Command(np.array([0.6, 0.0, 0.2]), None, hold=True)
NEAR = [0.1] * 7


def test_an_answer_after_a_hold_moves_nothing(sawyer):
    sawyer.see(*[0.0] * 7)
    sawyer.driver.move(TARGET)
    sawyer.driver.move(HOLD)
    assert sawyer.sent() == [[0.0] * 7]
    sawyer.solve(NEAR)
    assert len(sawyer.sent()) == 1
    assert sawyer.node.solver.dropped


def test_a_hold_never_commands_old_angles(sawyer, clock):
    sawyer.see(*[0.0] * 7)
    clock.seconds += 1.0
    sawyer.driver.move(HOLD)
    sawyer.driver.move(TARGET)
    assert sawyer.sent() == []
    assert not sawyer.node.solver.requests
    assert "no joint_states" in sawyer.driver.problem


@pytest.mark.parametrize(
    ("angles", "result", "said"),
    [
        ([0.1] * 6 + [0.5], 1, "over 0.2 rad"),
        ([0.1] * 6 + [math.nan], 1, "over 0.2 rad"),
        (NEAR, -1, "no joint angles reach the target"),
        (NEAR, -2, "no joint angles reach the target"),
    ],
)
def test_a_solution_that_would_swing_the_arm_is_not_sent(sawyer, angles, result, said):
    sawyer.see(*[0.0] * 7)
    sawyer.driver.move(TARGET)
    sawyer.solve(angles, result)
    assert sawyer.sent() == []
    assert said in sawyer.driver.problem
    sawyer.driver.move(TARGET)
    sawyer.solve(NEAR)
    assert sawyer.sent() == [NEAR]
    assert sawyer.driver.problem == ""


def test_a_late_solution_is_not_sent_and_a_missing_one_asked_for_anew(sawyer, clock):
    sawyer.see(*[0.0] * 7)
    sawyer.driver.move(TARGET)
    clock.seconds += 0.25
    sawyer.solve(NEAR)
    assert sawyer.sent() == []
    sawyer.see(*[0.0] * 7)
    assert "too late" in sawyer.driver.problem
    sawyer.driver.move(TARGET)
    sawyer.driver.move(TARGET)
    assert len(sawyer.node.solver.requests) == 2, "one at a time"
    clock.seconds += 0.25
    sawyer.see(*[0.0] * 7)
    sawyer.driver.move(TARGET)
    assert len(sawyer.node.solver.requests) == 3


def test_the_pose_is_that_of_the_profiles_tip(sawyer):
    tips = sawyer.node.heard["robot/limb/right/tip_states"]
    header = JointState().header
    header.frame_id = "base"
    pose = pose_at(0.5)
    states = [Kind(valid=True, pose=pose_at(0.3)), Kind(valid=True, pose=pose)]
    tips(Kind(header=header, names=["right_hand", "right_gripper_tip"], states=states))
    ((topic, message),) = sawyer.node.published
    assert topic == "current_pose"
    assert message.pose.position.x == 0.5
    assert message.header.frame_id == "base"
    tips(Kind(header=header, names=["right_hand"], states=states[:1]))
    assert len(sawyer.node.published) == 1
    sawyer.see(*[0.0] * 7)
    assert "no right_gripper_tip" in sawyer.driver.problem


def pose_at(x):
    return Pose(position=Point(x=x))
