"""Controllers of arms and grippers as their makers describe them, one process each.

`python fake_robots.py KIND PROFILE` plays one that a robot profile's backend talks to. What it is
told, and what it makes of that, it says as JSON on `fake/events`.
"""

import json
import sys
import time

import numpy as np
import rclpy
from geometry_msgs.msg import PoseStamped, TwistStamped
from rclpy.action import ActionServer
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import ExternalShutdownException, MultiThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray, String

from latentplan_ros.control.profile import load_profile
from latentplan_ros.nodes import qos

TICK_S = 0.01


class Robot(Node):
    """An arm that stands in the middle of its workspace and publishes where it is."""

    def __init__(self, profile):
        super().__init__("fake_robot")
        self.profile = profile
        box = profile.workspace
        self.position = (np.array(box.min) + box.max) / 2
        self._events = self.create_publisher(String, "fake/events", qos.EVERYTHING.depth)
        self._joints = self.create_publisher(JointState, "joint_states", qos.STATE_OUT)
        self._pose = self.create_publisher(PoseStamped, "current_pose", qos.STATE_OUT)
        self.create_timer(TICK_S, self._tick)

    def tell(self, what, **values):
        self._events.publish(String(data=json.dumps({"what": what, **values})))

    def angles(self):
        return [0.0] * len(self.profile.joints)

    def step(self):
        """Move for TICK_S."""

    def _tick(self):
        self.step()
        stamp = self.get_clock().now().to_msg()
        joints = JointState(name=list(self.profile.joints), position=self.angles())
        joints.header.stamp = stamp
        self._joints.publish(joints)
        self.publish_pose(stamp)

    def pose(self, stamp):
        message = PoseStamped()
        message.header.stamp, message.header.frame_id = stamp, self.profile.base_frame
        p, q = message.pose.position, message.pose.orientation
        p.x, p.y, p.z = (float(v) for v in self.position)
        q.x, q.y, q.z, q.w = self.profile.orientation_xyzw
        return message

    def publish_pose(self, stamp):
        self._pose.publish(self.pose(stamp))


class Crisp(Robot):
    """crisp_controllers: follows the last target_pose; a gripper takes one number."""

    def __init__(self, profile):
        super().__init__(profile)
        self.target = self.position.copy()
        self.create_subscription(PoseStamped, "target_pose", self.on_target, 1)
        self.create_subscription(
            Float64MultiArray,
            "gripper_position_controller/commands",
            lambda m: self.tell("gripper", value=list(m.data)),
            10,
        )

    def on_target(self, message):
        p, q = message.pose.position, message.pose.orientation
        self.target = np.array([p.x, p.y, p.z])
        self.tell(
            "target",
            frame=message.header.frame_id,
            position=self.target.tolist(),
            away=float(np.linalg.norm(self.target - self.position)),
            orientation=[q.x, q.y, q.z, q.w],
        )

    def step(self):
        self.position += 0.2 * (self.target - self.position)


class Servo(Robot):
    """MoveIt Servo: goes on with a twist until incoming_command_timeout; refuses what is beyond
    [-1, 1] where it is unitless."""

    TIMEOUT_S = 0.1

    def __init__(self, profile):
        super().__init__(profile)
        self.velocity, self.heard = np.zeros(3), -1.0
        self.create_subscription(TwistStamped, "servo_node/delta_twist_cmds", self.on_twist, 1)

    def on_twist(self, message):
        v = message.twist.linear
        value = np.array([v.x, v.y, v.z])
        arm = self.profile.backend.arm
        unitless = arm.command_in_type == "unitless"
        refused = message.header.frame_id != self.profile.base_frame
        refused = refused or (unitless and np.abs(value).max() > 1.0)
        if not refused:
            self.velocity = value * (arm.linear_scale if unitless else 1.0)
            self.heard = time.monotonic()
        self.tell(
            "twist",
            refused=bool(refused),
            frame=message.header.frame_id,
            value=value.tolist(),
            position=self.position.tolist(),
        )

    def step(self):
        if time.monotonic() < self.heard + self.TIMEOUT_S:
            self.position += self.velocity * TICK_S


class Gripper(Crisp):
    """Action servers that take a while, and say when they were given two goals at a time."""

    TAKES_S = 0.2
    group = None

    def serve(self, kind, name, execute):
        self.group = self.group or ReentrantCallbackGroup()
        self.running = 0

        def run(handle):
            self.running += 1
            self.tell(name, together=self.running, **execute(handle.request))
            time.sleep(self.TAKES_S)
            self.running -= 1
            handle.succeed()
            return self.result(kind)

        ActionServer(self, kind, name, run, callback_group=self.group)

    def result(self, kind):
        return kind.Result(success=True)


class FrankaHand(Gripper):
    def __init__(self, profile):
        super().__init__(profile)
        from franka_msgs.action import Grasp, Homing, Move

        node = profile.backend.gripper.node
        self.serve(Move, f"{node}/move", lambda g: {"width": g.width, "speed": g.speed})
        self.serve(
            Grasp,
            f"{node}/grasp",
            lambda g: {"width": g.width, "force": g.force, "outer": g.epsilon.outer},
        )
        self.serve(Homing, f"{node}/homing", lambda _: {})


class CommandGripper(Gripper):
    def __init__(self, profile):
        super().__init__(profile)
        from control_msgs.action import GripperCommand

        self.serve(
            GripperCommand,
            profile.backend.gripper.action,
            lambda g: {"position": g.command.position, "effort": g.command.max_effort},
        )

    def result(self, kind):
        return kind.Result(reached_goal=True)


class Sawyer(Robot):
    """A Sawyer behind ros1_bridge. Its kinematics: joint i is coordinate i, in metres for rad."""

    def __init__(self, profile):
        super().__init__(profile)
        from intera_core_msgs.msg import (
            EndpointState,
            EndpointStates,
            IOComponentCommand,
            JointCommand,
        )
        from intera_core_msgs.srv import SolvePositionIK

        arm, self.target = profile.backend.arm, self.position.copy()
        self.state_kind, self.states_kind = EndpointState, EndpointStates
        limb = f"/robot/limb/{arm.limb}"
        self.tips = self.create_publisher(EndpointStates, f"{limb}/tip_states", 1)
        self.create_subscription(JointCommand, f"{limb}/joint_command", self.on_command, 1)
        self.create_subscription(
            IOComponentCommand,
            f"/io/end_effector/{profile.backend.gripper.device}/command",
            lambda m: self.tell("gripper", op=m.op, args=json.loads(m.args), sec=m.time.sec),
            10,
        )
        self.create_service(
            SolvePositionIK,
            f"/ExternalTools/{arm.limb}/PositionKinematicsNode/IKService",
            self.on_solve,
        )

    def angles(self):
        return [*self.position.tolist(), 0.0, 0.0, 0.0, 0.0]

    def publish_pose(self, stamp):
        pose = self.pose(stamp)
        hand = self.state_kind(valid=True)  # another tip: whoever takes it is 15 cm off
        tip = self.state_kind(valid=True, pose=pose.pose)
        self.tips.publish(
            self.states_kind(
                header=pose.header,
                names=["right_hand", self.profile.backend.arm.tip],
                states=[hand, tip],
            )
        )

    def on_solve(self, request, response):
        pose, seed = request.pose_stamp[0], request.seed_angles[0]
        p = pose.pose.position
        self.tell(
            "solve",
            frame=pose.header.frame_id,
            tip=request.tip_names[0],
            seed_mode=request.seed_mode,
            seed=list(seed.position),
        )
        # A long way to y > 0 has another configuration of the arm as its answer.
        flip = 2.0 if p.y - self.position[1] > 0.005 else 0.0
        response.joints = [
            JointState(name=seed.name, position=[p.x, p.y, p.z, flip, 0.0, 0.0, 0.0])
        ]
        response.result_type = [1]
        return response

    def on_command(self, message):
        positions = dict(zip(message.names, message.position, strict=True))
        self.target = np.array([positions[f"right_j{i}"] for i in range(3)])
        self.tell(
            "joints",
            mode=message.mode,
            position=[positions[j] for j in self.profile.joints],
            away=float(np.linalg.norm(self.target - self.position)),
        )

    def step(self):
        self.position += 0.2 * (self.target - self.position)


KINDS = {
    "crisp": Crisp,
    "servo": Servo,
    "franka_hand": FrankaHand,
    "gripper_command": CommandGripper,
    "sawyer": Sawyer,
}


def main():
    kind, profile = sys.argv[1:3]
    rclpy.init()
    node = KINDS[kind](load_profile(profile))
    executor = MultiThreadedExecutor(4)
    executor.add_node(node)
    try:
        executor.spin()
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
