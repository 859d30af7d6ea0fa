"""Where the files that ship beside the code (config, launch, checkpoints) are on this machine."""

import os
import sys
from pathlib import Path

PACKAGE = "latentplan_ros"
# Tasks whose best checkpoint, by the success figures in README, is another than <task>.safetensors.
_BEST = {"franka_drawer": "franka_drawer_plan2vec"}


class ResourceError(FileNotFoundError):
    """A shipped file was asked for that is in none of the places it can be installed to."""


def share_directories() -> list[Path]:
    """Candidate roots in order: the source tree, each ROS prefix, this Python's prefix."""
    prefixes = [p for p in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if p]
    roots = [Path(__file__).resolve().parents[1]]
    return roots + [Path(p) / "share" / PACKAGE for p in [*prefixes, sys.prefix]]


def best_checkpoint(task: str) -> Path:
    """The shipped checkpoint that reaches most goals of a task. Raises ResourceError."""
    return resource(f"checkpoints/{_BEST.get(task, task)}.safetensors")


def resource(relative: str) -> Path:
    """Path of a shipped file or folder, e.g. ``config/robots/franka.yaml``.

    Raises ResourceError with the places that were searched.
    """
    for root in share_directories():
        if (root / relative).exists() and (root / "package.xml").exists():
            return root / relative
    searched = ", ".join(str(root) for root in share_directories())
    raise ResourceError(f"{relative} is not installed with {PACKAGE}; searched {searched}")
