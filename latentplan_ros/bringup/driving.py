"""Driving the arm of a running graph with this terminal's keyboard."""

import os
import sys
from typing import NoReturn

from latentplan_ros.bringup.environment import ros_environment


def drive(namespace: str = "") -> NoReturn:
    """Becomes the keyboard node, which needs the terminal for itself."""
    line = [sys.executable, "-m", "latentplan_ros.nodes.keyboard"]
    if namespace.strip("/"):
        line += ["--ros-args", "-r", f"__ns:=/{namespace.strip('/')}"]
    os.execve(sys.executable, line, ros_environment())
