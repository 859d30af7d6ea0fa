"""A running graph seen from outside: its parameters, services and topics."""

import contextlib
import math
import os
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

import rclpy
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.srv import SetParameters
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.task import Future
from std_srvs.srv import Trigger

from latentplan_ros.bringup.environment import additions

T = TypeVar("T")
_ASKED_AGAIN_S = 2.0


class ClientError(RuntimeError):
    """A node did not answer in time, or said no; the message names the node and what was asked."""


class GraphClient:
    """One rclpy node in a thread of its own. Names are relative to ``namespace``.

    Use as a context manager. Callbacks given to ``listen`` run in that thread.
    """

    def __init__(self, name: str = "conductor", namespace: str = "") -> None:
        os.environ.update(additions(os.environ))  # the same transport as the nodes have
        self._context = Context()
        rclpy.init(context=self._context)
        self.node = rclpy.create_node(
            name, namespace=namespace, context=self._context, use_global_arguments=False
        )
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def __enter__(self) -> "GraphClient":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._executor.shutdown(timeout_sec=2.0)
        self._thread.join(2.0)
        self.node.destroy_node()
        self._context.try_shutdown()

    def listen(self, kind: Any, topic: str, profile: Any, callback: Callable[[Any], None]) -> None:
        self.node.create_subscription(kind, topic, callback, profile)

    def wait(self, condition: Callable[[], T], seconds: float, what: str) -> T:
        """The first true value of ``condition``. Raises ClientError with ``what`` after that."""
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            if time.monotonic() > deadline:
                raise ClientError(f"{what} did not come within {seconds:.0f} s")
            time.sleep(0.01)
        return value

    def call(
        self,
        kind: Any,
        service: str,
        request: Any,
        seconds: float = 20.0,
        again_s: float = math.inf,
    ) -> Any:
        """The response of a service, waiting for both. Raises ClientError.

        again_s: after so long without an answer the request is sent again. For requests that change
        nothing: a node that knows the question's way but not yet the answer's drops the answer.
        """
        client = self.node.create_client(kind, service)
        asked: list[Future] = []
        due = 0.0

        def answered() -> Any:
            nonlocal due
            if time.monotonic() >= due:
                asked.append(client.call_async(request))
                due = time.monotonic() + again_s
            return next((future for future in asked if future.done()), None)

        try:
            self.wait(client.service_is_ready, seconds, f"service {client.srv_name}")
            return self.wait(answered, seconds, f"the answer of {client.srv_name}").result()
        finally:
            self.node.destroy_client(client)

    def trigger(self, service: str, seconds: float = 20.0) -> str:
        """Calls a Trigger service; its message. Raises ClientError where it did not succeed."""
        response = self.call(Trigger, service, Trigger.Request(), seconds)
        if not response.success:
            raise ClientError(f"{service}: {response.message}")
        return response.message

    def set_parameters(self, node: str, seconds: float = 20.0, **values: Any) -> None:
        """Sets parameters of a node. Raises ClientError with the node's reason where it refuses."""
        parameters = [Parameter(k, value=v).to_parameter_msg() for k, v in values.items()]
        request = SetParameters.Request(parameters=parameters)
        response = self.call(SetParameters, f"{node}/set_parameters", request, seconds)
        for name, result in zip(values, response.results, strict=True):
            if not result.successful:
                raise ClientError(f"{node}: parameter {name} = {values[name]!r}: {result.reason}")

    def state(self, node: str, seconds: float = 20.0) -> str:
        """Label of a lifecycle node's state, e.g. ``inactive``."""
        request = GetState.Request()
        response = self.call(GetState, f"{node}/get_state", request, seconds, _ASKED_AGAIN_S)
        return response.current_state.label

    def bring_to(self, node: str, wanted: str, seconds: float = 60.0) -> None:
        """Takes a lifecycle node to ``inactive`` or ``active``. Raises ClientError on failure."""
        steps = {
            ("unconfigured", "inactive"): Transition.TRANSITION_CONFIGURE,
            ("unconfigured", "active"): Transition.TRANSITION_CONFIGURE,
            ("inactive", "active"): Transition.TRANSITION_ACTIVATE,
            ("active", "inactive"): Transition.TRANSITION_DEACTIVATE,
        }
        while (state := self.state(node, seconds)) != wanted:
            if (state, wanted) not in steps:
                raise ClientError(f"{node} is {state} and cannot become {wanted}")
            request = ChangeState.Request(transition=Transition(id=steps[state, wanted]))
            if not self.call(ChangeState, f"{node}/change_state", request, seconds).success:
                raise ClientError(f"{node} did not go from {state} to {wanted}; see its log")

    def _spin(self) -> None:
        with contextlib.suppress(ExternalShutdownException):
            self._executor.spin()
