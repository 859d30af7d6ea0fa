"""Success at opening and closing the drawer: MBOLD, the same model with pixel l2, random."""

from pathlib import Path
from typing import Literal

import torch
import tyro
from rich.progress import track

from benchmarks.destination import results_file
from latentplan_ros.evaluation.policies import PlanningPolicy, Policy, RandomPolicy
from latentplan_ros.evaluation.report import write_report
from latentplan_ros.evaluation.results import Figure, write_results
from latentplan_ros.evaluation.run import STEPS, evaluate, make_goals
from latentplan_ros.models.checkpoint import load_checkpoint
from latentplan_ros.planning import CEM, BatchController, PixelDistance
from latentplan_ros.resources import resource
from latentplan_ros.sim.tasks import make_task

TASK = "franka_drawer"
SEED = 1_000_000
Method = Literal["mbold", "pixel_l2", "random"]


def make_policy(method: Method, checkpoint: Path, replan_every: int) -> Policy:
    if method == "random":
        return RandomPolicy(make_task(TASK).exploration_std)
    model = load_checkpoint(checkpoint)
    planner = CEM(model.header.exploration_std)
    scored = PixelDistance(model) if method == "pixel_l2" else model
    return PlanningPolicy(BatchController(scored, planner, replan_every))


def main(
    methods: tuple[Method, ...] = ("mbold", "pixel_l2", "random"),
    goals: int = 100,
    steps: int = STEPS,
    replan_every: int = 1,
    batch: int = 10,
    checkpoint: Path | None = None,
    report: bool = False,
    quick: bool = False,
) -> None:
    """Writes success/franka_drawer_open and _close, with the method appended unless it is mbold.

    Args:
        methods: what to try.
        goals: goals of each kind.
        steps: control steps a try.
        replan_every: actions executed of each plan.
        batch: tries side by side.
        checkpoint: the shipped one if left out.
        report: also write runs/benchmarks/drawer_<method>.html with a film of each try.
        quick: two goals of each kind, ten steps, results below runs/.
    """
    if quick:
        goals, steps = 2, 10
    torch.set_num_threads(2)
    checkpoint = checkpoint or resource(f"checkpoints/{TASK}.safetensors")
    task = make_task(TASK)
    drawn = {kind: make_goals(task, kind, goals, SEED) for kind in task.goal_kinds}
    every = [goal for group in drawn.values() for goal in group]
    for method in methods:
        policy = make_policy(method, checkpoint, replan_every)
        outcomes = []
        for first in track(range(0, len(every), batch), description=f"{TASK} {method}"):
            group = every[first : first + batch]
            outcomes += evaluate(policy, task, group, steps, batch, films=report)
        figures = {}
        for kind in drawn:
            name = f"success/{TASK}_{kind}" + ("" if method == "mbold" else f"/{method}")
            figures[name] = Figure.success([o for o in outcomes if o.kind == kind])
            figure = figures[name]
            print(f"{name:40} {figure.value:.2f} [{figure.low:.2f}, {figure.high:.2f}]")
        write_results(
            results_file(f"drawer_{method}", quick),
            figures,
            seeds=[SEED],
            settings={
                "method": method,
                "goals_of_each_kind": goals,
                "steps": steps,
                "replan_every": replan_every,
                "batch": batch,
                "checkpoint": checkpoint.name,
            },
            outcomes=outcomes,
        )
        if report:
            path = results_file(f"drawer_{method}", quick=True).with_suffix(".html")
            write_report(path, outcomes, f"Franka drawer, {method}", f"{steps} steps a try")


if __name__ == "__main__":
    tyro.cli(main)
