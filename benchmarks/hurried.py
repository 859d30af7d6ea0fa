"""What a planner is worth that is short of time: the drawer with fewer samples or iterations."""

from dataclasses import replace
from pathlib import Path

import torch
import tyro

from benchmarks.destination import results_file
from benchmarks.drawer import TASK, try_all
from latentplan_ros.evaluation.policies import PlanningPolicy
from latentplan_ros.evaluation.results import Figure, write_results
from latentplan_ros.evaluation.run import STEPS, make_goals
from latentplan_ros.models.checkpoint import load_checkpoint
from latentplan_ros.planning import CEM, BatchController
from latentplan_ros.resources import resource
from latentplan_ros.sim.tasks import make_task

SEED = 1_000_002  # neither the demo's goals nor those of the success figures
SEARCHES = ((200, 3), (200, 2), (200, 1), (100, 3), (50, 3))  # samples, iterations


def main(
    goals: int = 30, steps: int = STEPS, checkpoint: Path | None = None, quick: bool = False
) -> None:
    """Writes hurried/franka_drawer/<samples>x<iterations>, over goals of both kinds.

    Args:
        goals: goals of each kind.
        steps: control steps a try.
        checkpoint: the shipped one if left out.
        quick: one goal of each kind, five steps, results below runs/.
    """
    if quick:
        goals, steps = 1, 5
    torch.set_num_threads(2)
    model = load_checkpoint(checkpoint or resource(f"checkpoints/{TASK}.safetensors"))
    task, full = make_task(TASK), CEM(model.header.exploration_std)
    drawn = [goal for kind in task.goal_kinds for goal in make_goals(task, kind, goals, SEED)]
    figures, outcomes = {}, []
    for samples, iterations in SEARCHES:
        name = f"{samples}x{iterations}"
        planner = replace(full, samples=samples, iterations=iterations)
        policy = PlanningPolicy(BatchController(model, planner))
        tried = try_all(policy, drawn, steps, 10, False, name)
        figures[f"hurried/{TASK}/{name}"] = figure = Figure.success(tried)
        outcomes += tried
        print(f"{name:6} {figure.value:.2f} [{figure.low:.2f}, {figure.high:.2f}]")
    write_results(
        results_file("hurried", quick),
        figures,
        seeds=[SEED],
        settings={"goals_of_each_kind": goals, "steps": steps, "searches": list(SEARCHES)},
        outcomes=outcomes,
    )


if __name__ == "__main__":
    tyro.cli(main)
