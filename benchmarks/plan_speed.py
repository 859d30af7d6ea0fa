"""Milliseconds from a picture to an action at the paper's planner settings, on two cores."""

import time
from pathlib import Path

import numpy as np
import torch
import tyro
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.destination import results_file
from latentplan_ros.evaluation.results import Figure, write_results
from latentplan_ros.models.checkpoint import load_checkpoint
from latentplan_ros.planning import CEM, MPPI, Controller
from latentplan_ros.resources import resource
from latentplan_ros.sim.collect import random_episode
from latentplan_ros.sim.environment import Environment
from latentplan_ros.sim.tasks import make_task

THREADS = 2
SEED = 0
TDMPC2 = {"samples": 512, "iterations": 6, "horizon": 3, "elites": 64, "moments": 1}


def gemm_rate(size: int = 1024, repeats: int = 30) -> float:
    """Floating-point operations a second of the fastest large matrix product here."""
    a, b = torch.randn(size, size), torch.randn(size, size)
    taken = []
    for _ in range(repeats):
        begin = time.perf_counter()
        torch.mm(a, b)
        taken.append(time.perf_counter() - begin)
    return 2 * size**3 / min(taken)


def timed(controller: Controller, images: np.ndarray, plans: int, warm_up: int) -> list[float]:
    """Milliseconds of each plan after the first few."""
    times = []
    for index in range(warm_up + plans):
        begin = time.perf_counter()
        controller.act(images[index % len(images)])
        times.append((time.perf_counter() - begin) * 1e3)
    return times[warm_up:]


def main(
    task: str = "franka_drawer",
    plans: int = 300,
    checkpoint: Path | None = None,
    quick: bool = False,
) -> None:
    """Writes plan_ms/cpu2/default and its 99th percentile: 200 samples, 3 iterations, 13 steps;
    plan_roofline/cpu2, the share of that time which its multiply-adds alone would take; and
    plan_ms/cpu2/tdmpc2: MPPI with the settings of TD-MPC2, 512 samples, 6 iterations, 3 steps.

    Args:
        task: whose pictures and checkpoint to use.
        plans: plans timed, after 20 that warm up.
        checkpoint: the shipped one if left out.
        quick: 20 plans, results below runs/.
    """
    plans, warm_up = (20, 3) if quick else (plans, 20)
    torch.set_num_threads(THREADS)
    model = load_checkpoint(checkpoint or resource(f"checkpoints/{task}.safetensors"))
    planner = CEM(model.header.exploration_std)
    environment = Environment(make_task(task))
    images = random_episode(environment, SEED, 0).image
    environment.close()
    controller = Controller(model, planner, replan_every=1)
    controller.set_goal(images[-1])
    times = timed(controller, images, plans, warm_up)
    short = Controller(model, MPPI(model.header.exploration_std, **TDMPC2), replan_every=1)
    short.set_goal(images[-1])
    short_times = timed(short, images, plans, warm_up)
    with FlopCounterMode(display=False) as counter:
        controller.act(images[0])
    operations, rate = counter.get_total_flops(), gemm_rate()
    bound = operations / rate * 1e3
    figures = {
        "plan_ms/cpu2/default": Figure.median(times, "ms"),
        "plan_ms/cpu2/default_p99": Figure.percentile(times, 99, "ms"),
        "plan_ms/cpu2/tdmpc2": Figure.median(short_times, "ms"),
        "plan_roofline/cpu2": Figure(bound / float(np.median(times)), "fraction", plans),
    }
    print(f"{np.median(times):.1f} ms median, {np.percentile(times, 99):.1f} ms 99th percentile")
    print(f"{np.median(short_times):.1f} ms as TD-MPC2 plans")
    print(f"{operations / 1e9:.2f} GFLOP a plan, {rate / 1e9:.0f} GFLOP/s: {bound:.1f} ms at least")
    write_results(
        results_file("plan_speed", quick),
        figures,
        seeds=[SEED],
        settings={
            "task": task,
            "samples": planner.samples,
            "iterations": planner.iterations,
            "horizon": planner.horizon,
            "threads": THREADS,
            "replan_every": 1,
        },
        raw={
            "milliseconds": times,
            "milliseconds_tdmpc2": short_times,
            "flop": operations,
            "gemm_flop_per_s": rate,
        },
    )


if __name__ == "__main__":
    tyro.cli(main)
