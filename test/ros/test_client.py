"""Asking a graph from outside, while answers get lost."""

import threading
from collections.abc import Iterator

import pytest
import rclpy
from harness import unique_domain
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.context import Context
from rclpy.executors import MultiThreadedExecutor

from latentplan_ros.bringup.client import ClientError, GraphClient


class Forgetful:
    """A node whose first answer to each question does not come until ``end`` is set."""

    def __init__(self) -> None:
        self.asked: list[type] = []
        self.end = threading.Event()
        self._context = Context()
        rclpy.init(context=self._context)
        node = rclpy.create_node("forgetful", context=self._context)
        group = ReentrantCallbackGroup()
        for kind, name in ((GetState, "get_state"), (ChangeState, "change_state")):
            answer = self._answer(kind)
            node.create_service(kind, f"~/{name}", answer, callback_group=group)
        self._executor = MultiThreadedExecutor(4, context=self._context)
        self._executor.add_node(node)
        self._thread = threading.Thread(target=self._executor.spin)
        self._thread.start()

    def _answer(self, kind: type):
        def answer(_, response):
            self.asked.append(kind)
            if self.asked.count(kind) == 1:
                self.end.wait(60.0)
            if kind is GetState:
                response.current_state.label = "inactive"
            return response

        return answer

    def stop(self) -> None:
        self.end.set()
        self._executor.shutdown(timeout_sec=10.0)
        self._context.try_shutdown()
        self._thread.join(10.0)


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> Iterator[Forgetful]:
    monkeypatch.setenv("ROS_DOMAIN_ID", str(unique_domain()))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    node = Forgetful()
    yield node
    node.stop()


def test_a_lost_answer_of_a_state_is_asked_for_again(forgetful: Forgetful) -> None:
    with GraphClient() as client:
        assert client.state("forgetful", 30.0) == "inactive"
    assert forgetful.asked == [GetState, GetState]


def test_what_changes_something_is_asked_for_once(forgetful: Forgetful) -> None:
    with (
        GraphClient() as client,
        pytest.raises(ClientError, match=r"answer of .*forgetful/change_state"),
    ):
        client.call(ChangeState, "forgetful/change_state", ChangeState.Request(), 5.0)
    assert forgetful.asked == [ChangeState]
