"""Random exploration, recorded episode by episode.

`ros2 launch latentplan_ros collect.launch.py --show-args` lists the options.
"""

from latentplan_ros.bringup.launching import describe
from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    return describe("collect")
