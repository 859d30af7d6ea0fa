"""Starts the processes of a graph, shows what they say, and ends them all together."""

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType, TracebackType

from latentplan_ros.bringup.environment import ros_environment
from latentplan_ros.bringup.graphs import Entry, GraphError, Options, Value, graph

RESPAWN_DELAY_S = 1.0
GRACE_S = 2.0  # from SIGINT to SIGKILL: a hung rclpy process ignores every other signal
_POLL_S = 0.05
_COLOURS = (36, 32, 33, 35, 34, 96, 92, 93, 95, 94)
_PR_SET_PDEATHSIG = 1


def command(entry: Entry, namespace: str = "") -> list[str]:
    """The command line of one process."""
    line = [sys.executable, "-m", f"latentplan_ros.nodes.{entry.executable}", "--ros-args"]
    line += ["-r", f"__node:={entry.name}"]
    line += ["-r", f"__ns:={namespace}"] if namespace else []
    line += ["--enclave", entry.enclave]
    line += ["--params-file", str(entry.parameter_file)]
    for key, value in entry.parameters.items():
        line += ["-p", f"{key}:={_yaml(value)}"]
    for source, target in entry.remaps:
        line += ["-r", f"{source}:={target}"]
    return line


def _yaml(value: Value) -> str:
    # JSON is YAML, and its quotes keep the text "none" or "1" a text.
    return json.dumps(value)


class _Process:
    def __init__(self, entry: Entry, namespace: str, env: dict[str, str], say: Callable) -> None:
        self.entry, self._say = entry, say
        self._command, self._env = command(entry, namespace), env
        self.respawn_at: float | None = None
        self.start()

    def start(self) -> None:
        self.respawn_at = None
        self.popen = subprocess.Popen(
            self._command,
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C in the terminal reaches the runner alone
            preexec_fn=_die_with_parent,
        )
        self._reader = threading.Thread(target=self._read, args=(self.popen,), daemon=True)
        self._reader.start()

    def _read(self, popen: subprocess.Popen) -> None:
        assert popen.stdout is not None
        for line in popen.stdout:
            self._say(self.entry.name, line.rstrip())

    def signal(self, number: int) -> None:
        if self.popen.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.popen.pid, number)

    def finish_output(self) -> None:
        self._reader.join(0.2)


def _die_with_parent() -> None:
    """In the child: SIGKILL when the runner dies, even by SIGKILL, so that nothing stays behind."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Runner:
    """The processes of one graph; a context manager that starts and ends them.

    say: called with (node name, line) for every line of output, from several threads.
    """

    def __init__(
        self,
        entries: Sequence[Entry],
        namespace: str = "",
        environment: dict[str, str] | None = None,
        say: Callable[[str, str], None] | None = None,
    ) -> None:
        self.entries, self.namespace = list(entries), namespace
        self._env = ros_environment() if environment is None else environment
        self._say = say or _Printer([e.name for e in self.entries])
        self._processes: list[_Process] = []

    def __enter__(self) -> "Runner":
        try:
            for entry in self.entries:
                self._processes.append(_Process(entry, self.namespace, self._env, self._say))
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pids(self) -> dict[str, int]:
        """Process id of each node."""
        return {p.entry.name: p.popen.pid for p in self._processes}

    def check(self) -> int | None:
        """Respawn what is due; the exit status of the graph if it is over, else None."""
        running = 0
        for p in self._processes:
            status = p.popen.poll()
            if status is None:
                running += 1
            elif p.entry.required:
                p.finish_output()
                self._say(p.entry.name, f"ended with status {status}; ending the graph")
                return status if status >= 0 else 128 - status
            elif p.entry.respawn:
                running += 1
                if p.respawn_at is None:
                    p.respawn_at = time.monotonic() + RESPAWN_DELAY_S
                    self._say(p.entry.name, f"ended with status {status}; starting it again")
                elif time.monotonic() >= p.respawn_at:
                    p.start()
        return None if running else 0

    def wait(self, ended: Callable[[], bool] = lambda: False) -> int:
        """Watch over the graph until it is over, or until ``ended()``; its exit status."""
        while not ended():
            status = self.check()
            if status is not None:
                return status
            time.sleep(_POLL_S)
        return 0

    def stop(self) -> None:
        """End every process: SIGINT, and SIGKILL for what has not ended ``GRACE_S`` later."""
        for p in self._processes:
            p.signal(signal.SIGINT)
        deadline = time.monotonic() + GRACE_S
        while time.monotonic() < deadline:
            if all(p.popen.poll() is not None for p in self._processes):
                break
            time.sleep(0.02)
        for p in self._processes:
            if p.popen.poll() is None:
                self._say(p.entry.name, f"did not end within {GRACE_S} s; killed")
                p.signal(signal.SIGKILL)
            p.popen.wait()
            p.finish_output()


class _Printer:
    """One line at a time on stdout, each led by its node's name in its node's colour."""

    def __init__(self, names: Sequence[str]) -> None:
        self._width = max(map(len, names), default=0)
        self._colours = {n: _COLOURS[i % len(_COLOURS)] for i, n in enumerate(names)}
        self._coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._lock = threading.Lock()

    def __call__(self, name: str, line: str) -> None:
        head = f"{name:>{self._width}} |"
        if self._coloured:
            head = f"\033[{self._colours[name]}m{head}\033[0m"
        with self._lock:
            print(head, line, flush=True)


def up(
    name: str,
    robot: str = "",
    task: str | None = None,
    checkpoint: Path | str | None = None,
    goal: Path | str | None = None,
    namespace: str = "",
    record: Path | str | None = None,
    joystick: str = "gamepad",
    use_sim_time: bool = False,
) -> int:
    """Run a graph until a signal or until a required process ends; the exit status.

    What is None is as ``Options`` has it: both starters have the same defaults.
    Raises GraphError, before anything is started, for options that cannot work.
    """
    chosen = {"task": task, "checkpoint": checkpoint, "goal": goal, "record": record}
    options = Options(
        robot=robot,
        namespace=namespace,
        joystick=joystick,
        use_sim_time=str(use_sim_time).lower(),
        **{key: str(value) for key, value in chosen.items() if value is not None},
    )
    entries = graph(name, options)
    if not entries:
        raise GraphError(f"the graph {name} has no nodes")
    return run_until_signal(entries, options.full_namespace)


def run_until_signal(entries: Sequence[Entry], namespace: str = "") -> int:
    """Run processes until SIGINT, SIGTERM or the end of a required one; the exit status."""
    asked = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        asked.set()

    before = {s: signal.signal(s, ask) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        with Runner(entries, namespace) as runner:
            return runner.wait(asked.is_set)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
