"""The arm goes to where the goal picture shows it.

`ros2 launch latentplan_ros reach.launch.py --show-args` lists the options.
"""

from latentplan_ros.bringup.launching import describe
from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    return describe("reach")
