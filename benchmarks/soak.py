"""The whole graph on the simulated Franka for half an hour: does memory grow, is a tick missed?

The goal changes every half minute, so that the arm is on its way most of the time. Missed ticks are
the planner's own count: control periods between two actions that had none.
"""

import tempfile
import time
from itertools import cycle
from pathlib import Path

import cv2
import numpy as np
import tyro
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import Joy

from benchmarks.destination import results_file
from benchmarks.processes import private_domain, processor_seconds, reach_graph, resident_mb
from latentplan_ros.bringup.client import GraphClient
from latentplan_ros.bringup.graphs import Options
from latentplan_ros.bringup.runner import Runner
from latentplan_ros.control.profile import load_profile
from latentplan_ros.evaluation.results import Figure, write_results
from latentplan_ros.evaluation.run import make_goals
from latentplan_ros.nodes import qos
from latentplan_ros.sim.goals import FIRST_GOAL_SEED
from latentplan_ros.sim.tasks import make_task

TASK = "franka_drawer"
GOAL_S = 30.0
SETTLED = 0.2  # of the time; caches fill before


class SoakError(RuntimeError):
    """A node ended before the soak was over."""


def main(
    minutes: float = 30.0,
    checkpoint: Path | None = None,
    threads: int | None = None,
    quick: bool = False,
) -> None:
    """Writes soak/mb_per_hour (all nodes together) and soak/missed_ticks.

    Args:
        minutes: of acting; memory counts after the first fifth, ticks after the first 10 seconds.
        checkpoint: the shipped one if left out.
        threads: of the planner's torch; config/nodes/planner.yaml's if left out.
        quick: 1 minute, results below runs/.
    """
    private_domain()
    minutes = 1.0 if quick else minutes
    every, task = min(10.0, 6 * minutes), make_task(TASK)
    rate = load_profile(task.profile).action.rate_hz
    figures: dict[str, str] = {}
    actions = [0]

    def on_diagnostics(message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name.endswith("planner"):
                figures.update({item.key: item.value for item in status.values})

    def on_action(message: Joy) -> None:
        actions[0] += 1

    with tempfile.TemporaryDirectory() as folder:
        pictures = []
        for kind in task.goal_kinds:
            pictures.append(Path(folder) / f"{kind}.png")
            goal = make_goals(task, kind, 1, FIRST_GOAL_SEED)[0]
            cv2.imwrite(str(pictures[-1]), goal.image[..., ::-1])
        options = Options(
            task=TASK,
            goal=str(pictures[0]),
            checkpoint="" if checkpoint is None else str(checkpoint),
        )
        changes = {} if threads is None else {"threads": threads}
        moments: list[dict[str, object]] = []
        with (
            Runner(reach_graph(options, changes), say=lambda name, line: None) as runner,
            GraphClient("soak") as client,
        ):
            client.listen(DiagnosticArray, "/diagnostics", qos.REPORT, on_diagnostics)
            client.listen(Joy, "action", qos.ACTION, on_action)
            client.wait(lambda: actions[0] > 0, 90.0, "the first action")
            watch(runner, time.monotonic() + min(10.0, 6 * minutes))
            missed = int(figures["missed_ticks"])
            begin, cpu = time.monotonic(), processor_seconds(runner.pids)
            goals, goal_due = cycle(pictures[1:] + pictures[:1]), begin + GOAL_S
            count = round(60 * minutes / every)
            for number in range(1, count + 1):
                watch(runner, begin + number * every)
                memory, now = resident_mb(runner.pids), time.monotonic()
                moments.append(
                    {
                        "s": now - begin,
                        "mb": memory,
                        "planner": dict(figures),
                        "actions": actions[0],
                    }
                )
                if now >= goal_due:
                    client.set_parameters("goal", image=str(next(goals)))
                    goal_due = now + GOAL_S
            lasted = time.monotonic() - begin
            used = processor_seconds(runner.pids)
            missed = int(figures["missed_ticks"]) - missed
    share = {name: (used[name] - cpu[name]) / lasted for name in used}
    settled = [m for m in moments if m["s"] >= SETTLED * 60 * minutes]
    slopes = {name: slope_mb_per_hour(settled, name) for name in used}
    growth = sum(slopes.values())
    print(f"{missed} ticks missed, {growth:+.1f} MB an hour, over {lasted / 60:.1f} minutes")
    print("MB an hour: " + ", ".join(f"{name} {slope:+.1f}" for name, slope in slopes.items()))
    print("cores used: " + ", ".join(f"{name} {value:.2f}" for name, value in share.items()))
    print(", ".join(f"{name} {value}" for name, value in figures.items()))
    write_results(
        results_file("soak", quick),
        {
            "soak/mb_per_hour": Figure(growth, "MB/h", len(settled)),
            "soak/missed_ticks": Figure(missed, "ticks", round(lasted * rate)),
        },
        seeds=[FIRST_GOAL_SEED],
        settings={"task": TASK, "minutes": minutes, "camera": "640x480 at 10 Hz", **changes},
        raw={"moments": moments, "mb_per_hour": slopes, "cores_used": share},
    )


def watch(runner: Runner, until: float) -> None:
    """Wait, and raise SoakError where a node that is required ends."""
    status = runner.wait(lambda: time.monotonic() >= until)
    if status:
        raise SoakError(f"the graph ended with status {status}")


def slope_mb_per_hour(moments: list[dict], name: str) -> float:
    """Least squares through a process's memory."""
    hours = [m["s"] / 3600 for m in moments]
    return float(np.polyfit(hours, [m["mb"][name] for m in moments], 1)[0])


if __name__ == "__main__":
    tyro.cli(main)
