"""Checkpoint x goals to results and report: what the ``evaluate`` verb does."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table

from latentplan_ros.control.profile import load_profile
from latentplan_ros.evaluation.methods import Method, make_policy
from latentplan_ros.evaluation.outcome import Outcome
from latentplan_ros.evaluation.report import write_report
from latentplan_ros.evaluation.results import Figure, write_results
from latentplan_ros.evaluation.run import STEPS, evaluate, make_goals
from latentplan_ros.models.checkpoint import load_checkpoint
from latentplan_ros.models.video_world_model import VideoWorldModel
from latentplan_ros.sim.goals import FIRST_GOAL_SEED, goal_kinds
from latentplan_ros.sim.tasks import make_task


def evaluate_checkpoint(
    checkpoint: Path,
    out: Path,
    task: str = "",
    goals: int = 20,
    seed: int = FIRST_GOAL_SEED,
    steps: int = STEPS,
    replan_every: int = 1,
    method: Method = "model",
    device: str = "cpu",
) -> list[Outcome]:
    """Tries the checkpoint on that many goals of each kind; writes results.json and report.html.

    task: the one it was trained for if empty. Raises CheckpointError where the task's robot or
    camera is not the checkpoint's, TaskError, PlanningError.
    """
    model = load_checkpoint(checkpoint, device)
    simulated = make_task(task or model.header.task)
    model.header.require(load_profile(simulated.profile), simulated.camera)
    policy = make_policy(method, model, replan_every, device)
    drawn = [g for kind in goal_kinds(simulated) for g in make_goals(simulated, kind, goals, seed)]
    columns = (*Progress.get_default_columns()[:-1], MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        bar = progress.add_task(f"{simulated.name} {method}", total=len(drawn))
        outcomes = evaluate(
            policy,
            simulated,
            drawn,
            steps,
            # What a search imagines in pictures is hundreds of megabytes.
            batch=1 if isinstance(model, VideoWorldModel) else 10,
            films=True,
            on_outcome=lambda _: progress.advance(bar),
        )
    figures = success_figures(simulated.name, method, outcomes)
    write_results(
        out / "results.json",
        figures,
        seeds=[seed],
        settings={
            "checkpoint": str(checkpoint),
            "task": simulated.name,
            "method": method,
            "goals_of_each_kind": goals,
            "steps": steps,
            "replan_every": replan_every,
        },
        outcomes=outcomes,
    )
    write_report(
        out / "report.html",
        outcomes,
        f"{simulated.name.replace('_', ' ')}, {method}",
        f"{checkpoint.name}, {steps} steps a try, planning every {replan_every}",
    )
    Console().print(table(outcomes), f"{out / 'report.html'}")
    return outcomes


def success_figures(task: str, method: str, outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """success/<task>_<kind>, or success/<task> for regular goals and where the task ends so;
    then /<method> unless model.
    """
    ending = "" if method == "model" else f"/{method}"
    figures = {}
    for kind in dict.fromkeys(outcome.kind for outcome in outcomes):
        plain = kind == "regular" or task.endswith(kind)
        group = [outcome for outcome in outcomes if outcome.kind == kind]
        figures[f"success/{task if plain else f'{task}_{kind}'}{ending}"] = Figure.success(group)
    return figures


def table(outcomes: Sequence[Outcome]) -> Table:
    """What a terminal shows of the outcomes: one row a kind of goal."""
    rows = Table(caption="errors and times are medians")
    for title in ("goals", "reached", "95 % interval", "final error", "plan"):
        rows.add_column(title, no_wrap=True)
    for kind in dict.fromkeys(outcome.kind for outcome in outcomes):
        group = [outcome for outcome in outcomes if outcome.kind == kind]
        figure = Figure.success(group)
        times = [outcome.plan_ms for outcome in group if outcome.plan_ms is not None]
        rows.add_row(
            kind,
            f"{sum(o.success for o in group)} of {len(group)}",
            f"{figure.low:.0%} to {figure.high:.0%}",
            f"{np.median([o.final_error_m for o in group]) * 100:.1f} cm",
            f"{np.median(times):.0f} ms" if times else "no plans",
        )
    return rows
