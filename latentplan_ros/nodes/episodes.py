"""Recording what is driven by hand: episodes that begin and end with the driving."""

import time

from rclpy.node import Node
from rclpy.task import Future
from std_srvs.srv import Trigger

RETRY_S = 1.0
ANSWER_S = 10.0  # a request that reached a dying process is never answered


class Episodes:
    """Starts the recorder when driving begins, and stops it after ``gap_s`` of rest.

    Call ``follow`` several times a second. Driving does not wait for the recorder: whoever holds
    the button decides when the arm moves, and is told where nothing records it.
    """

    def __init__(self, node: Node, recorder: str, gap_s: float) -> None:
        self.recording = False
        self._gap = gap_s
        self._start = node.create_client(Trigger, f"{recorder}/start")
        self._stop = node.create_client(Trigger, f"{recorder}/stop")
        self._driven = -float("inf")
        self._pending: Future | None = None
        self._asked = self._retry_at = -float("inf")
        self._problem = ""

    def follow(self, driving: bool) -> str:
        """Begin or end an episode where it is time to; what is wrong with the recording, or ''."""
        now = time.monotonic()
        if driving:
            self._driven = now
        wanted = driving or (self.recording and now - self._driven < self._gap)
        if self._pending is not None and now - self._asked > ANSWER_S:
            self._pending.cancel()
            self._failed("did not answer")
        if wanted == self.recording:
            self._problem = ""
        elif self._pending is None and now >= self._retry_at:
            self._ask(wanted)
        return self._problem

    def _ask(self, record: bool) -> None:
        client = self._start if record else self._stop
        if not client.service_is_ready():
            self._failed(f"there is no service {client.srv_name}")
            return
        self._asked = time.monotonic()
        self._pending = pending = client.call_async(Trigger.Request())

        def answered(future: Future) -> None:
            given_up = future is not self._pending
            if given_up:
                return
            self._pending = None
            response = future.result()
            if response.success:
                self.recording, self._problem = record, ""
            else:
                self._failed(response.message)

        pending.add_done_callback(answered)

    def _failed(self, why: str) -> None:
        self._pending, self._retry_at = None, time.monotonic() + RETRY_S
        doing = "the episode is not ended" if self.recording else "what is driven is not recorded"
        self._problem = f"{doing}: {why}"
