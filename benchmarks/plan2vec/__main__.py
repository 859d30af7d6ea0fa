"""Plan2vec's tables and figures, one part each; resumable."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import tyro

from benchmarks.destination import ROOT
from benchmarks.names import require_known
from benchmarks.plan2vec import (
    data_needed,
    growth,
    local_accuracy,
    mazes,
    quadrants,
    rope,
    searches,
    sheets,
    towns,
    variants,
)
from benchmarks.plan2vec.experiment import Experiment
from latentplan_ros.sim.worlds.maze import MAZES

Part = Callable[[Experiment], None]
PARTS: dict[str, Part] = {
    # Table 1; Figure 6, centre and left.
    **{name: partial(mazes.table, name=name) for name in MAZES},
    "lookahead": mazes.lookahead,
    "data": data_needed.compare,
    # Table 2; Figures 8 and 6, right; section 5.4 and Figure 9.
    **{f"streets_{size}": partial(towns.table, name=size) for size in ("tiny", "small", "medium")},
    "searches": searches.costs,
    "quadrants": quadrants.held_out,
    # Section 5.2.
    "rope": rope.plans,
    # Table 5.
    **{
        f"local_{domain}": partial(local_accuracy.table, domain=domain)
        for domain in (*MAZES, "rope", "streets")
    },
    "local_variants": local_accuracy.variants,
    # Algorithm 2, sizes of the map, norms; what a graph costs.
    "variants_cmaze": variants.in_the_maze,
    "variants_streets": variants.in_the_town,
    "graph": growth.build_times,
    # Figures 5 and 10.
    "sheets": sheets.draw,
}


def main(
    parts: Annotated[tuple[str, ...], tyro.conf.arg(help=f"of {', '.join(PARTS)}")] = tuple(PARTS),
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4),
    folder: Path = ROOT / "runs" / "plan2vec",
    quick: bool = False,
) -> None:
    """Writes what has no results file yet below benchmarks/results/plan2vec, and docs/plan2vec.

    Args:
        parts: which tables and figures.
        seeds: of data, training and trials.
        folder: training state; a stopped run continues.
        quick: little of everything, results and pictures below runs/: that it runs, no measurement.
    """
    require_known(parts, PARTS)
    if quick:
        seeds, folder = (0,), folder.with_name(f"{folder.name}_quick")
    experiment = Experiment(seeds, folder, quick)
    for part in parts:
        PARTS[part](experiment)


if __name__ == "__main__":
    tyro.cli(main)
