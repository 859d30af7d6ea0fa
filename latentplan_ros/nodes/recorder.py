"""Records raw messages, a rosbag2 folder an episode, and loses nothing when it is killed."""

import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import rclpy.node
from rclpy.clock import Clock, ClockType
from std_srvs.srv import Trigger

from latentplan_ros.data.bag_repair import is_being_written, needs_repair, repair
from latentplan_ros.data.bag_series import BagSeries, Outcome
from latentplan_ros.data.bag_writer import BagError
from latentplan_ros.data.disk import require_room
from latentplan_ros.nodes.definitions import definition
from latentplan_ros.nodes.diagnostics import ERROR, OK, WARN, Diagnostics
from latentplan_ros.nodes.parameters import ParameterError, declare
from latentplan_ros.nodes.process import run
from latentplan_ros.nodes.taps import Arrival, Tap, Taps

WATCH_PERIOD_S = 0.1  # of new topics, and of the room on the disk
REPORT_PERIOD_S = 1.0
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


class Recorder(rclpy.node.Node):
    """~/start begins an episode (ending one that is running), ~/stop ends it and sums it up.

    ~/mark_success and ~/mark_failure note how the running episode went, or the last one.

    Topics are subscribed before any start, so that an episode misses none of its first messages: it
    opens with the newest message of each topic that is not older than ``preroll_s``, and of latched
    topics whatever their age. An episode that grows too long or too large is followed by another
    with the very next message. Bags that were cut by a kill are completed when the node starts.
    """

    def __init__(self) -> None:
        super().__init__("recorder")
        directory = declare(self, "directory", "runs/bags", "Folder of the bags", read_only=True)
        topics = declare(self, "topics", TOPICS, "Topics to record", read_only=True)
        declare(self, "robot", "franka", "Robot profile noted in the bags")
        declare(self, "task", "", "Task noted in the bags")
        declare(self, "prefix", "episode", "First part of the bags' names")
        declare(self, "preroll_s", 0.5, "Age of messages that an episode opens with, s", 0.0, 10.0)
        declare(self, "max_episode_s", 0.0, "Length at which the next episode begins, s", 0.0, 1e6)
        declare(
            self, "max_episode_mb", 1000.0, "Size at which the next episode begins, MB", 0.0, 1e9
        )
        declare(self, "min_free_gb", 1.0, "Room that is left on the disk, GB", 0.0, 1e6)
        autostart = declare(self, "autostart", False, "Start recording at once", read_only=True)
        self._fault = ""
        self._limits = 0.0, 0.0  # of the running episode: s, MB
        self._diagnostics = Diagnostics(self)
        self._bags = BagSeries(Path(directory).expanduser(), definition)
        self._repair_cut_bags()
        self._taps = Taps(self, topics, self._receive)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(WATCH_PERIOD_S, self._watch, clock=steady)
        self.create_timer(REPORT_PERIOD_S, self._report, clock=steady)
        self.create_service(Trigger, "~/start", self._on_start)
        self.create_service(Trigger, "~/stop", self._on_stop)
        self.create_service(Trigger, "~/mark_success", self._marking("success"))
        self.create_service(Trigger, "~/mark_failure", self._marking("failure"))
        self._watch()
        if autostart:
            self._begin()

    def close(self) -> None:
        self._end()

    def _value(self, name: str) -> Any:
        return self.get_parameter(name).value

    def _now(self) -> int:
        return self.get_clock().now().nanoseconds

    def _repair_cut_bags(self) -> None:
        directory = self._bags.directory
        for folder in sorted(directory.glob("*")) if directory.is_dir() else []:
            try:
                if folder.name.startswith(".") or not folder.is_dir() or not needs_repair(folder):
                    continue
                if any(is_being_written(file) for file in folder.glob("*.mcap")):
                    continue  # another recorder's
                count = repair(folder)
            except BlockingIOError:
                continue  # a recorder that started at the same time is at it
            except (BagError, OSError) as error:
                self.get_logger().error(f"{folder}: was cut short and can't be completed: {error}")
            else:
                self.get_logger().warning(
                    f"{folder}: was cut short; completed with all of its {count} messages"
                )

    # Messages -------------------------------------------------------------------------------
    def _receive(self, tap: Tap, arrival: Arrival) -> None:
        now = self._now()
        try:
            size, seconds, mb = len(arrival.data), *self._limits
            if reason := self._bags.full(now, size, seconds, mb):
                self._continue(reason)
            self._write(tap, arrival, now)
        except BagError as error:
            self._fail(error)
        tap.newest, tap.newest_ns = arrival, now

    def _write(self, tap: Tap, message: Arrival, time_ns: int) -> None:
        self._bags.write(
            tap.topic,
            tap.msgtype,
            message.data,
            time_ns,
            message.published_ns,
            message.sequence,
            message.missed,
        )

    def _watch(self) -> None:
        if fault := self._taps.discover():
            self._fault = fault
        if self._bags.folder is None:
            return
        try:
            require_room(self._bags.directory, self._value("min_free_gb"))
        except BagError as error:
            self._end()
            self._fail(BagError(f"recording ended: {error}"))

    def _fail(self, error: BagError) -> None:
        self._fault = str(error)
        self._report()

    # Episodes -------------------------------------------------------------------------------
    def _begin(self, **about: str) -> Path:
        """Raises BagError."""
        self._end()
        about = {
            "robot": self._value("robot"),
            "task": self._value("task"),
            "started": datetime.now().astimezone().isoformat(),
            **about,
        }
        now, least = self._now(), self._value("min_free_gb")
        self._limits = self._value("max_episode_s"), self._value("max_episode_mb")
        folder = self._bags.begin(about, self._value("prefix"), now, least)
        self._fault = ""
        preroll_ns = self._value("preroll_s") * 1e9
        opening: list[tuple[int, Tap, Arrival]] = []
        for tap in self._taps:
            if tap.newest is None:
                continue
            # What was missed before it was missed before this episode.
            message = replace(tap.newest, missed=None if tap.newest.missed is None else 0)
            if 0 <= now - tap.newest_ns <= preroll_ns:
                opening.append((tap.newest_ns, tap, message))
            elif tap.latched:
                opening.append((now, tap, message))
        # In order of time: readers refuse an unchunked file in which time goes back.
        for time_ns, tap, message in sorted(opening, key=lambda entry: entry[0]):
            self._write(tap, message, time_ns)
        return folder

    def _continue(self, reason: str) -> None:
        """End the running episode and begin the next. Raises BagError."""
        before = self._bags.folder
        assert before is not None
        self.get_logger().info(f"{before.name} ends, as {reason}; another follows")
        self._begin(continues=before.name)

    def _end(self) -> str:
        """What was recorded; a fault is kept for the report."""
        if self._bags.folder is None:
            return "nothing was being recorded"
        published = [t for t in self._taps.wanted if self._expected(t)]
        try:
            summary = self._bags.end(published)
        except BagError as error:
            self._fault = str(error)
            self.get_logger().error(self._fault)
            return self._fault
        self.get_logger().info(summary)
        return summary

    def _expected(self, topic: str) -> bool:
        """Whether silence on a topic is worth a word: somebody publishes it, or it is a camera."""
        return topic in self._taps or topic.endswith("camera/image_raw")

    # Services -------------------------------------------------------------------------------
    def _on_start(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._taps.discover()
        try:
            response.success, response.message = True, str(self._begin())
        except BagError as error:
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

    def _marking(self, outcome: Outcome) -> Any:
        def mark(_: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
            try:
                response.message = f"{self._bags.mark(outcome)}: {outcome}"
                response.success = True
            except BagError as error:
                response.message, response.success = str(error), False
            self.get_logger().info(response.message)
            return response

        return mark

    def _report(self) -> None:
        if self._fault:
            self._diagnostics.set(ERROR, self._fault)
            return
        directory = self._bags.directory
        if self._bags.folder is None:
            missing = [topic for topic in self._taps.wanted if topic not in self._taps]
            self._diagnostics.set(
                OK, "ready", directory=directory, not_published=", ".join(missing)
            )
            return
        tally = self._bags.tally
        values = {topic: str(counted) for topic, counted in tally.topics.items()}
        expected = [t for t in self._taps.wanted if self._expected(t)]
        silent = ", ".join(topic for topic in expected if topic not in tally.topics)
        if silent:
            self._diagnostics.set(WARN, f"recording, but nothing comes on {silent}", **values)
        elif tally.dropped:
            lossy = ", ".join(tally.losers())
            self._diagnostics.set(
                WARN, f"recording, but messages were dropped on {lossy}", **values
            )
        else:
            self._diagnostics.set(OK, f"recording {self._bags.folder}", **values)


def main() -> None:
    sys.exit(run(Recorder, ParameterError, BagError))


if __name__ == "__main__":
    main()
