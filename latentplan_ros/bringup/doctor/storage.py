"""Room for shared memory, recordings and logs."""

import os
import shutil
import tempfile
from pathlib import Path

from latentplan_ros.bringup.doctor.finding import Finding, Status

DISK_GIB, SHM_MIB = 5.0, 128
SHM = Path("/dev/shm")


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
