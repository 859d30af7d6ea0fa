"""The demonstration: a simulated arm reaches goal pictures through the real ROS 2 nodes."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from latentplan_ros.bringup.client import ClientError, GraphClient
from latentplan_ros.bringup.environment import ros_environment
from latentplan_ros.bringup.graphs import Entry, Options, graph
from latentplan_ros.bringup.runner import Runner
from latentplan_ros.bringup.trial import Moment, Trial
from latentplan_ros.control.profile import load_profile
from latentplan_ros.data.preprocess import Preprocess
from latentplan_ros.evaluation.evaluate import success_figures, table
from latentplan_ros.evaluation.film import frame
from latentplan_ros.evaluation.outcome import Outcome
from latentplan_ros.evaluation.report import write_report
from latentplan_ros.evaluation.results import write_results
from latentplan_ros.sim.environment import Environment
from latentplan_ros.sim.goals import FIRST_GOAL_SEED, Goal, goal_kinds, make_goal
from latentplan_ros.sim.task import Task
from latentplan_ros.sim.tasks import make_task

SEED = FIRST_GOAL_SEED + 1  # the benchmark's goals are others
STEPS = 50
ENOUGH = 0.8  # of the goals, for exit status 0
FILM_SIZE = 128


class DemoError(RuntimeError):
    """The demo could not run to its end; the message says which node's log to read."""


def run_demo(
    task: str = "franka_drawer",
    goals: int = 10,
    out: Path = Path("runs/demo"),
    checkpoint: Path | None = None,
) -> int:
    """Starts the ``reach`` graph on the simulated arm and tries the goals one after another.

    Goals are shared evenly between the kinds that the task has. Writes report.html, results.json
    and nodes.log. Returns 0 where at least 8 of 10 are reached, else 1. Raises GraphError,
    TaskError, and DemoError where a node does not do its part.
    """
    console, simulated = Console(), make_task(task)
    options = Options(
        robot=simulated.profile, task=task, checkpoint="" if checkpoint is None else str(checkpoint)
    )
    entries = [_held(entry) for entry in graph("reach", options)]
    period = load_profile(simulated.profile).action.period_s
    out.mkdir(parents=True, exist_ok=True)
    log_path = out / "nodes.log"
    console.print(f"Starting {', '.join(e.name for e in entries)}; they write to {log_path}")
    with (
        log_path.open("w") as log,
        Runner(entries, environment=ros_environment(), say=_logger(log.write)) as runner,
        GraphClient() as client,
    ):
        try:
            drawn = _draw(simulated, goals, console)
            outcomes = _try_all(client, simulated, drawn, out, period, console)
        except ClientError as error:
            status = runner.check()
            why = "" if status is None else f"; a node ended with status {status}"
            raise DemoError(f"{error}{why}; see {log_path}") from None
    figures = success_figures(task, "model", outcomes)
    write_results(
        out / "results.json",
        {f"demo/{name}": figure for name, figure in figures.items()},
        seeds=[SEED],
        settings={"task": task, "goals": goals, "steps": STEPS, "through": "ROS 2 nodes"},
        outcomes=outcomes,
    )
    report = out / "report.html"
    write_report(
        report,
        outcomes,
        f"{task.replace('_', ' ')} through ROS 2",
        f"{STEPS * period:.0f} s a try; sim_bridge, arm, planner and goal as separate processes",
    )
    reached = sum(outcome.success for outcome in outcomes)
    enough = reached >= math.ceil(ENOUGH * len(outcomes))
    console.print(table(outcomes))
    colour = "green" if enough else "red"
    console.print(f"[{colour}]{reached} of {len(outcomes)} reached[/]  {report}", soft_wrap=True)
    return 0 if enough else 1


def _held(entry: Entry) -> Entry:
    """The planner waits for the first goal; everything else starts as it always does."""
    if entry.executable != "planner":
        return entry
    return replace(entry, parameters=entry.parameters | {"autostart": False})


def _draw(task: Task, count: int, console: Console) -> list[Goal]:
    """The goals, shared evenly between the kinds, while the nodes start."""
    kinds = goal_kinds(task)
    shares = [len(range(i, count, len(kinds))) for i in range(len(kinds))]
    environment = Environment(task)
    try:
        with console.status(f"drawing {count} goals"):
            return [
                make_goal(environment, kind, SEED, index)
                for kind, share in zip(kinds, shares, strict=True)
                for index in range(share)
            ]
    finally:
        environment.close()


def _try_all(
    client: GraphClient,
    task: Task,
    goals: Sequence[Goal],
    out: Path,
    period: float,
    console: Console,
) -> list[Outcome]:
    trial, outcomes = Trial(client), []
    (out / "goals").mkdir(exist_ok=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(30),
        TextColumn("{task.fields[news]}"),
        TimeElapsedColumn(),
        console=console,
    ) as progress:
        for number, goal in enumerate(goals, 1):
            title = f"{number:2} {goal.kind}"
            bar = progress.add_task(title, total=STEPS + 1, news="setting up")
            picture = (out / "goals" / f"{goal.kind}_{goal.index}.png").absolute()
            cv2.imwrite(str(picture), goal.image[..., ::-1])
            trial.prepare(goal.kind, goal.seed, goal.index, picture, goal.start_truth)
            watch = _watcher(task, goal, progress, bar)
            moments = trial.run(STEPS * period, period, watch)
            outcome = _outcome(task, goal, moments, trial.plan_ms)
            outcomes.append(outcome)
            verdict = "[green]reached[/]" if outcome.success else "[red]missed[/] "
            span = f"{outcome.start_error_m * 100:4.1f} cm to {outcome.final_error_m * 100:4.1f} cm"
            progress.update(bar, news=f"{verdict} {span}")
            progress.stop_task(bar)
            if not console.is_terminal:  # there the bars show only when all is over
                console.print(f"{title} {verdict} {span}")
    return outcomes


def _watcher(task: Task, goal: Goal, progress: Progress, bar: TaskID) -> Callable[[Moment], None]:
    def show(moment: Moment) -> None:
        error = task.error_m(moment.truth, goal.truth)
        progress.update(bar, advance=1, news=f"{error * 100:4.1f} cm from the goal")

    return show


def _outcome(task: Task, goal: Goal, moments: Sequence[Moment], plan_ms: float | None) -> Outcome:
    target = _square(goal.image)
    blank = np.zeros_like(target)
    film = [
        frame(_square(m.picture), target, blank if m.imagined is None else m.imagined)
        for m in moments
    ]
    return Outcome(
        index=goal.index,
        seed=goal.seed,
        kind=goal.kind,
        threshold_m=task.threshold_m,
        errors_m=[task.error_m(m.truth, goal.truth) for m in moments],
        plan_ms=plan_ms,
        film=np.stack(film),
    )


def _square(picture: np.ndarray) -> np.ndarray:
    """The part of a camera picture that the network sees, at the film's size."""
    return Preprocess(FILM_SIZE).apply(picture)


def _logger(write: Callable[[str], object]) -> Callable[[str, str], None]:
    def say(name: str, line: str) -> None:
        write(f"{name} | {line}\n")

    return say
