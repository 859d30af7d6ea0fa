"""From a fault to the moment the arm is told to hold, with every part a process of its own.

The arm node is the real one with the shipped limits; the arm stands still, so that a target beside
it is a motion and a target upon it a hold. Times are of this process's monotonic clock, from the
signal that makes the fault to the arrival of the hold.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from types import TracebackType

import numpy as np
import tyro
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped

from benchmarks.destination import ROOT, results_file
from benchmarks.processes import private_domain
from latentplan_ros.bringup.client import ClientError, GraphClient
from latentplan_ros.bringup.environment import ros_environment
from latentplan_ros.control.profile import load_profile
from latentplan_ros.evaluation.results import Figure, write_results
from latentplan_ros.nodes import qos

PARTS = {"eyes": ["camera"], "driver": ["pose"], "planner": ["action"]}
TOGETHER = {"robot": ["camera", "pose"], "planner": ["action"]}
TIMED = {"world": ["camera", "pose", "action", "--clock"]}
ASLEEP_S = 1.0
SEED = 0


class Scene:
    """An arm node and what it needs to move, each a process; a context manager.

    parts: name of the process -> what it publishes. Raises ClientError where something that must
    come does not.
    """

    def __init__(self, parts: dict[str, list[str]], robot: str = "franka") -> None:
        self.parts, self.robot = parts, robot
        profile = load_profile(robot)
        self.centre = (np.array(profile.workspace.min) + profile.workspace.max) / 2
        self.log = tempfile.TemporaryFile("w+")  # noqa: SIM115  closed with the scene
        self.processes: dict[str, subprocess.Popen] = {}
        self.targets: list[tuple[float, bool]] = []  # arrival, whether it is a hold
        self.reason = "?"

    def __enter__(self) -> "Scene":
        self.client = GraphClient("hold_time")
        self.client.listen(PoseStamped, "target_pose", qos.TARGET, self._on_target)
        self.client.listen(DiagnosticArray, "/diagnostics", qos.REPORT, self._on_diagnostics)
        timed = ["-p", "use_sim_time:=true"] if self.parts is TIMED else []
        arm = ["-m", "latentplan_ros.nodes.arm", "--ros-args", "-p", f"robot:={self.robot}", *timed]
        self._start("arm", arm)
        for name in self.parts:
            self.start(name)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()
        self.client.__exit__(kind, error, trace)
        if error is not None:
            self.log.seek(0)
            print(self.log.read(), file=sys.stderr)
        self.log.close()

    def _start(self, name: str, arguments: list[str]) -> None:
        self.processes[name] = subprocess.Popen(
            [sys.executable, *arguments],
            env=ros_environment(),
            cwd=ROOT,
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )

    def start(self, name: str) -> None:
        """Start one part, again if it has died."""
        self._start(name, ["-m", "benchmarks.bystander", name, self.robot, *self.parts[name]])

    def signal(self, name: str, number: int) -> None:
        os.kill(self.processes[name].pid, number)

    def _on_target(self, message: PoseStamped) -> None:
        p = message.pose.position
        apart = float(np.linalg.norm(np.array([p.x, p.y, p.z]) - self.centre))
        self.targets.append((time.monotonic(), apart < 1e-6))

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name == "/arm":
                self.reason = next((v.value for v in status.values if v.key == "reason"), "?")

    def moving(self, seconds: float = 60.0) -> None:
        """Wait until targets beside the arm have come for half a second, and no hold."""
        begin = time.monotonic()

        def steadily() -> bool:
            now = time.monotonic()
            since = max(begin, now - 0.5)
            recent = [hold for at, hold in list(self.targets) if at > since]
            return now - begin > 0.5 and len(recent) >= 3 and not any(recent)

        self.client.wait(steadily, seconds, "a moving arm")

    def hold_after(self, begin: float, seconds: float = 10.0) -> float:
        """Milliseconds from ``begin`` to the first hold, which must end the motion."""
        first = self.client.wait(
            lambda: next((at for at, hold in list(self.targets) if hold and at > begin), None),
            seconds,
            "a hold",
        )
        return (first - begin) * 1e3

    def quiet(self, seconds: float) -> None:
        """Raises ClientError where a target leaves within that time."""
        count, end = len(self.targets), time.monotonic() + seconds
        while time.monotonic() < end:
            if len(self.targets) > count:
                raise ClientError(f"a target left while the arm holds for {self.reason}")
            time.sleep(0.01)

    def fail(self, name: str, number: int) -> float:
        """Signal a part; milliseconds until the arm holds."""
        begin = time.monotonic()
        self.signal(name, number)
        return self.hold_after(begin)


# The faults: each takes the scene from a moving arm to one that holds, and back ------------------
def interrupted(scene: Scene, name: str, off: int, on: int) -> float:
    """A part falls silent in the middle, and goes on."""
    taken = scene.fail(name, off)
    scene.quiet(0.5)
    scene.signal(name, on)
    return taken


def camera(scene: Scene) -> float:
    return interrupted(scene, "eyes", signal.SIGUSR1, signal.SIGUSR1)


def pose(scene: Scene) -> float:
    return interrupted(scene, "driver", signal.SIGUSR1, signal.SIGUSR1)


def pause(scene: Scene) -> float:
    """The planner is stopped, not ended."""
    return interrupted(scene, "planner", signal.SIGSTOP, signal.SIGCONT)


def arm_pause(scene: Scene) -> float:
    """The arm node itself is stopped: nothing leaves, and the first that does then is a hold."""
    scene.signal("arm", signal.SIGSTOP)
    time.sleep(0.1)  # what had left before has arrived
    scene.quiet(ASLEEP_S)
    count, begin = len(scene.targets), time.monotonic()
    scene.signal("arm", signal.SIGCONT)
    taken = scene.hold_after(begin)
    if not scene.targets[count][1]:
        raise ClientError("the arm node woke and moved the arm before it held")
    return taken


def killed(scene: Scene, name: str) -> float:
    """A part is gone without a word, and later there again."""
    taken = scene.fail(name, signal.SIGKILL)
    scene.processes[name].wait()
    scene.quiet(0.5)
    scene.start(name)
    return taken


def planner(scene: Scene) -> float:
    return killed(scene, "planner")


def peer(scene: Scene) -> float:
    """The robot's computer: camera and pose at once."""
    return killed(scene, "robot")


def clock(scene: Scene) -> float:
    return scene.fail("world", signal.SIGUSR2)


Fault = Callable[[Scene], float]
FAULTS: list[tuple[dict[str, list[str]], list[Fault]]] = [
    (PARTS, [camera, pose, pause, arm_pause, planner]),
    (TOGETHER, [peer]),
    (TIMED, [clock]),
]


def main(repeats: int = 20, quick: bool = False, only: tuple[str, ...] = ()) -> None:
    """Writes safety/hold_ms/<fault>: the longest of all repeats.

    Args:
        repeats: of each fault.
        quick: two of each, results below runs/.
        only: these faults alone; no results are written.
    """
    private_domain()
    repeats = 2 if quick else repeats
    taken: dict[str, list[float]] = {}
    rng = np.random.default_rng(SEED)
    for parts, faults in FAULTS:
        chosen = [f for f in faults if not only or f.__name__ in only]
        if not chosen:
            continue
        with Scene(parts) as scene:
            for fault in chosen:
                for _ in range(repeats):
                    scene.moving()
                    # At any moment of the control period, not always the same.
                    time.sleep(float(rng.uniform(0.0, 0.1)))
                    taken.setdefault(fault.__name__, []).append(fault(scene))
                ms = taken[fault.__name__]
                print(f"{fault.__name__:10} {np.median(ms):4.0f} ms median, {max(ms):4.0f} longest")
    if only:
        return
    write_results(
        results_file("hold_time", quick),
        {f"safety/hold_ms/{name}": Figure(max(ms), "ms", len(ms)) for name, ms in taken.items()},
        seeds=[SEED],
        settings={"repeats": repeats, "robot": "franka", "figure": "the longest"},
        raw={"hold_ms": taken},
    )


if __name__ == "__main__":
    tyro.cli(main)
