"""MBOLD's comparisons (Figures 3, 5 and 7): every method on every task, over seeds; resumable."""

import json
from pathlib import Path

import numpy as np
import torch
import tyro

from benchmarks.destination import ROOT, results_file
from benchmarks.drawer import try_all
from latentplan_ros.evaluation.evaluate import success_figures
from latentplan_ros.evaluation.methods import Method, make_policy
from latentplan_ros.evaluation.outcome import Outcome
from latentplan_ros.evaluation.results import Figure, write_results
from latentplan_ros.evaluation.run import STEPS, make_goals
from latentplan_ros.learning.train import Recipe, load_recipe, train
from latentplan_ros.models.checkpoint import load_checkpoint
from latentplan_ros.sim.collect import collect
from latentplan_ros.sim.tasks import make_task

GOAL_SEED = 1_000_000
# What is compared: (what is trained, how it acts).
COMPARED: dict[str, tuple[str, Method]] = {
    "mbold": ("mbold", "model"),
    "icem": ("mbold", "icem"),
    "mppi": ("mbold", "mppi"),
    "gradient": ("mbold", "gradient"),
    "pixel_l2": ("mbold", "pixel_l2"),
    "random": ("mbold", "random"),
    "actor": ("mbold", "actor"),
    "temporal": ("temporal", "model"),
    "gcivl": ("gcivl", "model"),
    "iqe": ("iqe", "model"),
    "vae_l2": ("vae_l2", "model"),
    "latent_l2": ("latent_l2", "model"),
    "gcbc": ("gcbc", "gcbc"),
    "q_policy": ("q_policy", "q_policy"),
    "sorb": ("sorb", "sorb"),
    "rig": ("rig", "rig"),
    "dreamer": ("dreamer", "dreamer"),
}
TASKS = ("sawyer_reach", "sawyer_push1", "sawyer_push3", "franka_door")


def trained(task: str, method: str, seed: int, folder: Path, episodes: int, recipe: Recipe) -> Path:
    """The checkpoint, trained where it is missing; methods of one seed share a world model."""
    checkpoint = folder / f"{task}.{method}.{seed}.safetensors"
    if not checkpoint.exists():
        data = folder / f"{task}.zarr"
        collect(task, episodes, data)
        train(method, data, checkpoint, recipe, seed, folder=folder / f"{task}.{seed}.training")
    return checkpoint


def tried(task: str, checkpoint: Path, method: Method, goals: int, steps: int) -> list[Outcome]:
    simulated = make_task(task)
    policy = make_policy(method, load_checkpoint(checkpoint))
    drawn = [
        goal
        for kind in simulated.goal_kinds
        for goal in make_goals(simulated, kind, goals, GOAL_SEED)
    ]
    return try_all(policy, drawn, steps, f"{task} {method}", task=task)


def spread(outcomes: list[list[Outcome]]) -> dict[str, dict[str, float]]:
    """Mean and standard deviation over seeds of each kind's success rate."""
    kinds = dict.fromkeys(outcome.kind for outcome in outcomes[0])
    rates = {
        kind: [np.mean([o.success for o in group if o.kind == kind]) for group in outcomes]
        for kind in kinds
    }
    return {
        kind: {"mean": float(np.mean(values)), "std": float(np.std(values))}
        for kind, values in rates.items()
    }


def main(
    tasks: tuple[str, ...] = TASKS,
    compared: tuple[str, ...] = tuple(COMPARED),
    seeds: tuple[int, ...] = (0,),
    goals: int = 100,
    episodes: int = 10_000,
    folder: Path = ROOT / "runs" / "mbold",
    quick: bool = False,
) -> None:
    """Writes success/<task>[/<compared>] for each task and method that has no results file yet.

    Args:
        tasks: which tasks.
        compared: which methods.
        seeds: of training; goals are the same for all.
        goals: goals of each kind.
        episodes: random episodes to learn from.
        folder: datasets, training state and checkpoints.
        quick: a few episodes, updates and goals, results below runs/: that it runs, no measurement.
    """
    steps = STEPS
    if quick:
        goals, episodes, steps, folder = 1, 12, 3, folder.with_name("mbold_quick")
    torch.set_num_threads(2)
    for task in tasks:
        recipe = load_recipe(ROOT / "benchmarks" / "quick.yaml" if quick else task)
        for name in compared:
            file = results_file(f"mbold/{task}.{name}", quick)
            known = json.loads(file.read_text())["seeds"] if file.exists() else []
            if set(seeds) <= set(known) and not quick:
                continue
            learnt, method = COMPARED[name]
            outcomes = [
                tried(
                    task,
                    trained(task, learnt, seed, folder, episodes, recipe),
                    method,
                    goals,
                    steps,
                )
                for seed in seeds
            ]
            figures = named(task, name, [o for group in outcomes for o in group])
            write_results(
                file,
                figures,
                seeds=list(seeds),
                settings={
                    "task": task,
                    "method": name,
                    "goal_seed": GOAL_SEED,
                    "goals_of_each_kind": goals,
                    "episodes": episodes,
                    "steps": steps,
                },
                outcomes=[o for group in outcomes for o in group],
                raw={"over_seeds": spread(outcomes)},
            )
            for figure, value in figures.items():
                print(f"{figure:40} {value.value:.2f} [{value.low:.2f}, {value.high:.2f}]")


def named(task: str, name: str, outcomes: list[Outcome]) -> dict[str, Figure]:
    """The figures as success_figures names them; mbold has no ending."""
    own = success_figures(task, "model", outcomes)
    return own if name == "mbold" else {f"{key}/{name}": value for key, value in own.items()}


if __name__ == "__main__":
    tyro.cli(main)
