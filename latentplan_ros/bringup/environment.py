"""The environment that node processes are started with."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from latentplan_ros.resources import resource


def ros_environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """A copy of ``base`` (this process's environment) with what the nodes need; what the user has
    set stays as it is.

    - the shipped Fast DDS profile, without which nearly all best_effort VGA pictures are lost;
    - discovery on this machine only, so that two labs' arms never hear each other by accident
      (docs/security.md says how to open it for a robot driver on another machine);
    - a log folder, without which rclpy does not start where HOME is missing;
    - rendering without a display, where there is none.
    """
    env = dict(os.environ if base is None else base)
    return env | additions(env)  # what is set to nothing is not set


def additions(base: Mapping[str, str]) -> dict[str, str]:
    """Only the variables that ``ros_environment`` adds to ``base``."""
    profile = str(resource("config/fastdds.xml"))
    wanted = {
        "FASTDDS_DEFAULT_PROFILES_FILE": profile,
        "PYTHONUNBUFFERED": "1",
    }
    if base.get("ROS_DISTRO") in ("humble", "jazzy"):
        # The same setting's name in Fast DDS 2; in Fast DDS 3 it makes every node warn.
        wanted["FASTRTPS_DEFAULT_PROFILES_FILE"] = profile
    if base.get("ROS_DISTRO") == "humble":
        wanted["ROS_LOCALHOST_ONLY"] = "1"  # later releases warn about it, Humble has only this
    else:
        wanted["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    if not any(base.get(key) for key in ("HOME", "ROS_HOME", "ROS_LOG_DIR")):
        wanted["ROS_LOG_DIR"] = str(Path(tempfile.gettempdir()) / "latentplan-ros-log")
    if not base.get("DISPLAY"):
        wanted["MUJOCO_GL"] = "egl"
    return {key: value for key, value in wanted.items() if not base.get(key)}
