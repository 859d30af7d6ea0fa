"""Action goals for grippers, one at a time."""

import time
from collections.abc import Callable
from typing import Any

from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient
from rclpy.node import Node

PATIENCE_S = 10.0  # longer than any gripper closes; a server that is silent for so long is gone
PAUSE_S = 1.0  # after a goal that was refused


class OneGoal:
    """At most one goal under way over all action clients of a gripper, since a gripper has one
    motor: what is wished for meanwhile is asked for again with the next action.

    sent: the opening (m) of the last goal, None where the fingers may be anywhere. A goal that was
    carried out and failed (nothing to grasp) stays sent; one that was refused or never answered
    does not. problem: what went wrong with the last goal, or which server is missing.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._clients: dict[ActionClient, str] = {}
        self._under_way = False
        self._until = 0.0  # steady seconds: of a goal under way its last moment, else the pause's
        self._count = 0
        self._fault = ""
        self._sent: float | None = None

    def client(self, kind: Any, name: str) -> ActionClient:
        client = ActionClient(self._node, kind, name)
        self._clients[client] = name
        return client

    @property
    def busy(self) -> bool:
        """Whether a goal must wait."""
        self._give_up()
        return self._under_way or time.monotonic() < self._until

    @property
    def sent(self) -> float | None:
        self._give_up()
        return self._sent

    @property
    def problem(self) -> str:
        missing = [name for client, name in self._clients.items() if not client.server_is_ready()]
        return f"no action server {', '.join(missing)}" if missing else self._fault

    def send(
        self,
        client: ActionClient,
        goal: Any,
        opening: float | None,
        fault: Callable[[int, Any], str],
    ) -> bool:
        """Send a goal unless one is under way or nobody would take it; whether it was sent.

        opening: what ``sent`` is from now on. fault: what is wrong with a final status
        (GoalStatus) and result, empty when nothing is.
        """
        if self.busy or not client.server_is_ready():
            return False
        self._count += 1
        self._under_way, self._until = True, time.monotonic() + PATIENCE_S
        self._sent = opening
        number, name = self._count, self._clients[client]

        def taken(future: Any) -> None:
            if number != self._count:
                return  # given up already
            handle = future.result()
            if handle is None or not handle.accepted:
                self._end(f"{name} refused a goal", answered=False)
                self._until = time.monotonic() + PAUSE_S
            else:
                handle.get_result_async().add_done_callback(ended)

        def ended(future: Any) -> None:
            if number == self._count:
                answer = future.result()
                said = fault(answer.status, answer.result)
                self._end(said and f"{name}: {said}", answered=True)

        client.send_goal_async(goal).add_done_callback(taken)
        return True

    def _give_up(self) -> None:
        if self._under_way and time.monotonic() > self._until:
            self._end("a goal was never answered", answered=False)

    def _end(self, fault: str, answered: bool) -> None:
        self._count += 1  # whatever is still said of this goal comes too late
        self._under_way, self._until, self._fault = False, 0.0, fault
        if not answered:
            self._sent = None


def succeeded(status: int) -> bool:
    return status == GoalStatus.STATUS_SUCCEEDED
