"""Message packages that don't come from PyPI, imported only for the backend that needs them."""

import importlib
from typing import Any

_INSTALL = {
    "control_msgs": "apt install ros-$ROS_DISTRO-control-msgs",
    "franka_msgs": "apt install ros-humble-franka-msgs, elsewhere build franka_msgs of "
    "https://github.com/frankarobotics/franka_ros2 with colcon; then source the workspace",
    "intera_core_msgs": "build it for ROS 2 with colcon as docs/connect_sawyer.md says, "
    "then source the workspace",
}


class MissingMessages(ImportError):
    """A backend's message package is not installed or not sourced; the message says how to."""


def interface(name: str) -> Any:
    """The class of ``package/msg|srv|action/Name``. Raises MissingMessages."""
    package, kind, message = name.split("/")
    try:
        return getattr(importlib.import_module(f"{package}.{kind}"), message)
    except (ImportError, AttributeError) as error:
        raise MissingMessages(
            f"the robot profile needs {name}, and {package} is not installed: "
            f"{_INSTALL[package]} ({error})"
        ) from None
