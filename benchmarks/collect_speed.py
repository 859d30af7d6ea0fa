"""Frames a second that one core collects: physics, rendering, area resize, random policy."""

import os
import time

import numpy as np
import tyro

from benchmarks.destination import results_file
from latentplan_ros.evaluation.results import Figure, write_results
from latentplan_ros.sim.collect import random_episode
from latentplan_ros.sim.environment import Environment
from latentplan_ros.sim.tasks import TASKS, make_task

SEED = 0


def main(
    tasks: tuple[str, ...] = tuple(sorted(TASKS)), episodes: int = 40, quick: bool = False
) -> None:
    """Writes collect_fps/core/<task>.

    Args:
        tasks: task names.
        episodes: episodes timed a task, after one that warms up.
        quick: two episodes, results below runs/.
    """
    episodes = 2 if quick else episodes
    # Software rendering would spread over every core; one core is what is counted.
    core = min(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    os.environ["LP_NUM_THREADS"] = "0"
    figures, raw = {}, {}
    for task in tasks:
        environment = Environment(make_task(task))
        random_episode(environment, SEED, 0)
        rates = []
        for index in range(1, episodes + 1):
            begin = time.perf_counter()
            frames = len(random_episode(environment, SEED, index))
            rates.append(frames / (time.perf_counter() - begin))
        environment.close()
        figures[f"collect_fps/core/{task}"] = Figure.median(rates, "frames/s")
        raw[task] = rates
        print(f"{task:16} {np.median(rates):6.0f} frames/s on one core")
    write_results(
        results_file("collect_speed", quick),
        figures,
        seeds=[SEED],
        settings={"episodes": episodes},
        raw={"frames_per_s": raw},
    )


if __name__ == "__main__":
    tyro.cli(main)
