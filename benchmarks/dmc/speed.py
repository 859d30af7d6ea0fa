"""How long the trainings take on this machine: ``python -m benchmarks.dmc.speed``."""

import time
from typing import Literal

import numpy as np
import torch
import tyro

from benchmarks.destination import results_file
from benchmarks.dmc.environment import Environment
from benchmarks.dmc.methods import METHODS
from benchmarks.dmc.plan import Plan
from benchmarks.dmc.replay import Replay
from benchmarks.dmc.results import PAPERS_STEPS
from benchmarks.dmc.sac import Sac
from benchmarks.dmc.tasks import EPISODE, TASKS
from latentplan_ros.evaluation.results import Figure, write_results


def main(device: Literal["cpu", "cuda"] = "cpu", updates: int = 20, quick: bool = False) -> None:
    """Writes dmc/updates_per_s/<method>, and prints the hours of a run of 100,000 steps.

    Seconds are those that this process works, on one thread, so that others on the machine count
    less.

    Args:
        device: of the updates.
        updates: that are timed, after three that warm up.
        quick: two updates, results below runs/: that it runs, no measurement.
    """
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    updates = 2 if quick else updates
    plan, figures = Plan(), {}
    environments = {name: Environment(task) for name, task in TASKS.items()}
    replay = _episode(environments["reacher"])
    for name in METHODS:
        agent, update = _update_seconds(name, replay, torch.device(device), updates)
        figures[f"dmc/updates_per_s/{name}"] = Figure(1.0 / update, "updates/s", updates)
        print(f"{name}: {1.0 / update:.2f} updates/s on {device}")
        for environment in environments.values():
            task = environment.task
            evaluations = PAPERS_STEPS // plan.evaluate_every * plan.episodes * EPISODE
            acted = _step_seconds(agent, environment, updates)
            total = (PAPERS_STEPS + evaluations) // task.repeat * acted
            total += (PAPERS_STEPS // task.repeat - plan.settings.initial_steps) * update
            print(f"  {task.title:20} {total / 3600.0:5.1f} h, {1e3 * acted:.0f} ms a step")
    write_results(results_file("dmc_speed", quick), figures, seeds=[0], settings={"device": device})


def _update_seconds(
    name: str, replay: Replay, device: torch.device, updates: int
) -> tuple[Sac, float]:
    method, settings, rng = METHODS[name], Plan().settings, np.random.default_rng(0)
    agent = method.agent(2, settings).to(device)
    optimizers, warm_up = agent.optimizers(), 3
    begun = 0.0
    for number in range(warm_up + updates):
        if number == warm_up:
            begun = time.process_time()
        batch = method.batch(replay, rng, settings.batch_size, device)
        losses = agent.update(batch, optimizers, number)
        losses["critic"].item()  # waits for a GPU
    return agent, (time.process_time() - begun) / updates


def _step_seconds(agent: Sac, environment: Environment, steps: int) -> float:
    """Looking, choosing and moving, with the repeats of the task."""
    observation = environment.reset([0])
    begun = time.process_time()
    for _ in range(steps):
        action = agent.act(observation, explore=True)
        observation, _, _ = environment.step(action[: environment.actions])
    return (time.process_time() - begun) / steps


def _episode(environment: Environment) -> Replay:
    replay, rng = Replay(EPISODE, environment.actions), np.random.default_rng(0)
    observation, over = environment.reset([0]), False
    replay.begin(observation[-1])
    while not over:
        action = rng.uniform(-1, 1, environment.actions)
        observation, reward, over = environment.step(action)
        replay.add(action, reward, observation[-1])
    return replay


if __name__ == "__main__":
    tyro.cli(main)
