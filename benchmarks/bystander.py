"""A camera, an arm's driver or a planner that fails on command, as a process of its own.

python -m benchmarks.bystander NAME ROBOT TOPIC... [--clock]

TOPICs: camera, pose, action. SIGUSR1 makes it fall silent, and speak again. With --clock it makes
the time too, and SIGUSR2 turns that back by 5 s.
"""

import contextlib
import signal
import sys
import time

import numpy as np
import rclpy
import rclpy.node
from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped
from rclpy.executors import ExternalShutdownException
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image, Joy

from latentplan_ros.control.profile import load_profile
from latentplan_ros.nodes import qos
from latentplan_ros.nodes.pictures import image_message

TICK_S = 0.01
EVERY = {"pose": 1, "camera": 10, "action": 10}  # ticks; the control rate of the shipped arms
BACK_S = 5.0
AXES = [0.2, 0.0, 0.0, 1.0]  # a target beside the arm, which never moves: no hold looks like it


class Bystander(rclpy.node.Node):
    """Publishes its topics at their rates; the arm stands in the middle of its workspace."""

    def __init__(self, name: str, robot: str, topics: list[str], clock: bool) -> None:
        super().__init__(name)
        self.profile = load_profile(robot)
        kinds = {
            "camera": (Image, "camera/image_raw", qos.CAMERA),
            "pose": (PoseStamped, "current_pose", qos.STATE_OUT),
            "action": (Joy, "action", qos.ACTION),
        }
        self.out = {topic: self.create_publisher(*kinds[topic]) for topic in topics}
        self.clock = self.create_publisher(Clock, "/clock", qos.STATE_OUT) if clock else None
        self.silent, self.ticks, self.began = False, 0, time.monotonic() - 1000.0
        self.create_timer(TICK_S, self.tick)

    def toggle(self, *_: object) -> None:
        self.silent = not self.silent

    def turn_back(self, *_: object) -> None:
        self.began += BACK_S

    def tick(self) -> None:
        stamp = self.get_clock().now().to_msg()
        if self.clock is not None:
            nanoseconds = int((time.monotonic() - self.began) * 1e9)
            stamp = Time(sec=nanoseconds // 10**9, nanosec=nanoseconds % 10**9)
            self.clock.publish(Clock(clock=stamp))
        self.ticks += 1
        for topic, publisher in self.out.items():
            if not self.silent and self.ticks % EVERY[topic] == 0:
                publisher.publish(getattr(self, topic)(stamp))

    def camera(self, stamp: Time) -> Image:
        return image_message(np.zeros((48, 64, 3), np.uint8), stamp, "camera")

    def action(self, stamp: Time) -> Joy:
        message = Joy(axes=AXES)
        message.header.stamp = stamp
        return message

    def pose(self, stamp: Time) -> PoseStamped:
        message, box = PoseStamped(), self.profile.workspace
        message.header.stamp, message.header.frame_id = stamp, self.profile.base_frame
        p, q = message.pose.position, message.pose.orientation
        p.x, p.y, p.z = ((low + high) / 2 for low, high in zip(box.min, box.max, strict=True))
        q.x, q.y, q.z, q.w = self.profile.orientation_xyzw
        return message


def main() -> None:
    arguments = [a for a in sys.argv[1:] if a != "--clock"]
    rclpy.init(args=[])
    node = Bystander(arguments[0], arguments[1], arguments[2:], "--clock" in sys.argv)
    signal.signal(signal.SIGUSR1, node.toggle)
    signal.signal(signal.SIGUSR2, node.turn_back)
    with contextlib.suppress(ExternalShutdownException, KeyboardInterrupt):
        rclpy.spin(node)
    rclpy.try_shutdown()


if __name__ == "__main__":
    main()
