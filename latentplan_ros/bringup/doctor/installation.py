"""Python, the packages of this package, and the device that training and planning will use."""

import importlib.metadata
import os
import shutil
import sys

from packaging.requirements import Requirement

from latentplan_ros.bringup.doctor.finding import Finding, Status
from latentplan_ros.bringup.doctor.probe import run_python
from latentplan_ros.resources import PACKAGE

PYTHON_MIN, PYTHON_MAX = (3, 10), (3, 13)
_TORCH = """
import torch
print("version", torch.__version__)
print("device", torch.cuda.get_device_name() if torch.cuda.is_available() else "")
"""


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
    absent = [name for name in names if not installed(name)]
    if absent:
        return Finding(
            "Python packages",
            Status.MISSING,
            f"without {', '.join(absent)}",
            f"pip install {' '.join(absent)}",
        )
    return Finding("Python packages", Status.OK, f"all {len(names)} installed")


def check_torch() -> Finding:
    """The device that training and planning will use."""
    run = run_python(_TORCH)
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


def check_watch() -> Finding:
    """The viewer of ``latentplan watch``."""
    subject = "Live view"
    if installed("rerun-sdk"):
        version = importlib.metadata.version("rerun-sdk")
        return Finding(subject, Status.OK, f"Rerun {version}, for latentplan watch")
    return Finding(
        subject,
        Status.NOTE,
        "no Rerun; only latentplan watch needs it",
        f"pip install '{PACKAGE}[watch]' (or rerun-sdk)",
    )


def installed(distribution: str) -> bool:
    """Whether a distribution of this name is installed for this Python."""
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
