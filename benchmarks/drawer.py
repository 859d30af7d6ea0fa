"""Success at opening and closing the drawer: MBOLD, the same model with pixel l2, random."""

from pathlib import Path

import tyro
from rich.progress import Progress

from benchmarks.destination import results_file
from benchmarks.shipped import shipped_method
from latentplan_ros.evaluation.evaluate import success_figures
from latentplan_ros.evaluation.methods import Method, make_policy
from latentplan_ros.evaluation.outcome import Outcome
from latentplan_ros.evaluation.policies import Policy
from latentplan_ros.evaluation.report import write_report
from latentplan_ros.evaluation.results import write_results
from latentplan_ros.evaluation.run import STEPS, evaluate, make_goals
from latentplan_ros.models.checkpoint import load_checkpoint
from latentplan_ros.resources import resource
from latentplan_ros.sim.goals import Goal
from latentplan_ros.sim.task import Task
from latentplan_ros.sim.tasks import make_task

TASK = "franka_drawer"
SEED = 1_000_000


def try_all(
    policy: Policy,
    goals: list[Goal],
    steps: int,
    title: str,
    batch: int = 10,
    films: bool = False,
    task: Task | None = None,
) -> list[Outcome]:
    """Every goal once, with a progress bar."""
    with Progress() as progress:
        bar = progress.add_task(title, total=len(goals))
        return evaluate(
            policy,
            task or make_task(TASK),
            goals,
            steps,
            batch,
            films,
            on_outcome=lambda _: progress.advance(bar),
        )


def main(
    methods: tuple[Method, ...] = ("model", "pixel_l2", "random"),
    goals: int = 100,
    steps: int = STEPS,
    replan_every: int = 1,
    batch: int = 10,
    checkpoint: Path | None = None,
    report: bool = False,
    quick: bool = False,
) -> None:
    """Writes success/franka_drawer_open and _close, /pixel_l2 and /random for those methods.

    A checkpoint with another distance than the best one's is named after it: .../mbold.

    Args:
        methods: what to try.
        goals: goals of each kind.
        steps: control steps a try.
        replan_every: actions executed of each plan.
        batch: tries side by side.
        checkpoint: MBOLD's if left out.
        report: also write runs/benchmarks/drawer_<method>.html with a film of each try.
        quick: two goals of each kind, ten steps, results below runs/.
    """
    if quick:
        goals, steps = 2, 10
    checkpoint = checkpoint or resource(f"checkpoints/{TASK}.safetensors")
    model, task = load_checkpoint(checkpoint), make_task(TASK)
    drawn = {kind: make_goals(task, kind, goals, SEED) for kind in task.goal_kinds}
    every = [goal for group in drawn.values() for goal in group]
    for method in methods:
        policy = make_policy(method, model, replan_every)
        outcomes = try_all(policy, every, steps, f"{TASK} {method}", batch, report)
        other = method == "model" and model.header.method != shipped_method(TASK)
        name = model.header.method if other else method
        figures = success_figures(TASK, name, outcomes)
        for title, figure in figures.items():
            print(f"{title:40} {figure.value:.2f} [{figure.low:.2f}, {figure.high:.2f}]")
        write_results(
            results_file(f"drawer_{name}", quick),
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
            path = results_file(f"drawer_{name}", quick=True).with_suffix(".html")
            write_report(path, outcomes, f"Franka drawer, {method}", f"{steps} steps a try")


if __name__ == "__main__":
    tyro.cli(main)
