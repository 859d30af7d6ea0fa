"""Code that may take its process down, run in a process of its own."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Run:
    """How it ended. ``error``: the line that says why, where ``returncode`` is not 0."""

    returncode: int
    values: dict[str, str]
    error: str


def run_python(code: str, **variables: str) -> Run:
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
        return Run(1, {}, "no answer in 120 s")
    values = dict(line.partition(" ")[::2] for line in done.stdout.splitlines())
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    killed = f"killed by signal {-done.returncode}" if done.returncode < 0 else "no message"
    # The last unindented line names the exception; what follows it may be advice.
    named = [line for line in lines if re.match(r"[\w.]*(Error|Exception|Exit)\b", line)]
    return Run(done.returncode, values, (named or lines or [killed])[-1])
