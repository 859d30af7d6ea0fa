"""Driving by hand with a joystick, recorded episode by episode.

`ros2 launch latentplan_ros teleop.launch.py --show-args` lists the options.
"""

from latentplan_ros.bringup.launching import describe
from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    return describe("teleop")
