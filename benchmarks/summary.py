"""Folds every results file into ``benchmarks/summary.json``: name -> value, interval, source."""

import json
from pathlib import Path
from typing import Any

import tyro

from benchmarks.destination import RESULTS, ROOT


class SummaryError(ValueError):
    """A results file is unreadable, or two files claim the same figure."""


def summarize(results: Path = RESULTS, root: Path = ROOT) -> dict[str, dict[str, Any]]:
    """The flat summary of all results files below a folder, sorted by name."""
    summary: dict[str, dict[str, Any]] = {}
    for path in sorted(results.rglob("*.json")):
        file = path.relative_to(root).as_posix()
        try:
            document = json.loads(path.read_text())
            command, figures = document["command"], document["figures"]
        except (ValueError, KeyError, TypeError) as error:
            raise SummaryError(f"{file} is no results file: {error!r}") from None
        for name, figure in figures.items():
            if name in summary:
                raise SummaryError(f"{name} is in {summary[name]['file']} and in {file}")
            summary[name] = {**figure, "file": file, "command": command}
    return dict(sorted(summary.items()))


def main(out: Path = ROOT / "benchmarks" / "summary.json") -> None:
    """Writes the summary and prints it.

    Args:
        out: the file to write.
    """
    summary = summarize()
    out.write_text(json.dumps(summary, indent=1) + "\n")
    for name, figure in summary.items():
        interval = ""
        if figure["low"] is not None:
            interval = f"  [{figure['low']:.3g}, {figure['high']:.3g}]"
        print(f"{name:48} {figure['value']:10.4g} {figure['unit']}{interval}  n={figure['n']}")


if __name__ == "__main__":
    tyro.cli(main)
