"""What this machine has and lacks for the job, with a remedy for everything that is missing.

No check needs what it looks for: the doctor runs where ROS, MuJoCo or torch are absent or broken.
"""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from latentplan_ros.bringup.environment import additions
from latentplan_ros.resources import PACKAGE, ResourceError

Purpose = Literal["demo", "robot", "train"]

PYTHON_MIN, PYTHON_MAX = (3, 10), (3, 13)
DISK_GIB, SHM_MIB = 5.0, 128
GL_PACKAGES = "libegl1 libgl1-mesa-dri libopengl0"
SHM = Path("/dev/shm")
ROS_ROOT = Path("/opt/ros")

# The rclpy release series of each distribution; the wheels carry no other sign of theirs.
RCLPY_SERIES = {3: "humble", 7: "jazzy", 9: "kilted"}

_RENDER = """
import time
import numpy as np
from latentplan_ros.sim.environment import Environment
from latentplan_ros.sim.tasks import make_task
environment = Environment(make_task("franka_reach"))
environment.reset(np.random.default_rng(0))
frame = environment.render(64, 64)
assert frame.std() > 1, "the picture is empty"
start = time.perf_counter()
for _ in range(50):
    environment.render(64, 64)
print("rate", round(50 / (time.perf_counter() - start)))
environment.close()
"""

_ROS = """
import rclpy
print("rmw", rclpy.get_rmw_implementation_identifier())
rclpy.init()
rclpy.create_node("latentplan_doctor").destroy_node()
rclpy.shutdown()
"""

_TORCH = """
import torch
print("version", torch.__version__)
print("device", torch.cuda.get_device_name() if torch.cuda.is_available() else "")
"""


class Status(Enum):
    OK = "ok"
    NOTE = "note"
    """Works, or works without it; worth knowing."""
    MISSING = "missing"


@dataclass(frozen=True)
class Finding:
    """One line of the table. ``remedy`` is empty where there is nothing to do."""

    subject: str
    status: Status
    found: str
    remedy: str = ""


REQUIRED: dict[Purpose, frozenset[str]] = {
    "demo": frozenset({"Python", "Python packages", "ROS 2", "Rendering", "Shared memory", "Disk"}),
    "robot": frozenset({"Python", "Python packages", "ROS 2", "Shared memory", "Disk"}),
    "train": frozenset({"Python", "Python packages", "Disk"}),
}
"""The subjects without which each purpose cannot be served."""


def doctor(purpose: Purpose = "demo", console: Console | None = None) -> int:
    """Prints the table; 1 where something that ``purpose`` requires is missing, otherwise 0.

    purpose: ``demo`` (simulation and ROS), ``robot`` (ROS without simulation) or ``train``
    (neither).
    """
    console = console or Console()
    findings = list(diagnose())
    table = Table(title=f"{PACKAGE} on this machine", title_justify="left")
    for column in ("", "What", "Found", "Remedy"):
        table.add_column(column, overflow="fold")
    for finding in findings:
        table.add_row(
            _sign(finding, purpose), finding.subject, escape(finding.found), escape(finding.remedy)
        )
    console.print(table)
    lacking = [f.subject for f in findings if _blocks(f, purpose)]
    if lacking:
        console.print(f"[red]Missing for {purpose}:[/] {', '.join(lacking)}")
        return 1
    console.print(f"[green]Everything that {purpose} requires is here.[/]")
    return 0


def diagnose() -> Iterator[Finding]:
    """Every check in turn; none raises for anything it finds."""
    yield check_python()
    yield check_packages()
    yield check_ros()
    yield check_ros_installation()
    yield check_ros_extras()
    yield check_rendering()
    yield check_torch()
    yield check_dds_profile()
    yield check_shared_memory()
    yield check_disk()
    yield check_log_folder()


def check_python() -> Finding:
    version = sys.version_info[:3]
    found = f"{'.'.join(map(str, version))} at {sys.executable}"
    if PYTHON_MIN <= version[:2] <= PYTHON_MAX:
        return Finding("Python", Status.OK, found)
    return Finding(
        "Python",
        Status.MISSING,
        found,
        f"install Python {_dotted(PYTHON_MIN)} to {_dotted(PYTHON_MAX)} and run "
        "make setup PYTHON=/path/to/python3",
    )


def check_packages() -> Finding:
    """Distributions that this package requires and that are not installed."""
    try:
        lines = importlib.metadata.requires(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        return Finding(
            "Python packages", Status.MISSING, f"{PACKAGE} is not installed", "run make setup"
        )
    requirements = [Requirement(line) for line in lines]
    # Without extras: a marker that asks for one is false here.
    names = [r.name for r in requirements if not r.marker or r.marker.evaluate({"extra": ""})]
    absent = [name for name in names if not _installed(name)]
    if absent:
        return Finding(
            "Python packages",
            Status.MISSING,
            f"without {', '.join(absent)}",
            f"pip install {' '.join(absent)}",
        )
    return Finding("Python packages", Status.OK, f"all {len(names)} installed")


def check_ros() -> Finding:
    """Whether a node starts, in another process: a broken ROS can take its process down."""
    if importlib.util.find_spec("rclpy") is None:
        return Finding("ROS 2", Status.MISSING, "rclpy is not importable", _ros_remedy())
    run = _python(_ROS)
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
    if _installed("ros-rclpy") and not origin.startswith(str(ROS_ROOT)):
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


def check_rendering() -> Finding:
    """A picture of a simulated arm, in another process, which a broken driver can take down."""
    chosen = os.environ.get("MUJOCO_GL")
    errors = []
    for backend in [chosen] if chosen else ["egl", "osmesa"]:
        run = _python(_RENDER, MUJOCO_GL=backend)
        if run.returncode == 0 and "rate" in run.values:
            found = f"{backend}, {run.values['rate']} pictures of 64 x 64 a second"
            if chosen:
                return Finding("Rendering", Status.OK, found)
            return Finding("Rendering", Status.OK, found, f"export MUJOCO_GL={backend}")
        errors.append(f"{backend}: {run.error}")
    remedy = f"apt install {GL_PACKAGES}, then export MUJOCO_GL=egl"
    return Finding("Rendering", Status.MISSING, "; ".join(errors), remedy)


def check_torch() -> Finding:
    """The device that training and planning will use."""
    run = _python(_TORCH)
    if run.returncode:
        return Finding("GPU", Status.NOTE, f"torch does not import: {run.error}", "run make setup")
    version, device = run.values.get("version", "?"), run.values.get("device", "")
    if device:
        return Finding("GPU", Status.OK, f"{device}, torch {version}")
    if shutil.which("nvidia-smi"):
        return Finding(
            "GPU",
            Status.NOTE,
            f"torch {version} sees no GPU although an NVIDIA driver is installed",
            "make clean setup TORCH_INDEX= installs the CUDA build",
        )
    return Finding("GPU", Status.NOTE, f"none; torch {version} uses {os.cpu_count()} CPU cores")


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


def check_shared_memory() -> Finding:
    """Room for Fast DDS's segments, and what killed processes left there."""
    subject = "Shared memory"
    if not os.access(SHM, os.W_OK):
        return Finding(subject, Status.MISSING, f"{SHM} is not writable", "mount tmpfs there")
    free = shutil.disk_usage(SHM).free / 2**20
    left = sum(1 for _ in SHM.glob("fastdds_*"))
    found = f"{free:.0f} MiB free in {SHM}, {left} Fast DDS files"
    if free < SHM_MIB:
        remedy = "with no node running: rm /dev/shm/fastdds_*" if left else "docker: --shm-size=1g"
        return Finding(subject, Status.MISSING, found, remedy)
    return Finding(subject, Status.OK, found)


def check_disk() -> Finding:
    """Room for recordings where the command was started."""
    free = shutil.disk_usage(Path.cwd()).free / 2**30
    found = f"{free:.1f} GiB free in {Path.cwd()}"
    if free < 0.5:
        return Finding("Disk", Status.MISSING, found, "free some space, or start elsewhere")
    if free < DISK_GIB:
        return Finding("Disk", Status.NOTE, found, "10,000 episodes take about 4 GB")
    return Finding("Disk", Status.OK, found)


def check_log_folder() -> Finding:
    """rclpy does not start without a folder for its logs."""
    subject = "Log folder"
    home = os.environ.get("ROS_LOG_DIR") or os.environ.get("ROS_HOME") or os.environ.get("HOME")
    if not home:
        return Finding(
            subject,
            Status.NOTE,
            "none of ROS_LOG_DIR, ROS_HOME and HOME is set",
            f"export ROS_LOG_DIR={tempfile.gettempdir()}/ros-log",
        )
    existing = next(p for p in [Path(home), *Path(home).absolute().parents] if p.exists())
    if not os.access(existing, os.W_OK):
        return Finding(
            subject, Status.NOTE, f"{home} is not writable", "export ROS_LOG_DIR=/a/writable/folder"
        )
    return Finding(subject, Status.OK, home)


@dataclass(frozen=True)
class _Run:
    returncode: int
    values: dict[str, str]
    error: str


def _python(code: str, **variables: str) -> _Run:
    """Runs code that prints ``name value`` lines in a fresh Python of this environment."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=120,
        )
    except subprocess.TimeoutExpired:
        return _Run(1, {}, "no answer in 120 s")
    values = dict(line.partition(" ")[::2] for line in done.stdout.splitlines())
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    killed = f"killed by signal {-done.returncode}" if done.returncode < 0 else "no message"
    # The last unindented line names the exception; what follows it may be advice.
    named = [line for line in lines if re.match(r"[\w.]*(Error|Exception|Exit)\b", line)]
    return _Run(done.returncode, values, (named or lines or [killed])[-1])


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


def _installed(distribution: str) -> bool:
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _blocks(finding: Finding, purpose: Purpose) -> bool:
    return finding.status is Status.MISSING and finding.subject in REQUIRED[purpose]


def _sign(finding: Finding, purpose: Purpose) -> str:
    if finding.status is Status.OK:
        return "[green]ok[/]"
    if _blocks(finding, purpose):
        return "[red]missing[/]"
    return "[yellow]note[/]"


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
