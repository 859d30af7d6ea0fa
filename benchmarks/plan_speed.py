"""Milliseconds from a picture to an action at the paper's planner settings, on two cores."""

import time
from collections.abc import Callable
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
WARM_UP = 10
GEMM = 1024  # of two square matrices; larger ones are no faster here
TDMPC2 = {"samples": 512, "iterations": 6, "horizon": 3, "elites": 64, "moments": 1}


def in_turns(work: dict[str, Callable[[int], object]], count: int) -> dict[str, list[float]]:
    """Milliseconds of each, one after the other: what the machine does meanwhile meets all."""
    times: dict[str, list[float]] = {name: [] for name in work}
    for index in range(WARM_UP + count):
        for name, do in work.items():
            begin = time.perf_counter()
            do(index)
            times[name].append((time.perf_counter() - begin) * 1e3)
    return {name: taken[WARM_UP:] for name, taken in times.items()}


def pictures(task: str) -> np.ndarray:
    """Of one random episode, ``uint8 [31,64,64,3]``."""
    environment = Environment(make_task(task))
    images = random_episode(environment, SEED, 0).image
    environment.close()
    return images


def acting(controller: Controller, images: np.ndarray) -> Callable[[int], object]:
    """A plan towards the last picture, from the others one after another."""
    controller.set_goal(images[-1])
    return lambda index: controller.act(images[index % len(images)])


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
        plans: plans timed, after some that warm up.
        checkpoint: the shipped one if left out.
        quick: 20 plans, results below runs/.
    """
    plans = 20 if quick else plans
    torch.set_num_threads(THREADS)
    model = load_checkpoint(checkpoint or resource(f"checkpoints/{task}.safetensors"))
    planner = CEM(model.header.exploration_std)
    images = pictures(task)
    plan = acting(Controller(model, planner), images)
    short = acting(Controller(model, MPPI(model.header.exploration_std, **TDMPC2)), images)
    a, b = torch.randn(2, GEMM, GEMM)
    taken = in_turns({"plan": plan, "tdmpc2": short, "gemm": lambda _: torch.mm(a, b)}, plans)
    times = taken["plan"]
    with FlopCounterMode(display=False) as counter:
        plan(0)
    operations, rate = counter.get_total_flops(), 2 * GEMM**3 / np.median(taken["gemm"]) * 1e3
    bound = operations / rate * 1e3
    figures = {
        "plan_ms/cpu2/default": Figure.median(times, "ms"),
        "plan_ms/cpu2/default_p99": Figure.percentile(times, 99, "ms"),
        "plan_ms/cpu2/tdmpc2": Figure.median(taken["tdmpc2"], "ms"),
        "plan_roofline/cpu2": Figure(bound / float(np.median(times)), "fraction", plans),
    }
    print(f"{np.median(times):.1f} ms median, {np.percentile(times, 99):.1f} ms 99th percentile")
    print(f"{np.median(taken['tdmpc2']):.1f} ms as TD-MPC2 plans")
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
        raw={"milliseconds": taken, "flop": operations, "gemm_flop_per_s": rate},
    )


if __name__ == "__main__":
    tyro.cli(main)
