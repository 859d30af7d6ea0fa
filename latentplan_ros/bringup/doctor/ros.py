"""ROS 2: does a node start, which installation is it, and does its transport carry pictures?"""

import importlib.metadata
import importlib.util
import os
from pathlib import Path

from latentplan_ros.bringup.doctor.finding import Finding, Status
from latentplan_ros.bringup.doctor.installation import installed
from latentplan_ros.bringup.doctor.probe import run_python
from latentplan_ros.bringup.environment import additions
from latentplan_ros.resources import PACKAGE, ResourceError

ROS_ROOT = Path("/opt/ros")
# The rclpy release series of each distribution; the wheels carry no other sign of theirs.
RCLPY_SERIES = {3: "humble", 7: "jazzy", 9: "kilted"}
_ROS = """
import rclpy
print("rmw", rclpy.get_rmw_implementation_identifier())
rclpy.init()
rclpy.create_node("latentplan_doctor").destroy_node()
rclpy.shutdown()
"""


def check_ros() -> Finding:
    """Whether a node starts, in another process: a broken ROS can take its process down."""
    if importlib.util.find_spec("rclpy") is None:
        return Finding("ROS 2", Status.MISSING, "rclpy is not importable", _ros_remedy())
    run = run_python(_ROS)
    if run.returncode or "rmw" not in run.values:
        return Finding("ROS 2", Status.MISSING, f"rclpy does not start: {run.error}", _ros_remedy())
    origin = importlib.util.find_spec("rclpy").origin or "?"  # type: ignore[union-attr]
    return Finding("ROS 2", Status.OK, f"{_distro()}, {run.values['rmw']}, {Path(origin).parent}")


def check_ros_installation() -> Finding:
    """An apt ROS: is there one, is it sourced, does a wheel of rclpy stand in front of it?"""
    subject = "ROS from apt"
    setups = sorted(ROS_ROOT.glob("*/setup.bash"))
    if not setups:
        return Finding(subject, Status.NOTE, f"none in {ROS_ROOT}; the wheels of extra [ros] do")
    if not os.environ.get("AMENT_PREFIX_PATH"):
        return Finding(
            subject, Status.NOTE, f"{setups[-1].parent} is not sourced", f"source {setups[-1]}"
        )
    spec = importlib.util.find_spec("rclpy")
    origin = str(spec.origin) if spec else ""
    if installed("ros-rclpy") and not origin.startswith(str(ROS_ROOT)):
        return Finding(
            subject,
            Status.NOTE,
            f"rclpy comes from {origin}, not from {setups[-1].parent}",
            "pip uninstall ros-rclpy, or use an environment without the extra [ros]",
        )
    return Finding(subject, Status.OK, f"{setups[-1].parent}, sourced")


def check_ros_extras() -> Finding:
    """Packages that only a ROS installation has, and what goes without them."""
    uses = {
        "launch_ros": "for ros2 launch; latentplan up starts the same graphs",
        "franka_msgs": "for the gripper actions of franka_ros2",
        "cv_bridge": "OpenCV does its work",
    }
    absent = {name: use for name, use in uses.items() if importlib.util.find_spec(name) is None}
    if not absent:
        return Finding("ROS extras", Status.OK, ", ".join(uses))
    return Finding(
        "ROS extras",
        Status.NOTE,
        "; ".join(f"no {name} ({use})" for name, use in absent.items()),
        "apt install "
        + " ".join(f"ros-$ROS_DISTRO-{n.replace('_', '-')}" for n in absent)
        + " on a ROS machine",
    )


def check_dds_profile() -> Finding:
    """The Fast DDS profile, without which nearly every VGA picture over best_effort is lost."""
    subject, variable = "DDS profile", "FASTDDS_DEFAULT_PROFILES_FILE"
    if os.environ.get("ROS_DISTRO") == "humble":
        variable = "FASTRTPS_DEFAULT_PROFILES_FILE"
    implementation = os.environ.get("RMW_IMPLEMENTATION", "rmw_fastrtps_cpp")
    if "fastrtps" not in implementation:
        return Finding(subject, Status.NOTE, f"not used by {implementation}")
    path = os.environ.get(variable)
    if path and not Path(path).is_file():
        return Finding(
            subject,
            Status.NOTE,
            f"{variable} names {path}, which is not there",
            f"unset {variable}",
        )
    if path:
        return Finding(subject, Status.OK, path)
    try:
        shipped = additions({})[variable]
    except ResourceError as error:
        return Finding(subject, Status.MISSING, str(error), "install the package again")
    return Finding(
        subject,
        Status.NOTE,
        f"{variable} is not set (latentplan up and the launch files set it themselves)",
        f"for camera drivers started by hand: export {variable}={shipped}",
    )


def _ros_remedy() -> str:
    setups = sorted(ROS_ROOT.glob("*/setup.bash"))
    return f"source {setups[-1]}" if setups else f"pip install '{PACKAGE}[ros]' (or make setup)"


def _distro() -> str:
    if distro := os.environ.get("ROS_DISTRO"):
        return distro
    try:
        version = importlib.metadata.version("ros-rclpy")
    except importlib.metadata.PackageNotFoundError:
        return "unknown distribution"
    return f"{RCLPY_SERIES.get(int(version.split('.')[0]), 'rclpy ' + version)} (wheels)"
