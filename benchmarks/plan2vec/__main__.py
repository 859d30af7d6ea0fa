"""Plan2vec's tables and figures, one part each; resumable."""

from collections.abc import Callable
from pathlib import Path

import tyro

from benchmarks.destination import ROOT
from benchmarks.plan2vec import mazes
from benchmarks.plan2vec.experiment import Experiment
from latentplan_ros.sim.worlds.maze import MAZES

PARTS: dict[str, Callable[[Experiment], None]] = {
    **{name: lambda e, name=name: mazes.table(e, name) for name in MAZES},  # type: ignore[misc]
    "lookahead": mazes.lookahead,
}


def main(
    parts: tuple[str, ...] = tuple(PARTS),
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4),
    folder: Path = ROOT / "runs" / "plan2vec",
    quick: bool = False,
) -> None:
    """Writes what has no results file yet below benchmarks/results/plan2vec."""
    if quick:
        seeds, folder = (0,), folder.with_name(f"{folder.name}_quick")
    experiment = Experiment(seeds, folder, quick)
    for part in parts:
        PARTS[part](experiment)


if __name__ == "__main__":
    tyro.cli(main)
