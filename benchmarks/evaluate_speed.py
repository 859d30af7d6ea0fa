"""Evaluation of many goals side by side against one at a time, on two cores."""

import time
from pathlib import Path

import numpy as np
import torch
import tyro

from benchmarks.destination import results_file
from benchmarks.drawer import TASK, try_all
from latentplan_ros.evaluation.methods import make_policy
from latentplan_ros.evaluation.results import Figure, write_results
from latentplan_ros.evaluation.run import make_goals
from latentplan_ros.models.checkpoint import load_checkpoint
from latentplan_ros.resources import resource
from latentplan_ros.sim.goals import FIRST_GOAL_SEED
from latentplan_ros.sim.tasks import make_task

BATCHES = (1, 10)
THREADS = 2


def main(
    goals: int = 10,
    steps: int = 25,
    repeats: int = 3,
    checkpoint: Path | None = None,
    quick: bool = False,
) -> None:
    """Writes evaluate_ratio/batched: the speed ten at a time over that one at a time.

    Args:
        goals: of the drawer, tried in each run.
        steps: control steps a try.
        repeats: runs of each, taking turns.
        checkpoint: the shipped one if left out.
        quick: two goals, two steps, once, results below runs/.
    """
    if quick:
        goals, steps, repeats = 2, 2, 1
    torch.set_num_threads(THREADS)
    model = load_checkpoint(checkpoint or resource(f"checkpoints/{TASK}.safetensors"))
    drawn = make_goals(make_task(TASK), "open", goals, FIRST_GOAL_SEED)
    seconds: dict[int, list[float]] = {batch: [] for batch in BATCHES}
    for _ in range(repeats):
        for batch in BATCHES:
            begin = time.perf_counter()
            try_all(make_policy("model", model), drawn, steps, f"{batch} at a time", batch)
            seconds[batch].append(time.perf_counter() - begin)
    one, many = (float(np.median(seconds[batch])) for batch in BATCHES)
    print(f"{one:.1f} s one at a time, {many:.1f} s ten at a time: {one / many:.2f} times as fast")
    write_results(
        results_file("evaluate_speed", quick),
        {"evaluate_ratio/batched": Figure(one / many, "times", repeats)},
        seeds=[FIRST_GOAL_SEED],
        settings={"task": TASK, "goals": goals, "steps": steps, "threads": THREADS},
        raw={"seconds": {str(batch): taken for batch, taken in seconds.items()}},
    )


if __name__ == "__main__":
    tyro.cli(main)
