"""Subscriptions that hand on raw messages with what the transport knows about them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription

from latentplan_ros.data.tally import Numbering
from latentplan_ros.nodes.definitions import UnknownType, message_class

DEPTH = 1000  # room for a slow disk
MOST_AT_ONCE = 100
# Humble's rclpy keeps to itself what the transport says about a raw message.
_INFORMED = hasattr(Subscription, "CallbackType")


@dataclass(frozen=True)
class Arrival:
    """One message. published_ns: 0 where unknown; sequence, missed: None where not numbered."""

    data: bytes
    published_ns: int
    sequence: int | None
    missed: int | None


@dataclass
class Tap:
    """One topic: its subscription, and the newest message with the time it was received."""

    topic: str
    msgtype: str
    qos: QoSProfile
    publishers: tuple[bytes, ...]
    subscription: Any = None
    numbering: Numbering = field(default_factory=Numbering)
    newest: Arrival | None = None
    newest_ns: int = 0

    @property
    def latched(self) -> bool:
        return self.qos.durability == DurabilityPolicy.TRANSIENT_LOCAL

    def arrival(self, data: bytes, info: Mapping[str, Any]) -> Arrival:
        published = info.get("source_timestamp") or 0
        number = info.get("publication_sequence_number")
        publisher = self._publisher(info)
        if number is None or publisher is None:
            return Arrival(data, published, number, None)
        return Arrival(data, published, number, self.numbering.missed(publisher, number))

    def _publisher(self, info: Mapping[str, Any]) -> bytes | None:
        """Who sent a message; before Kilted that is known only where there is a single one."""
        gid = info.get("publisher_gid")
        if gid is not None:
            return bytes(gid["data"])
        return self.publishers[0] if len(self.publishers) == 1 else None


class Taps:
    """One subscription a wanted topic, made when it appears, with the quality of its publishers."""

    def __init__(
        self, node: Node, wanted: list[str], receive: Callable[[Tap, Arrival], None]
    ) -> None:
        self.wanted = [node.resolve_topic_name(topic) for topic in wanted]
        self._node, self._receive = node, receive
        self._taps: dict[str, Tap] = {}

    def __iter__(self) -> Iterator[Tap]:
        return iter(self._taps.values())

    def __contains__(self, topic: str) -> bool:
        return topic in self._taps

    def discover(self) -> str:
        """Subscribe what has appeared, anew where the publishers' quality of service changed.

        Returns what stands in the way, or nothing.
        """
        fault = ""
        for topic in self.wanted:
            publishers = self._node.get_publishers_info_by_topic(topic)
            if not publishers:
                continue
            types = {p.topic_type for p in publishers}
            qos = _matching(publishers)
            tap = self._taps.get(topic)
            if tap is not None and tap.msgtype in types:
                tap.publishers = _gids(publishers)
                if tap.qos == qos:
                    continue
            msgtype = tap.msgtype if tap is not None and tap.msgtype in types else min(types)
            try:
                self._subscribe(Tap(topic, msgtype, qos, _gids(publishers)))
            except UnknownType as error:
                fault = f"{topic} can't be recorded: {error}"
        return fault

    def _subscribe(self, tap: Tap) -> None:
        kind = message_class(tap.msgtype)
        old = self._taps.get(tap.topic)
        if old is not None:
            self._drain(old, DEPTH)
            self._node.destroy_subscription(old.subscription)
            tap.numbering = old.numbering

        def informed(data: bytes, info: Mapping[str, Any]) -> None:
            self._receive(tap, tap.arrival(data, info))
            self._drain(tap, MOST_AT_ONCE)

        def uninformed(data: bytes) -> None:
            self._receive(tap, tap.arrival(data, {}))
            self._drain(tap, MOST_AT_ONCE)

        callback = informed if _INFORMED else uninformed
        tap.subscription = self._node.create_subscription(
            kind, tap.topic, callback, tap.qos, raw=True
        )
        self._taps[tap.topic] = tap

    def _drain(self, tap: Tap, most: int) -> None:
        """Take what else waits, up to a limit that leaves the other topics their turn.

        The executor takes one message a turn, and a turn costs it more than a message costs us: it
        would fall behind a burst, and lose what no longer fits into the queue.
        """
        subscription = tap.subscription
        for _ in range(most):
            with subscription.handle:
                taken = subscription.handle.take_message(subscription.msg_type, True)
            if taken is None:
                return
            self._receive(tap, tap.arrival(*taken))


def _gids(publishers: list[Any]) -> tuple[bytes, ...]:
    return tuple(bytes(p.endpoint_gid) for p in publishers)


def _matching(publishers: list[Any]) -> QoSProfile:
    """The strictest quality of service that all publishers of a topic can serve."""
    profiles = [p.qos_profile for p in publishers]
    reliable = all(p.reliability == ReliabilityPolicy.RELIABLE for p in profiles)
    latched = all(p.durability == DurabilityPolicy.TRANSIENT_LOCAL for p in profiles)
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=DEPTH,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )
