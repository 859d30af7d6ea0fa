"""The drivers of an arm and a camera, as a process of its own, with faults on request.

python drivers.py '{"frame": "panda_link0", "ahead": {"joint_states": 3.0}, ...}'
"""

import contextlib
import json
import sys

import numpy as np
import rclpy
from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped
from rclpy.executors import ExternalShutdownException
from sensor_msgs.msg import Image, JointState, Joy

from latentplan_ros.control.profile import load_profile
from latentplan_ros.nodes import qos
from latentplan_ros.nodes.pictures import image_message

PICTURE = np.full((48, 64, 3), 128, np.uint8)


class Drivers:
    """faults: ``frame`` of the pose; ``ahead``: topic -> seconds that its stamps are in the future;
    ``silent``: topics that are not published; ``camera``: another name of the camera topic;
    ``actions``: whether it sends actions too; ``deaf``: asks for reliable pictures."""

    def __init__(self, node, faults):
        profile = load_profile("franka")
        self.node, self.faults = node, faults
        self.joints = list(profile.joints)
        self.frame = faults.get("frame", profile.base_frame)
        self.position = (np.add(profile.workspace.min, profile.workspace.max) / 2).tolist()
        silent = faults.get("silent", [])
        camera = faults.get("camera", "camera/image_raw")
        kinds = {
            camera: (Image, qos.CAMERA),
            "current_pose": (PoseStamped, qos.STATE_OUT),
            "joint_states": (JointState, qos.STATE_OUT),
        }
        if faults.get("actions"):
            kinds["action"] = (Joy, qos.ACTION)
        self.camera = camera
        self.out = {
            name: node.create_publisher(kind, name, profile)
            for name, (kind, profile) in kinds.items()
            if name not in silent
        }
        if faults.get("deaf"):
            node.create_subscription(Image, camera, print, qos.ACTION)
        node.create_timer(1 / 30, self.tick)

    def stamp(self, name):
        ahead = int(self.faults.get("ahead", {}).get(name, 0.0) * 1e9)
        now = self.node.get_clock().now().nanoseconds + ahead
        return Time(sec=now // 10**9, nanosec=now % 10**9)

    def tick(self):
        for name, publisher in self.out.items():
            publisher.publish(self.message(name, self.stamp(name)))

    def message(self, name, stamp):
        if name == self.camera:
            return image_message(PICTURE, stamp, "camera_optical_frame")
        if name == "joint_states":
            message = JointState(name=self.joints, position=[0.0] * len(self.joints))
            message.velocity = message.effort = message.position
        elif name == "action":
            message = Joy(axes=[0.0, 0.0, 0.0, 1.0])
        else:
            message = PoseStamped()
            message.header.frame_id = self.frame
            p = message.pose.position
            p.x, p.y, p.z = self.position
            message.pose.orientation.x, message.pose.orientation.w = 1.0, 0.0
        message.header.stamp = stamp
        return message


def main():
    rclpy.init()
    node = rclpy.create_node("drivers")
    Drivers(node, json.loads(sys.argv[1]))
    with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(node)
    rclpy.try_shutdown()


if __name__ == "__main__":
    main()
