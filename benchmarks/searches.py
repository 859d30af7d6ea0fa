"""The drawer tried with one search after another, on goals that no success figure uses."""

from collections.abc import Iterable
from typing import Any

from benchmarks.destination import results_file
from benchmarks.drawer import TASK, try_all
from latentplan_ros.evaluation.policies import PlanningPolicy
from latentplan_ros.evaluation.results import Figure, write_results
from latentplan_ros.evaluation.run import make_goals
from latentplan_ros.models.checkpoint import TrainedModel
from latentplan_ros.planning import CEM, BatchController
from latentplan_ros.sim.tasks import make_task

SEED = 1_000_002  # neither the demo's goals nor those of the success figures


def compare(
    file: str,
    root: str,
    model: TrainedModel,
    searches: Iterable[tuple[str, CEM]],
    goals: int,
    steps: int,
    quick: bool,
    settings: dict[str, Any],
) -> None:
    """Writes <root>/franka_drawer/<name> of each search, over ``goals`` of each kind.

    A search is drawn from ``searches`` when the one before has been tried, so that drawing it may
    change the model.
    """
    task, figures, outcomes = make_task(TASK), {}, []
    drawn = [goal for kind in task.goal_kinds for goal in make_goals(task, kind, goals, SEED)]
    for name, planner in searches:
        policy = PlanningPolicy(BatchController(model, planner))
        tried = try_all(policy, drawn, steps, name)
        figures[f"{root}/{TASK}/{name}"] = figure = Figure.success(tried)
        outcomes += tried
        print(f"{name:12} {figure.value:.2f} [{figure.low:.2f}, {figure.high:.2f}]")
    write_results(
        results_file(file, quick),
        figures,
        seeds=[SEED],
        settings={"goals_of_each_kind": goals, "steps": steps} | settings,
        outcomes=outcomes,
    )
