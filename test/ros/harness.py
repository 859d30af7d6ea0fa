"""Real node processes and a real rclpy node to watch them, on a domain of their own.

Nothing here sleeps and hopes: everything waits on a condition with a deadline, and says what it
waited for, and what the processes printed, when the deadline passes.
"""

import contextlib
import itertools
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import rclpy
import yaml
from rcl_interfaces.srv import SetParameters
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.parameter import Parameter

from latentplan_ros.bringup.environment import ros_environment

_counter = itertools.count()


def unique_domain() -> int:
    """A domain id in 1..200 that neighbouring tests and pytest workers don't share."""
    return 1 + (os.getpid() * 7 + next(_counter)) % 200


class Started:
    """One node process: its output so far, its end."""

    def __init__(self, process: subprocess.Popen, title: str) -> None:
        self.process, self.title = process, title
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def signal(self, number: int) -> None:
        if self.alive:
            self.process.send_signal(number)

    def wait(self, seconds: float = 10.0) -> int:
        """The exit status, once all output has been read."""
        status = self.process.wait(seconds)
        self._reader.join(seconds)
        return status

    def stop(self, seconds: float = 5.0) -> int:
        """SIGINT, then SIGKILL if that is not obeyed; the exit status."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGINT)
        try:
            return self.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.wait()


class Ros:
    """A private ROS domain: processes in it, and a node of this process to talk to them."""

    def __init__(self) -> None:
        self.domain = unique_domain()
        self.env = ros_environment() | {"ROS_DOMAIN_ID": str(self.domain)}
        os.environ.update(
            {k: v for k, v in self.env.items() if k.startswith(("ROS_", "FAST"))}
        )  # the watching node must use the same transport
        self.context = Context()
        rclpy.init(context=self.context, domain_id=self.domain)
        self.node = rclpy.create_node(
            "watcher",
            context=self.context,
            parameter_overrides=[],
            use_global_arguments=False,
        )
        self.processes: list[Started] = []
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def _spin(self) -> None:
        with contextlib.suppress(ExternalShutdownException):
            self._executor.spin()

    # Processes ------------------------------------------------------------------------------
    def start(
        self,
        executable: str,
        parameters: dict[str, Any] | None = None,
        name: str | None = None,
        namespace: str = "",
        remaps: dict[str, str] | None = None,
        parameter_files: tuple[Path, ...] = (),
        env: dict[str, str] | None = None,
    ) -> Started:
        """Start ``python -m latentplan_ros.nodes.<executable>`` in this domain."""
        ros_args = ["-r", f"__node:={name or executable}"]
        ros_args += ["-r", f"__ns:={namespace}"] if namespace else []
        for source, target in (remaps or {}).items():
            ros_args += ["-r", f"{source}:={target}"]
        for file in parameter_files:
            ros_args += ["--params-file", str(file)]
        for key, value in (parameters or {}).items():
            text = yaml.safe_dump(value, default_flow_style=True, width=10**6).split("\n...")[0]
            ros_args += ["-p", f"{key}:={text.strip()}"]
        module = f"latentplan_ros.nodes.{executable}"
        return self.run([sys.executable, "-m", module, "--ros-args", *ros_args], executable, env)

    def run(
        self,
        command: list[str],
        title: str,
        env: dict[str, str] | None = None,
        stdin: int | None = None,
    ) -> Started:
        """Start any command in this domain."""
        process = subprocess.Popen(
            command,
            env=self.env | (env or {}),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started = Started(process, title)
        self.processes.append(started)
        return started

    # Topics, services, parameters -------------------------------------------------------------
    def listen(self, kind: Any, topic: str, qos: Any = 10, raw: bool = False) -> list[Any]:
        """A list that grows by each message on the topic."""
        received: list[Any] = []
        self.node.create_subscription(kind, topic, received.append, qos, raw=raw)
        return received

    def publisher(self, kind: Any, topic: str, qos: Any = 10) -> Any:
        return self.node.create_publisher(kind, topic, qos)

    def every(self, seconds: float, action: Callable[[], None]) -> Any:
        """Call ``action`` periodically in the watcher's thread; ``.cancel()`` ends it."""
        return self.node.create_timer(seconds, action)

    def stamp(self) -> Any:
        return self.node.get_clock().now().to_msg()

    def call(self, kind: Any, service: str, request: Any = None, seconds: float = 10.0) -> Any:
        """The response of a service; waits for the service first.

        Asks again every few seconds: a request that went to a process killed just now, whose end
        is not known yet, is never answered.
        """
        client = self.node.create_client(kind, service)
        assert client.wait_for_service(timeout_sec=seconds), self.report(f"service {service}")
        futures: list[Any] = []
        asked = -math.inf

        def answered() -> Any:
            nonlocal asked
            if time.monotonic() > asked + 3.0:
                asked = time.monotonic()
                futures.append(client.call_async(kind.Request() if request is None else request))
            return next((f for f in futures if f.done()), None)

        future = self.wait(answered, seconds, f"the answer of {service}")
        self.node.destroy_client(client)
        return future.result()

    def set_parameters(self, node: str, **values: Any) -> list[Any]:
        """Set parameters of a running node; the list of SetParametersResult."""
        request = SetParameters.Request(
            parameters=[Parameter(k, value=v).to_parameter_msg() for k, v in values.items()]
        )
        return self.call(SetParameters, f"{node}/set_parameters", request).results

    # Waiting ----------------------------------------------------------------------------------
    def wait(self, condition: Callable[[], Any], seconds: float = 10.0, what: str = "") -> Any:
        """The first true value of ``condition``; fails after ``seconds`` and says why."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            value = condition()
            if value:
                return value
            time.sleep(0.005)
        raise AssertionError(self.report(what or "the condition"))

    def report(self, what: str) -> str:
        """What was waited for, and what every process has printed."""
        parts = [f"{what} did not come (domain {self.domain})"]
        for p in self.processes:
            state = "alive" if p.alive else f"exited {p.process.returncode}"
            parts.append(f"--- {p.title} ({state})\n{p.output}")
        return "\n".join(parts)

    def close(self) -> None:
        for p in self.processes:
            p.signal(signal.SIGCONT)
            p.signal(signal.SIGINT)
        for p in self.processes:
            p.stop()
        self._executor.shutdown()
        self._thread.join(5.0)
        self.node.destroy_node()
        self.context.try_shutdown()
