"""What each change to MBOLD's planner is worth on the drawer: all of them, and all but one."""

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
from latentplan_ros.models.q_distance import QDistance
from latentplan_ros.planning import CEM, BatchController
from latentplan_ros.resources import resource
from latentplan_ros.sim.tasks import make_task

SEED = 1_000_002  # neither the demo's goals nor those of the success figures


def main(
    goals: int = 30, steps: int = STEPS, checkpoint: Path | None = None, quick: bool = False
) -> None:
    """Writes ablation/franka_drawer/<change that is missing>, over goals of both kinds.

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
    assert isinstance(model.head, QDistance)
    task, full, nearness = make_task(TASK), CEM(model.header.exploration_std), model.head.nearness
    drawn = [goal for kind in task.goal_kinds for goal in make_goals(task, kind, goals, SEED)]
    variants = {
        "none": (full, nearness),
        "moments": (replace(full, moments=1), nearness),
        "reluctance": (replace(full, reluctance=0.0), nearness),
        "nearness": (full, 0.0),
        "all": (replace(full, moments=1, reluctance=0.0), 0.0),
    }
    figures, outcomes = {}, []
    for name, (planner, slope) in variants.items():
        model.head.nearness = slope
        policy = PlanningPolicy(BatchController(model, planner))
        tried = try_all(policy, drawn, steps, 10, False, f"without {name}")
        figures[f"ablation/{TASK}/{name}"] = figure = Figure.success(tried)
        outcomes += tried
        print(f"without {name:12} {figure.value:.2f} [{figure.low:.2f}, {figure.high:.2f}]")
    write_results(
        results_file("drawer_ablations", quick),
        figures,
        seeds=[SEED],
        settings={"goals_of_each_kind": goals, "steps": steps, "variants": list(variants)},
        outcomes=outcomes,
    )


if __name__ == "__main__":
    tyro.cli(main)
