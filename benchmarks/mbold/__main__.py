"""MBOLD's simulated experiments: Figures 3, 5, 7 and 8, Tables 1, 5 and 6; resumable."""

from pathlib import Path
from typing import Literal

import tyro

from benchmarks.destination import ROOT, results_file
from benchmarks.mbold.arm_match import match
from benchmarks.mbold.compared import COMPARED, TASKS, compare
from benchmarks.mbold.experiment import NO_NEGATIVES, Experiment
from benchmarks.mbold.horizons import HORIZONS, look_ahead
from benchmarks.mbold.horizons import TASKS as SEEN_AHEAD
from benchmarks.mbold.plots import draw
from benchmarks.mbold.resets import restrict
from benchmarks.names import require_known
from latentplan_ros.evaluation.run import STEPS
from latentplan_ros.learning.trainer import TrainingError
from latentplan_ros.sim.task import TaskError
from latentplan_ros.sim.tasks import make_task

PLOTS = ROOT / "docs" / "mbold"
Part = Literal["compared", "horizons", "resets", "arm_match"]


def main(
    parts: tuple[Part, ...] = ("compared", "horizons", "resets", "arm_match"),
    tasks: tuple[str, ...] = TASKS,
    compared: tuple[str, ...] = tuple(COMPARED),
    seeds: tuple[int, ...] = (0,),
    goals: int = 100,
    episodes: int = 10_000,
    folder: Path = ROOT / "runs" / "mbold",
    quick: bool = False,
    shipped: bool = False,
) -> None:
    """Writes what has no results file yet below benchmarks/results/mbold, and plots to docs/mbold.

    Args:
        parts: compared: Figures 3, 5, 7 and Table 1; horizons: Figure 8; resets: Table 5;
            arm_match: Table 6.
        tasks: of compared and horizons.
        compared: which methods.
        seeds: of training; goals are the same for all.
        goals: goals of each kind.
        episodes: random episodes to learn from.
        folder: datasets, training state and checkpoints.
        quick: a few episodes, updates and goals, results below runs/: that it runs, no measurement.
        shipped: train each method on the world model of the task's shipped checkpoint: minutes.
    """
    require_known(compared, COMPARED)
    steps = STEPS
    if quick:
        goals, episodes, steps, folder = 1, 12, 3, folder.with_name(f"{folder.name}_quick")
    experiment = Experiment(seeds, goals, episodes, steps, folder, quick, shipped)
    try:
        for task in tasks:
            make_task(task)  # a name that is none is told before anything is trained
        _run(experiment, parts, tasks, compared)
    except (TaskError, TrainingError) as error:
        raise SystemExit(str(error)) from None
    results = results_file("mbold/x", quick).parent
    for plot in draw(results, results if quick else PLOTS):
        print(plot)


def _run(
    experiment: Experiment,
    parts: tuple[Part, ...],
    tasks: tuple[str, ...],
    compared: tuple[str, ...],
) -> None:
    if "compared" in parts:
        for task in tasks:
            for name in compared:
                compare(experiment, task, name)
    if "horizons" in parts:
        for task in (task for task in tasks if task in SEEN_AHEAD):
            for horizon in HORIZONS:
                look_ahead(experiment, task, horizon)
    if "resets" in parts:
        restrict(experiment)
    if "arm_match" in parts:
        for learnt in ("mbold", NO_NEGATIVES):
            match(experiment, learnt)


if __name__ == "__main__":
    tyro.cli(main)
