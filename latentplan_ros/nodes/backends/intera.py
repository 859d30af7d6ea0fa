"""Rethink Sawyer over ros1_bridge: its own inverse kinematics, then joint positions."""

import math
import time
from typing import Any

from geometry_msgs.msg import PoseStamped
from rclpy.node import Node
from sensor_msgs.msg import JointState

from latentplan_ros.control.backend import Intera
from latentplan_ros.control.envelope import Command
from latentplan_ros.control.profile import RobotProfile
from latentplan_ros.nodes import qos
from latentplan_ros.nodes.backends.messages import interface


class InteraArm:
    """Each target becomes one request to the robot's IKService, seeded with the present joint
    angles, and its answer one JointCommand in position mode. A hold commands the present angles at
    once, and the answer to whatever was asked before is dropped.

    The robot has no PoseStamped of its tip, so ``current_pose`` is published from here, from
    ``tip_states``, with its stamp and frame as they are.
    """

    def __init__(self, node: Node, profile: RobotProfile, settings: Intera) -> None:
        self._node, self._profile, self._settings = node, profile, settings
        self._command_kind = interface("intera_core_msgs/msg/JointCommand")
        self._solve_kind = interface("intera_core_msgs/srv/SolvePositionIK")
        limb = f"robot/limb/{settings.limb}"
        self._commands = node.create_publisher(
            self._command_kind, f"{limb}/joint_command", qos.TARGET
        )
        self._solver = node.create_client(
            self._solve_kind, f"ExternalTools/{settings.limb}/PositionKinematicsNode/IKService"
        )
        states = interface("intera_core_msgs/msg/EndpointStates")
        node.create_subscription(states, f"{limb}/tip_states", self._on_tips, qos.STATE_IN)
        node.create_subscription(JointState, "joint_states", self._on_joints, qos.STATE_IN)
        self._pose = node.create_publisher(PoseStamped, "current_pose", qos.STATE_OUT)
        self._angles: dict[str, float] = {}
        self._angles_at = -math.inf  # steady seconds
        self._asked: Any = None  # the request under way
        self._asked_at = -math.inf  # steady seconds
        self._fault = ""

    # What arrives ---------------------------------------------------------------------------
    def _on_tips(self, message: Any) -> None:
        if self._settings.tip not in message.names:
            self._fault = f"tip_states has {', '.join(message.names)}, no {self._settings.tip}"
            return
        state = message.states[list(message.names).index(self._settings.tip)]
        if state.valid:
            self._pose.publish(PoseStamped(header=message.header, pose=state.pose))

    def _on_joints(self, message: JointState) -> None:
        heard = dict(zip(message.name, message.position, strict=False))
        if all(math.isfinite(heard.get(joint, math.nan)) for joint in self._profile.joints):
            self._angles = {joint: heard[joint] for joint in self._profile.joints}
            self._angles_at = time.monotonic()

    @property
    def _fresh(self) -> bool:
        return time.monotonic() < self._angles_at + self._profile.pose_timeout_s

    # What leaves ----------------------------------------------------------------------------
    def move(self, command: Command) -> None:
        if command.hold:
            self._forget()
            if self._fresh:  # old angles would be a motion; without any the robot ends its last
                self._send(self._angles)
            return
        late = time.monotonic() > self._asked_at + self._profile.action_timeout_s
        if self._asked is not None and late:
            self._fault = f"{self._solver.srv_name} does not answer"
            self._forget()
        if self._asked is None and self._fresh and self._solver.service_is_ready():
            self._ask(command)

    def _forget(self) -> None:
        if self._asked is not None:
            self._solver.remove_pending_request(self._asked)
            self._asked = None

    def _ask(self, command: Command) -> None:
        request = self._solve_kind.Request()
        pose = PoseStamped()
        pose.header.stamp = self._node.get_clock().now().to_msg()
        pose.header.frame_id = self._profile.base_frame
        p, q = pose.pose.position, pose.pose.orientation
        p.x, p.y, p.z = (float(v) for v in command.position)
        q.x, q.y, q.z, q.w = self._profile.orientation_xyzw
        names, angles = list(self._angles), list(self._angles.values())
        request.pose_stamp, request.tip_names = [pose], [self._settings.tip]
        request.seed_mode = self._solve_kind.Request.SEED_USER
        request.seed_angles = [JointState(name=names, position=angles)]
        self._asked, self._asked_at = self._solver.call_async(request), time.monotonic()
        self._asked.add_done_callback(self._on_solution)

    def _on_solution(self, future: Any) -> None:
        if future is not self._asked:
            return  # a hold came in between
        self._asked = None
        answer = future.result()
        if time.monotonic() > self._asked_at + self._profile.action_timeout_s:
            self._fault = f"{self._solver.srv_name} answers too late"
            return
        if not answer.result_type or answer.result_type[0] <= 0 or not answer.joints:
            self._fault = "no joint angles reach the target with the gripper's orientation kept"
            return
        found = dict(zip(answer.joints[0].name, answer.joints[0].position, strict=False))
        steps = [abs(found.get(j, math.nan) - angle) for j, angle in self._angles.items()]
        furthest = self._settings.max_joint_step_rad
        if not all(step <= furthest for step in steps):  # so written, nan is refused too
            self._fault = f"the target's joint angles are over {furthest} rad from the present ones"
            return
        self._fault = ""
        self._send({joint: found[joint] for joint in self._angles})

    def _send(self, angles: dict[str, float]) -> None:
        kind = self._command_kind
        command = kind(mode=kind.POSITION_MODE, names=list(angles), position=list(angles.values()))
        command.header.stamp = self._node.get_clock().now().to_msg()
        self._commands.publish(command)

    @property
    def problem(self) -> str:
        if not self._fresh:
            return f"no joint_states with {', '.join(self._profile.joints)}"
        if not self._solver.service_is_ready():
            return f"no service {self._solver.srv_name}: is the bridge running?"
        if self._commands.get_subscription_count() == 0:
            return f"nobody listens on {self._commands.topic_name}: is the bridge running?"
        return self._fault
