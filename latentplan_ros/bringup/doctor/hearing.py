"""A running graph, listened to from outside for a few seconds."""

import itertools
import struct
import time
from dataclasses import dataclass, field
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock

from latentplan_ros.bringup.client import GraphClient
from latentplan_ros.nodes import qos
from latentplan_ros.nodes.contract import TOPICS, Topic
from latentplan_ros.nodes.definitions import UnknownType, message_class
from latentplan_ros.nodes.stamps import seconds, stamp_of_raw

DEPTH = 1000  # what is lost shall be lost before it arrives here
DISCOVERY_S, STILL_S = 10.0, 1.0  # a graph is known when nothing new has appeared for STILL_S
_MOST_FRAME = 256  # characters; a longer name is no frame but damage
OURSELVES = "doctor"


@dataclass(frozen=True)
class Endpoint:
    """One publisher or subscription: full name of its node, type, quality of service."""

    node: str
    msgtype: str
    qos: QoSProfile


@dataclass
class Heard:
    """What arrived on one topic. Times in seconds.

    arrivals: monotonic; ages: arrival minus header stamp, on the graph's clock; transports: arrival
    minus publication, both wall clocks; sequence: publication numbers, empty where several publish.
    """

    topic: Topic
    name: str
    publishers: list[Endpoint] = field(default_factory=list)
    subscriptions: list[Endpoint] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)
    stamps: list[float] = field(default_factory=list)
    ages: list[float] = field(default_factory=list)
    transports: list[float] = field(default_factory=list)
    sequence: list[int] = field(default_factory=list)
    frames: set[str] = field(default_factory=set)
    damaged: str = ""
    ended: float = 0.0

    @property
    def rate(self) -> float | None:
        """Messages a second; None with fewer than two."""
        if len(self.arrivals) < 2 or self.arrivals[-1] <= self.arrivals[0]:
            return None
        return (len(self.arrivals) - 1) / (self.arrivals[-1] - self.arrivals[0])

    @property
    def silence(self) -> float | None:
        """The longest time between two messages, or since the last; None without any."""
        if not self.arrivals:
            return None
        moments = [*self.arrivals, self.ended]
        return max(b - a for a, b in itertools.pairwise(moments))

    @property
    def lost(self) -> int | None:
        """Messages published and not arrived, by their numbers; None where these say nothing."""
        if len(self.publishers) != 1 or len(self.sequence) < 2:
            return None
        numbers = set(self.sequence)
        return max(numbers) - min(numbers) + 1 - len(numbers)


@dataclass
class Hearing:
    """All that was heard. clocked: /clock makes the time; other_topics: name -> types, with a
    publisher and not of ours; statuses: the newest of each node on /diagnostics."""

    topics: list[Heard]
    nodes: list[str]
    clocked: bool
    other_topics: dict[str, list[str]]
    statuses: dict[str, DiagnosticStatus]


def listen(client: GraphClient, duration: float) -> Hearing:
    """Waits until the graph is known, then listens to every topic of ours for ``duration`` s."""
    _await_discovery(client)
    heard = [Heard(topic, _name_in_graph(client, topic)) for topic in TOPICS]
    statuses: dict[str, DiagnosticStatus] = {}
    clock: list[float] = []
    clocked = bool(_publishers(client, "/clock"))
    if clocked:
        client.listen(Clock, "/clock", qos.CLOCK, lambda m: clock.append(seconds(m.clock)))

    def note(message: DiagnosticArray) -> None:
        statuses.update({status.name: status for status in message.status})

    client.listen(DiagnosticArray, "/diagnostics", qos.REPORT, note)
    for one in heard:
        one.publishers = _publishers(client, one.name)
        if one.publishers:
            _attend(client, one, clock if clocked else None)
    time.sleep(duration)
    ended = time.monotonic()
    for one in heard:
        one.ended = ended
        one.publishers = _publishers(client, one.name)
        one.subscriptions = _subscriptions(client, one.name)
    ours = {one.name for one in heard}
    node = client.node
    others = {
        name: types
        for name, types in node.get_topic_names_and_types()
        if name not in ours and node.count_publishers(name)
    }
    names = [
        f"{space.rstrip('/')}/{name}"
        for name, space in node.get_node_names_and_namespaces()
        if name != OURSELVES
    ]
    return Hearing(heard, names, clocked, others, statuses)


def _await_discovery(client: GraphClient) -> None:
    began = changed = time.monotonic()
    known: Any = None
    while time.monotonic() < min(changed + STILL_S, began + DISCOVERY_S):
        node = client.node
        now = (sorted(node.get_node_names_and_namespaces()), node.get_topic_names_and_types())
        if now != known:
            known, changed = now, time.monotonic()
        time.sleep(0.05)


def _name_in_graph(client: GraphClient, topic: Topic) -> str:
    """The topic's name, or, where nobody uses that, what our nodes had it remapped to."""
    node = client.node
    name = node.resolve_topic_name(topic.name)
    if not topic.driver or node.count_publishers(name) or node.count_subscribers(name):
        return name
    ours = {node.resolve_topic_name(other.name) for other in TOPICS}
    present = set(node.get_node_names_and_namespaces())
    space = node.get_namespace()
    for reader in topic.subscribers:
        if (reader, space) not in present:
            continue
        listed = node.get_subscriber_names_and_types_by_node(reader, space)
        same = [n for n, types in listed if topic.msgtype in types and n not in ours]
        if len(same) == 1:
            return same[0]
    return name


def _attend(client: GraphClient, heard: Heard, clock: list[float] | None) -> None:
    """Listens as our nodes do, and to publishers that our nodes cannot hear as well."""
    asked, offered = heard.topic.asked, [publisher.qos for publisher in heard.publishers]
    reliable = all(o.reliability == ReliabilityPolicy.RELIABLE for o in (asked, *offered))
    latched = all(o.durability == DurabilityPolicy.TRANSIENT_LOCAL for o in (asked, *offered))
    profile = QoSProfile(
        depth=DEPTH,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )

    def keep(raw: bytes, info: dict[str, int]) -> None:
        heard.arrivals.append(time.monotonic())
        received, sent = info.get("received_timestamp") or time.time_ns(), info["source_timestamp"]
        heard.transports.append((received - sent) * 1e-9)
        number = info.get("publication_sequence_number")  # Humble has none
        if number is not None:
            heard.sequence.append(number)
        if not heard.topic.stamped:
            return
        try:
            stamp, frame = stamp_of_raw(raw), frame_of_raw(raw)
        except ValueError as error:
            heard.damaged = str(error)
            return
        heard.stamps.append(stamp)
        heard.frames.add(frame)
        if clock is None:
            heard.ages.append(received * 1e-9 - stamp)
        elif clock:
            heard.ages.append(clock[-1] - stamp)

    try:
        kind = message_class(heard.topic.msgtype)
    except UnknownType:
        return
    client.node.create_subscription(kind, heard.name, keep, profile, raw=True)


def frame_of_raw(raw: bytes) -> str:
    """``header.frame_id`` of a serialized message that begins with a std_msgs/Header.

    Raises ValueError where the bytes cannot hold one.
    """
    order = "<" if len(raw) > 1 and raw[1] & 1 else ">"
    if len(raw) < 16:
        raise ValueError(f"a message with a header has at least 16 bytes, this one {len(raw)}")
    (length,) = struct.unpack_from(order + "I", raw, 12)
    if not 1 <= length <= min(_MOST_FRAME, len(raw) - 16):
        raise ValueError(f"a frame name of {length} bytes in a message of {len(raw)}")
    return raw[16 : 16 + length - 1].decode(errors="replace")


def _publishers(client: GraphClient, name: str) -> list[Endpoint]:
    return _endpoints(client.node.get_publishers_info_by_topic(name))


def _subscriptions(client: GraphClient, name: str) -> list[Endpoint]:
    return _endpoints(client.node.get_subscriptions_info_by_topic(name))


def _endpoints(infos: list[Any]) -> list[Endpoint]:
    return [
        Endpoint(f"{i.node_namespace.rstrip('/')}/{i.node_name}", i.topic_type, i.qos_profile)
        for i in infos
        if i.node_name != OURSELVES
    ]
