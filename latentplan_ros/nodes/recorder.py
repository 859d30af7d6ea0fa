"""Records raw messages, a rosbag2 folder an episode, and loses nothing when it is killed."""

import sys
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import rclpy.node
from rclpy.clock import Clock, ClockType
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from std_srvs.srv import Trigger

from latentplan_ros.data.bag_repair import is_being_written, needs_repair, repair
from latentplan_ros.data.bag_writer import BagError, BagWriter
from latentplan_ros.nodes.definitions import UnknownType, definition, message_class
from latentplan_ros.nodes.diagnostics import ERROR, OK, WARN, Diagnostics
from latentplan_ros.nodes.parameters import ParameterError, declare
from latentplan_ros.nodes.process import run

DISCOVERY_PERIOD_S = 0.1
REPORT_PERIOD_S = 1.0
DEPTH = 1000  # room for a slow disk
TOPICS = [
    "camera/image_raw",
    "joint_states",
    "current_pose",
    "action",
    "target_pose",
    "gripper_position_controller/commands",
    "goal/image",
    "sim_bridge/truth",
]


@dataclass
class Tap:
    """One recorded topic: its subscription, and the newest message for the start of an episode."""

    msgtype: str
    qos: QoSProfile
    subscription: Any
    channel: int | None = None
    newest: bytes | None = None
    newest_ns: int = 0

    @property
    def latched(self) -> bool:
        return self.qos.durability == DurabilityPolicy.TRANSIENT_LOCAL


class Recorder(rclpy.node.Node):
    """~/start begins an episode (ending one that is running), ~/stop ends it.

    Topics are subscribed before any start, so that an episode misses none of its first messages: it
    opens with the newest message of each topic that is not older than ``preroll_s``, and of latched
    topics whatever their age. Bags that were cut by a kill are completed when the node starts.
    """

    def __init__(self) -> None:
        super().__init__("recorder")
        directory = declare(self, "directory", "runs/bags", "Folder of the bags", read_only=True)
        topics = declare(self, "topics", TOPICS, "Topics to record", read_only=True)
        self._robot = declare(self, "robot", "franka", "Robot profile noted in the bags")
        self._task = declare(self, "task", "", "Task noted in the bags")
        self._prefix = declare(self, "prefix", "episode", "First part of the bags' names")
        self._preroll = declare(
            self, "preroll_s", 0.5, "Age of messages that an episode opens with, s", 0.0, 10.0
        )
        autostart = declare(self, "autostart", False, "Start recording at once", read_only=True)
        self._directory = Path(directory).expanduser()
        self._wanted = [self.resolve_topic_name(topic) for topic in topics]
        self._taps: dict[str, Tap] = {}
        self._writer: BagWriter | None = None
        self._fault = ""
        self._diagnostics = Diagnostics(self)
        self._number = 0
        self._repair_cut_bags()
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(DISCOVERY_PERIOD_S, self._discover, clock=steady)
        self.create_timer(REPORT_PERIOD_S, self._report, clock=steady)
        self.create_service(Trigger, "~/start", self._on_start)
        self.create_service(Trigger, "~/stop", self._on_stop)
        self._discover()
        if autostart:
            self._begin()

    def close(self) -> None:
        self._end()

    def _repair_cut_bags(self) -> None:
        for folder in sorted(self._directory.glob("*")) if self._directory.is_dir() else []:
            if folder.name.startswith(".") or not folder.is_dir() or not needs_repair(folder):
                continue
            if any(is_being_written(file) for file in folder.glob("*.mcap")):
                continue  # another recorder's
            try:
                count = repair(folder)
            except (BagError, OSError) as error:
                self.get_logger().error(f"{folder}: was cut short and can't be completed: {error}")
            else:
                self.get_logger().warning(
                    f"{folder}: was cut short; completed with all of its {count} messages"
                )

    # Topics ---------------------------------------------------------------------------------
    def _discover(self) -> None:
        """Subscribe what has appeared, anew where the publishers' quality of service changed."""
        for topic in self._wanted:
            publishers = self.get_publishers_info_by_topic(topic)
            if not publishers:
                continue
            types = {p.topic_type for p in publishers}
            qos = _matching(publishers)
            tap = self._taps.get(topic)
            if tap is not None and tap.msgtype in types and tap.qos == qos:
                continue
            msgtype = tap.msgtype if tap is not None and tap.msgtype in types else min(types)
            try:
                self._subscribe(topic, msgtype, qos)
            except UnknownType as error:
                self._fault = f"{topic} can't be recorded: {error}"

    def _subscribe(self, topic: str, msgtype: str, qos: QoSProfile) -> None:
        kind = message_class(msgtype)
        old = self._taps.get(topic)
        if old is not None:
            self.destroy_subscription(old.subscription)

        def keep(raw: bytes) -> None:
            self._keep(topic, raw)

        subscription = self.create_subscription(kind, topic, keep, qos, raw=True)
        channel = old.channel if old is not None and old.msgtype == msgtype else None
        self._taps[topic] = Tap(msgtype, qos, subscription, channel)

    def _keep(self, topic: str, raw: bytes) -> None:
        tap = self._taps[topic]
        tap.newest, tap.newest_ns = raw, self.get_clock().now().nanoseconds
        self._write(topic, tap, raw, tap.newest_ns)

    def _write(self, topic: str, tap: Tap, raw: bytes, time_ns: int) -> None:
        if self._writer is None:
            return
        try:
            if tap.channel is None:
                tap.channel = self._writer.add_topic(topic, tap.msgtype, *definition(tap.msgtype))
            self._writer.write(tap.channel, raw, time_ns)
        except OSError as error:
            # What has been written stays, and the next start of this node completes the file.
            self._writer.abandon()
            self._fault = f"{self._writer.path}: recording ended: {error.strerror}"
            self._writer = None
            self._report()

    # Episodes -------------------------------------------------------------------------------
    def _begin(self) -> str:
        """Path of the new episode. Raises BagError."""
        self._end()
        about = {
            "robot": self._robot,
            "task": self._task,
            "started": datetime.now().astimezone().isoformat(),
        }
        stem = f"{self._prefix}_{time.strftime('%Y%m%d_%H%M%S')}"
        while (folder := self._directory / f"{stem}_{self._number:04d}").exists():
            self._number += 1
        for tap in self._taps.values():
            tap.channel = None
        self._writer = BagWriter(folder, about)
        self._number += 1
        self._fault = ""
        now = self.get_clock().now().nanoseconds
        opening: list[tuple[int, str, Tap, bytes]] = []
        for topic, tap in self._taps.items():
            if tap.newest is None:
                continue
            if 0 <= now - tap.newest_ns <= self._preroll * 1e9:
                opening.append((tap.newest_ns, topic, tap, tap.newest))
            elif tap.latched:
                opening.append((now, topic, tap, tap.newest))
        # In order of time: readers refuse an unchunked file in which time goes back.
        for time_ns, topic, tap, raw in sorted(opening, key=lambda message: message[0]):
            self._write(topic, tap, raw, time_ns)
        return str(folder)

    def _end(self) -> str:
        """What was recorded, in a sentence."""
        if self._writer is None:
            return "nothing was being recorded"
        writer, self._writer = self._writer, None
        counts = writer.counts()
        try:
            writer.close()
        except OSError as error:
            self._fault = f"{writer.path}: not completed: {error.strerror}"
        total = sum(counts.values())
        silent = self._silent(counts)
        return f"{writer.folder}: {total} messages" + (f"; none on {silent}" if silent else "")

    def _silent(self, counts: dict[str, int]) -> str:
        published = [t for t in self._wanted if t in self._taps or t.endswith("camera/image_raw")]
        return ", ".join(topic for topic in published if not counts.get(topic))

    def _on_start(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._discover()
        try:
            response.success, response.message = True, self._begin()
        except (BagError, OSError) as error:
            self._fault = str(error)
            response.success, response.message = False, str(error)
        self._report()
        return response

    def _on_stop(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        # Also a success where nothing runs: after a kill and a respawn there is nothing to stop.
        response.message = self._end()
        response.success = not self._fault
        if self._fault:
            response.message = self._fault
        self._report()
        return response

    def _report(self) -> None:
        if self._fault:
            self._diagnostics.set(ERROR, self._fault)
            return
        if self._writer is None:
            missing = [topic for topic in self._wanted if topic not in self._taps]
            self._diagnostics.set(
                OK, "ready", directory=self._directory, not_published=", ".join(missing)
            )
            return
        counts = self._writer.counts()
        silent = self._silent(counts)
        if silent:
            self._diagnostics.set(WARN, f"recording, but nothing comes on {silent}", **counts)
        else:
            self._diagnostics.set(OK, f"recording {self._writer.folder}", **counts)


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


def main() -> None:
    sys.exit(run(Recorder, ParameterError, BagError))


if __name__ == "__main__":
    main()
