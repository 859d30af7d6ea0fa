"""Every objective of representation learning on every task for equal compute; resumable."""

from pathlib import Path
from typing import Literal

import tyro

from benchmarks.destination import ROOT
from benchmarks.representation.control import TASK as CONTROLLED
from benchmarks.representation.control import control
from benchmarks.representation.entries import entries_of, every_entry
from benchmarks.representation.experiment import USUAL_FLOPS, Experiment
from benchmarks.representation.judge import draw_distractors, judge
from benchmarks.representation.pictures import write_page
from benchmarks.representation.time_ratio import PSRL, time_ratio

TASKS = ("franka_drawer", "sawyer_push1", "sawyer_push3")
Part = Literal["probes", "time_ratio", "control"]


def main(
    parts: tuple[Part, ...] = ("probes", "time_ratio", "control"),
    tasks: tuple[str, ...] = TASKS,
    objectives: tuple[str, ...] = (),
    controlled: tuple[str, ...] = ("none", PSRL),
    flops: float = USUAL_FLOPS,
    episodes: int = 2000,
    folder: Path = ROOT / "runs" / "representation",
    data_folders: tuple[Path, ...] = (),
    quick: bool = False,
) -> None:
    """Writes what has no results file yet below benchmarks/results/representation, and pictures to
    docs/representation.

    Args:
        parts: probes: how well arm and objects are read; time_ratio: the time of an update with
            PSRL beside the world model; control: goals reached with three blocks.
        tasks: of probes.
        objectives: of probes; all if left out, and beside them none, the world model alone, and
            random, an untrained encoder. NAME+world_model: beside the world model, NAME also
            psrl_lightly, psrl_first and psrl_jittered: PSRL in other ways (ways.py).
        controlled: of control: none, and objectives beside the world model.
        flops: of training an encoder; by default half a minute of one core. Results of another
            compute have names of their own.
        episodes: random episodes, of which the last 100 are judged by.
        folder: training states, checkpoints, and datasets where data_folders lack them.
        data_folders: where there may be datasets already, as TASK.zarr and TASK.side.zarr.
        quick: a few episodes and updates, results below runs/: that it runs, no measurement.
    """
    experiment = Experiment(episodes, 100, 300, flops, folder, data_folders, quick)
    if quick:
        folder = folder.with_name(f"{folder.name}_quick")
        experiment = Experiment(8, 3, 5, 3e10, folder, data_folders, quick)
    # All names are looked up before anything is trained.
    probed = tasks if "probes" in parts else ()
    judged = {task: entries_of(task, objectives or every_entry()) for task in probed}
    tried = entries_of(CONTROLLED, controlled if "control" in parts else ())
    for task, entries in judged.items():
        draw_distractors(experiment, task)
        for entry in entries:
            judge(experiment, task, entry)
        print(write_page(quick))
    if "time_ratio" in parts:
        time_ratio(experiment)
    for entry in tried:
        control(experiment, entry)


if __name__ == "__main__":
    tyro.cli(main)
