"""The results file: one JSON a run, from which every table and picture is drawn."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import torch

from latentplan_ros import __version__
from latentplan_ros.evaluation.outcome import Outcome
from latentplan_ros.evaluation.statistics import median_interval, wilson

SOURCE = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Figure:
    """One number worth quoting. low, high: its 95 % interval, if it has one; n: samples."""

    value: float
    unit: str
    n: int
    low: float | None = None
    high: float | None = None

    @classmethod
    def success(cls, outcomes: Sequence[Outcome]) -> "Figure":
        """Success rate with its Wilson interval, fraction 0..1."""
        successes = sum(outcome.success for outcome in outcomes)
        low, high = wilson(successes, len(outcomes))
        return cls(successes / len(outcomes), "fraction", len(outcomes), low, high)

    @classmethod
    def median(cls, values: Sequence[float], unit: str) -> "Figure":
        low, high = median_interval(values)
        return cls(float(np.median(values)), unit, len(values), low, high)

    @classmethod
    def percentile(cls, values: Sequence[float], percent: float, unit: str) -> "Figure":
        return cls(float(np.percentile(values, percent)), unit, len(values))


def write_results(
    path: Path,
    figures: Mapping[str, Figure],
    *,
    seeds: Sequence[int],
    settings: Mapping[str, Any],
    outcomes: Sequence[Outcome] = (),
    raw: Mapping[str, Any] | None = None,
) -> None:
    """Writes the file whole or not at all, with what is needed to run it again."""
    document = {
        "command": command_line(),
        "commit": commit(),
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": machine(),
        "version": __version__,
        "seeds": list(seeds),
        "settings": dict(settings),
        "figures": {name: vars(figure) for name, figure in figures.items()},
        "outcomes": [outcome.to_dict() for outcome in outcomes],
        "raw": dict(raw or {}),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(path.suffix + ".partial")
    partial.write_text(json.dumps(document, indent=1) + "\n")
    partial.replace(path)


def command_line() -> str:
    """The command that started this process, as a person would type it."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    program = f"python -m {spec.name}" if spec is not None else Path(sys.argv[0]).name
    return " ".join([program.removesuffix(".__main__"), *sys.argv[1:]])


def commit() -> str | None:
    """Commit of the source tree, ``+changes`` where files differ from it; None without git."""
    try:
        run = [
            subprocess.run(
                ["git", "-C", str(SOURCE), *arguments],
                capture_output=True,
                text=True,
                check=True,
                timeout=10,
            ).stdout.strip()
            for arguments in (
                ["rev-parse", "HEAD"],
                ["status", "--porcelain", "--untracked-files=no"],
            )
        ]
    except (OSError, subprocess.SubprocessError):
        return None
    return run[0] + ("+changes" if run[1] else "")


def machine() -> dict[str, Any]:
    """What a time depends on."""
    return {
        "cpu": _cpu_name(),
        "cores": len(os.sched_getaffinity(0)),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "platform": platform.platform(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torch_threads": torch.get_num_threads(),
    }


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
