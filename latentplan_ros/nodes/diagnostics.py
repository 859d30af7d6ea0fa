"""How a node says on /diagnostics whether it does its work, and if not, why."""

import time

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from latentplan_ros.nodes import qos

LOG_PERIOD_S = 1.0

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


class Diagnostics:
    """One status of one node: published at once when it changes, and once a second.

    A change is logged too, so that a terminal tells the same story. part: where a node has more to
    say than one status, the name of the further one.
    """

    def __init__(self, node: Node, message: str = "starting", part: str = "") -> None:
        self._node = node
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", qos.REPORT)
        self._status = DiagnosticStatus(
            level=OK,
            name=node.get_fully_qualified_name() + (f": {part}" if part else ""),
            message=message,
            hardware_id="",
        )
        # Steady time: a stopped simulated clock must not silence the report of it.
        self._timer = node.create_timer(
            1.0, self._repeat, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )
        self._logged = (OK, message)
        self._logged_at = -LOG_PERIOD_S

    @property
    def level(self) -> bytes:
        return self._status.level

    @property
    def message(self) -> str:
        return self._status.message

    def set(self, level: bytes, message: str, **values: object) -> None:
        """Set the status: level OK, WARN or ERROR, one sentence, and named values."""
        changed = (level, message) != (self._status.level, self._status.message)
        self._status.level, self._status.message = level, message
        self._status.values = [KeyValue(key=k, value=str(v)) for k, v in values.items()]
        if changed:
            self.publish()
            self._log()

    def _repeat(self) -> None:
        self.publish()
        self._log()

    def _log(self) -> None:
        news, now = (self._status.level, self._status.message), time.monotonic()
        if news == self._logged or now - self._logged_at < LOG_PERIOD_S:
            return
        self._logged, self._logged_at = news, now
        level, message = news
        logger = self._node.get_logger()
        if level == OK:
            logger.info(message)
        elif level == WARN:
            logger.warning(message)
        else:
            logger.error(message)

    def publish(self) -> None:
        stamp = self._node.get_clock().now().to_msg()
        array = DiagnosticArray(status=[self._status])
        array.header.stamp = stamp
        self._publisher.publish(array)
