"""Random exploration on a live arm, episode by episode, between a reset and a recorder."""

import sys
from collections.abc import Callable
from enum import Enum, auto

import numpy as np
import rclpy.node
from rclpy.task import Future
from sensor_msgs.msg import Joy
from std_srvs.srv import Trigger

from latentplan_ros.control.exploration import SmoothedRandomPolicy
from latentplan_ros.control.profile import ProfileError, load_profile
from latentplan_ros.nodes import qos
from latentplan_ros.nodes.diagnostics import ERROR, OK, WARN, Diagnostics
from latentplan_ros.nodes.parameters import ParameterError, declare
from latentplan_ros.nodes.process import Done, run

RETRY_S = 1.0
ANSWER_S = 10.0  # a request that reached a dying process is never answered


class Phase(Enum):
    """What an episode consists of, in order."""

    RESET = auto()
    SETTLE = auto()
    RECORD = auto()
    ACT = auto()
    STORE = auto()


class Explorer(rclpy.node.Node):
    """The smoothed random policy (MBOLD A.3), one action a control period.

    Around each episode it calls ``reset_service`` and the recorder's start and stop, where those
    are named. A call that fails is reported and tried again; nothing is acted until it succeeds,
    and an episode counts only once it is stored.
    """

    def __init__(self) -> None:
        super().__init__("explorer")
        robot = declare(
            self, "robot", "franka", "Robot profile: a name or a YAML file", read_only=True
        )
        task = declare(
            self, "task", "", "Simulated task whose deviations to explore with", read_only=True
        )
        std = declare(
            self,
            "std",
            [0.3, 0.3, 0.3, 0.15],
            "Standard deviation of x, y, z, gripper, in units of action; a task's own come first",
            read_only=True,
        )
        beta = declare(
            self,
            "beta",
            0.5,
            "Weight of new noise against the last action",
            0.01,
            1.0,
            read_only=True,
        )
        self._seed = declare(self, "seed", 0, "Seed of the actions", 0, 2**31 - 1, read_only=True)
        self._steps = declare(
            self, "episode_steps", 30, "Actions an episode", 1, 100_000, read_only=True
        )
        self._episodes = declare(
            self,
            "episodes",
            0,
            "Episodes until the node ends; 0: for ever",
            0,
            2**31 - 1,
            read_only=True,
        )
        reset = declare(
            self, "reset_service", "", "Trigger service before each episode", read_only=True
        )
        recorder = declare(
            self, "recorder", "", "Recorder node to start and stop each episode", read_only=True
        )
        settle = declare(
            self,
            "settle_s",
            0.5,
            "Rest between reset and the first action, s",
            0.0,
            60.0,
            read_only=True,
        )
        if len(std) != 4 or not all(0.0 <= s <= 10.0 for s in std):
            raise ParameterError(
                f"explorer: parameter std is {list(std)}, not 4 numbers in [0, 10]"
            )
        profile = load_profile(robot)
        if task:
            std = _deviations(task)
        self._policy = SmoothedRandomPolicy(std, beta)
        self._settle_ticks = round(settle * profile.action.rate_hz)
        self._diagnostics = Diagnostics(self)
        self._action = self.create_publisher(Joy, "action", qos.ACTION)

        def trigger(name: str) -> rclpy.node.Client | None:
            return self.create_client(Trigger, name) if name else None

        self._reset = trigger(reset)
        self._record = trigger(f"{recorder}/start" if recorder else "")
        self._store = trigger(f"{recorder}/stop" if recorder else "")
        self._phase, self._episode, self._step, self._wait = Phase.RESET, 0, 0, 0
        self._pending: Future | None = None
        self._retry_at = 0.0
        self.create_timer(profile.action.period_s, self._on_tick)

    def _now(self) -> float:
        return self.get_clock().now().nanoseconds * 1e-9

    def _on_tick(self) -> None:
        if 0 < self._episodes <= self._episode:
            raise Done
        if self._pending is not None:
            if self._now() < self._answer_due:
                return
            late, self._pending = self._pending, None
            late.cancel()
            self._failed(f"{self._asked} did not answer within {ANSWER_S:.0f} s")
        if self._phase is Phase.RESET:
            self._call(self._reset, Phase.SETTLE)
        elif self._phase is Phase.SETTLE:
            self._wait += 1
            if self._wait >= self._settle_ticks:
                self._phase = Phase.RECORD
        elif self._phase is Phase.RECORD:
            self._call(self._record, Phase.ACT)
        elif self._phase is Phase.ACT:
            self._act()
        else:
            self._call(self._store, Phase.RESET)

    def _act(self) -> None:
        if self._step == self._steps:  # a period after the last action: its picture is taken
            self._phase = Phase.STORE
            return
        if self._step == 0:
            self._policy.reset(np.random.default_rng([self._seed, self._episode]))
            self._diagnostics.set(OK, f"episode {self._episode}")
        message = Joy(axes=self._policy.act().tolist())
        message.header.stamp = self.get_clock().now().to_msg()
        self._action.publish(message)
        self._step += 1

    # Services -------------------------------------------------------------------------------
    def _call(self, client: rclpy.node.Client | None, then: Phase) -> None:
        """Call the service, if there is one, and go on to the next phase when it has succeeded."""
        if client is None:
            self._enter(then)
            return
        if self._now() < self._retry_at:
            return
        if not client.service_is_ready():
            self._diagnostics.set(WARN, f"waiting for service {client.srv_name}")
            return
        self._asked, self._answer_due = client.srv_name, self._now() + ANSWER_S
        self._pending = client.call_async(Trigger.Request())
        self._pending.add_done_callback(self._answer(client.srv_name, then))

    def _answer(self, service: str, then: Phase) -> Callable[[Future], None]:
        def done(future: Future) -> None:
            given_up = future is not self._pending
            if given_up:
                return
            self._pending = None
            response = future.result()
            if response.success:
                self._enter(then)
            else:
                self._failed(f"{service} failed: {response.message}")

        return done

    def _failed(self, what: str) -> None:
        self._retry_at = self._now() + RETRY_S
        self._diagnostics.set(ERROR, what)
        if self._phase is Phase.STORE:
            # A recorder that died in the middle has no episode to end: do this one again.
            self._phase = Phase.RESET

    def _enter(self, phase: Phase) -> None:
        if self._phase is Phase.STORE:
            self._episode += 1
            if self._episode == self._episodes:
                self._diagnostics.set(OK, f"done: {self._episodes} episodes")
        self._phase, self._step, self._wait = phase, 0, 0


def _deviations(task: str) -> tuple[float, float, float, float]:
    # Imported here, because a real robot's machine needs no MuJoCo.
    from latentplan_ros.sim.task import TaskError
    from latentplan_ros.sim.tasks import make_task

    try:
        return make_task(task).exploration_std
    except TaskError as error:
        raise ParameterError(f"explorer: parameter task: {error}") from None


def main() -> None:
    sys.exit(run(Explorer, ParameterError, ProfileError))


if __name__ == "__main__":
    main()
