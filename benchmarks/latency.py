"""Camera stamp to end-effector command through the ROS nodes, on the simulated Franka.

Two clocks are read that both belong to this machine: the planner's own count from a picture's stamp
to its action (over its latest 200 plans), and the stamps of action and target_pose. Their medians
are added for the median, their 99th percentiles for the 99th; the whole is longer than that sum in
2 % of cases at most.
"""

import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import tyro
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped
from sensor_msgs.msg import Joy

from benchmarks.destination import results_file
from benchmarks.processes import private_domain, processor_seconds, reach_graph
from latentplan_ros.bringup.client import GraphClient
from latentplan_ros.bringup.graphs import Options
from latentplan_ros.bringup.runner import Runner
from latentplan_ros.evaluation.results import Figure, write_results
from latentplan_ros.evaluation.run import make_goals
from latentplan_ros.nodes import qos
from latentplan_ros.nodes.stamps import seconds
from latentplan_ros.sim.goals import FIRST_GOAL_SEED
from latentplan_ros.sim.tasks import make_task

TASK = "franka_drawer"
WANTED = (
    "camera_to_command_ms_median",
    "camera_to_command_ms_p99",
    "plan_ms_median",
    "plan_ms_p99",
    "samples",
    "missed_ticks",
    "cut_plans",
    "overruns",
    "tick_jitter_ms_p99",
)


def main(
    duration: float = 60.0,
    checkpoint: Path | None = None,
    threads: int | None = None,
    samples: int | None = None,
    quick: bool = False,
) -> None:
    """Writes latency_ms/camera_to_command_p50 and _p99, and latency_ms/tick_jitter_p99: how far the
    time between two actions is from the control period.

    Args:
        duration: seconds of acting; the first 10 warm up.
        checkpoint: the shipped one if left out.
        threads: that imagine in the planner; config/nodes/planner.yaml's if left out.
        samples: of the planner; as threads.
        quick: 5 seconds, results below runs/.
    """
    private_domain()
    duration, warm_up = (5.0, 1.0) if quick else (duration, 10.0)
    goal = make_goals(make_task(TASK), "open", 1, FIRST_GOAL_SEED)[0]
    changes = {k: v for k, v in {"threads": threads, "samples": samples}.items() if v is not None}
    planner: dict[str, float] = {}
    arm: list[float] = []
    action = [0.0]

    def on_diagnostics(message: DiagnosticArray) -> None:
        for status in message.status:
            for item in status.values:
                if item.key in WANTED and item.value:
                    planner[item.key] = float(item.value)

    def on_action(message: Joy) -> None:
        action[0] = seconds(message.header.stamp)

    def on_target(message: PoseStamped) -> None:
        # A target follows its action at once; one without a fresh action is a hold.
        delay = (seconds(message.header.stamp) - action[0]) * 1e3
        if 0.0 <= delay < 50.0:
            arm.append(delay)

    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "goal.png"
        cv2.imwrite(str(picture), goal.image[..., ::-1])
        options = Options(
            task=TASK, goal=str(picture), checkpoint="" if checkpoint is None else str(checkpoint)
        )
        with (
            Runner(reach_graph(options, changes), say=lambda name, line: None) as runner,
            GraphClient("latency") as client,
        ):
            client.listen(DiagnosticArray, "/diagnostics", qos.REPORT, on_diagnostics)
            client.listen(Joy, "action", qos.ACTION, on_action)
            client.listen(PoseStamped, "target_pose", qos.TARGET, on_target)
            client.wait(lambda: arm, 90.0, "the first command")
            end = time.monotonic() + warm_up
            runner.wait(lambda: time.monotonic() > end)
            arm.clear()
            before = processor_seconds(runner.pids)
            end = time.monotonic() + duration
            runner.wait(lambda: time.monotonic() > end)
            after = processor_seconds(runner.pids)
            client.wait(
                lambda: len(planner) == len(WANTED) and arm, 10.0, "the planner's diagnostics"
            )
    middle = planner["camera_to_command_ms_median"] + float(np.median(arm))
    tail = planner["camera_to_command_ms_p99"] + float(np.percentile(arm, 99))
    share = {name: (after[name] - before[name]) / duration for name in after}
    print(", ".join(f"{name} {value:g}" for name, value in planner.items()))
    print("cores used: " + ", ".join(f"{name} {value:.2f}" for name, value in share.items()))
    print(f"{middle:.1f} ms median, {tail:.1f} ms 99th percentiles added, {len(arm)} commands")
    write_results(
        results_file("latency", quick),
        {
            "latency_ms/camera_to_command_p50": Figure(middle, "ms", len(arm)),
            "latency_ms/camera_to_command_p99": Figure(tail, "ms", len(arm)),
            "latency_ms/tick_jitter_p99": Figure(planner["tick_jitter_ms_p99"], "ms", len(arm)),
        },
        seeds=[FIRST_GOAL_SEED],
        settings={"task": TASK, "duration_s": duration, "camera": "640x480 at 10 Hz", **changes},
        raw={"camera_to_action": planner, "cores_used": share, "action_to_target_ms": arm},
    )


if __name__ == "__main__":
    tyro.cli(main)
