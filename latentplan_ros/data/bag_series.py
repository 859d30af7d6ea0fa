"""The bags of one recorder, one an episode, each beginning where the one before it ended."""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from latentplan_ros.data.bag_repair import repair
from latentplan_ros.data.bag_writer import BagError, BagWriter, annotate
from latentplan_ros.data.disk import require_room
from latentplan_ros.data.tally import EpisodeTally

CLOCK_JUMP_NS = 1_000_000_000
Outcome = Literal["success", "failure"]
Definition = Callable[[str], tuple[str, str]]


@dataclass
class _Running:
    writer: BagWriter
    started_ns: int
    outcome: str = ""
    channels: dict[tuple[str, str], int] = field(default_factory=dict)
    tally: EpisodeTally = field(default_factory=EpisodeTally)


class BagSeries:
    """Begins, ends, marks and sums up episodes; no more than one at a time.

    definition: message definition and type hash by type name. Every failure is a BagError, after
    which what was written is on disk and no episode is running.
    """

    def __init__(self, directory: Path, definition: Definition) -> None:
        self.directory, self._definition = directory, definition
        self._running: _Running | None = None
        self._newest: Path | None = None
        self._number = 0

    @property
    def folder(self) -> Path | None:
        """Of the running episode."""
        return None if self._running is None else self._running.writer.folder

    @property
    def tally(self) -> EpisodeTally:
        """Of the running episode; empty where none is running."""
        return EpisodeTally() if self._running is None else self._running.tally

    def begin(
        self, about: Mapping[str, str], prefix: str, now_ns: int, least_free_gb: float
    ) -> Path:
        """A new episode; one that is running must be ended first. Raises BagError, DiskFull."""
        require_room(self.directory, least_free_gb)
        stem = f"{prefix}_{time.strftime('%Y%m%d_%H%M%S')}"
        while (folder := self.directory / f"{stem}_{self._number:04d}").exists():
            self._number += 1
        self._running = _Running(BagWriter(folder, about), now_ns)
        self._newest = folder
        self._number += 1
        return folder

    def write(
        self,
        topic: str,
        msgtype: str,
        data: bytes,
        time_ns: int,
        published_ns: int = 0,
        sequence: int | None = None,
        missed: int | None = 0,
    ) -> None:
        """One message into the running episode, if there is one. Raises BagError."""
        running = self._running
        if running is None:
            return
        try:
            channel = running.channels.get((topic, msgtype))
            if channel is None:
                channel = running.writer.add_topic(topic, msgtype, *self._definition(msgtype))
                running.channels[topic, msgtype] = channel
            running.writer.write(channel, data, time_ns, published_ns, sequence)
        except OSError as error:
            raise self._broken(running, error) from None
        running.tally.of(topic).add(time_ns, len(data), missed)

    def full(self, time_ns: int, size: int, longest_s: float, largest_mb: float) -> str:
        """Why a message of that time and size belongs in a new episode; empty where it does not.

        longest_s, largest_mb (10^6 bytes): limits of an episode, 0 for none.
        """
        running = self._running
        if running is None or running.writer.messages == 0:
            return ""
        if longest_s and time_ns - running.started_ns >= longest_s * 1e9:
            return f"it is {longest_s:g} s long"
        if largest_mb and running.writer.size + size > largest_mb * 1e6:
            return f"it holds {largest_mb:g} MB"
        if time_ns < running.writer.last_ns - CLOCK_JUMP_NS:
            return "the clock went back"
        return ""

    def mark(self, outcome: Outcome) -> Path:
        """Note how the running episode went, or the newest one where none is running.

        Raises BagError.
        """
        if self._newest is None:
            raise BagError("nothing has been recorded that could be marked")
        running = self._running
        if running is None:
            annotate(self._newest, outcome=outcome)
            return self._newest
        try:
            running.writer.note(outcome=outcome)
        except OSError as error:
            raise self._broken(running, error) from None
        running.outcome = outcome
        return self._newest

    def end(self, wanted: Collection[str] = ()) -> str:
        """End the running episode. Its summary, which names the wanted topics that said nothing.

        Raises BagError.
        """
        running, self._running = self._running, None
        if running is None:
            return "nothing was being recorded"
        writer, tally = running.writer, running.tally
        try:
            if tally.dropped:
                losses = [f"{topic}: {tally.of(topic).dropped}" for topic in tally.losers()]
                writer.note(dropped=", ".join(losses))
            writer.close()
        except OSError as error:
            raise self._broken(running, error) from None
        silent = ", ".join(topic for topic in wanted if topic not in tally.topics)
        return tally.summary(str(writer.folder), writer.seconds, running.outcome, silent)

    def _broken(self, running: _Running, error: OSError) -> BagError:
        """Let go of an episode that cannot be written on; what was written is completed."""
        self._running = None
        running.writer.abandon()
        path, reason = running.writer.path, error.strerror or str(error)
        try:
            kept = repair(running.writer.folder)
        except (BagError, OSError):
            return BagError(f"{path}: recording ended: {reason}; the next start completes the file")
        return BagError(f"{path}: recording ended: {reason}; all {kept} messages before are kept")
