"""Writes one episode as a rosbag2 folder in which nothing is lost when the process is killed."""

import contextlib
import fcntl
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from mcap.writer import CompressionType, Writer

# The last metadata version whose QoS field is plain text, which Humble can read as well.
_METADATA_VERSION = 8
METADATA_RECORD = "latentplan"
_IDL = "=" * 80 + "\nIDL: "


class BagError(RuntimeError):
    """A bag cannot be written or read; the message names it."""


class BagWriter:
    """A rosbag2 folder with one MCAP file: ``folder/metadata.yaml`` and ``folder/<name>_0.mcap``.

    Messages are written unchunked and handed to the operating system one by one, so that a killed
    process has lost none of them; only footer and metadata.yaml are missing, which
    ``bag_repair.repair`` adds. The file is locked while it is being written.
    """

    def __init__(self, folder: Path, about: Mapping[str, str], file_name: str = "") -> None:
        """about: what ``dataset build`` wants to know (robot, task, ...).

        It is kept both in the file, where a kill can't hurt it, and in metadata.yaml.
        Raises BagError when the folder exists or cannot be made.
        """
        self.folder = Path(folder)
        self.path = self.folder / (file_name or f"{self.folder.name}_0.mcap")
        try:
            self.folder.mkdir(parents=True)
            self._stream = self.path.open("wb")
        except OSError as error:
            raise BagError(f"{self.path}: cannot start a bag: {error.strerror}") from None
        fcntl.flock(self._stream, fcntl.LOCK_EX)
        self._file = Writer(self._stream, use_chunking=False, compression=CompressionType.NONE)
        self._file.start(profile="ros2", library="latentplan_ros")
        self._about = dict(about)
        self._file.add_metadata(METADATA_RECORD, self._about)
        self._stream.flush()
        self._topics: dict[int, dict[str, Any]] = {}
        self._schemas: dict[str, int] = {}
        self._first = self._last = 0

    @property
    def messages(self) -> int:
        return sum(topic["message_count"] for topic in self._topics.values())

    def counts(self) -> dict[str, int]:
        """Messages written so far, by topic."""
        return {t["topic_metadata"]["name"]: t["message_count"] for t in self._topics.values()}

    def add_topic(self, name: str, msgtype: str, definition: str, type_hash: str = "") -> int:
        """Channel number of a new topic. definition: msg or idl text; empty when nobody has it."""
        if msgtype not in self._schemas:
            encoding = "ros2idl" if definition.startswith(_IDL) else "ros2msg"
            encoding = encoding if definition else ""
            self._schemas[msgtype] = self._file.register_schema(
                msgtype, encoding, definition.encode()
            )
        metadata = {"offered_qos_profiles": "", "topic_type_hash": type_hash}
        channel = self._file.register_channel(name, "cdr", self._schemas[msgtype], metadata)
        self._topics[channel] = {
            "topic_metadata": {
                "name": name,
                "type": msgtype,
                "serialization_format": "cdr",
                "offered_qos_profiles": "",
                "type_description_hash": type_hash,
            },
            "message_count": 0,
        }
        return channel

    def write(self, channel: int, data: bytes, time_ns: int, published_ns: int = 0) -> None:
        """One serialized message, received at time_ns. Raises OSError (disk full)."""
        topic = self._topics[channel]
        self._file.add_message(
            channel, time_ns, data, published_ns or time_ns, topic["message_count"]
        )
        self._stream.flush()
        self._first = time_ns if self.messages == 0 else min(self._first, time_ns)
        self._last = max(self._last, time_ns)
        topic["message_count"] += 1

    def close(self) -> None:
        """Write the footer and metadata.yaml. The bag is then complete for every reader."""
        if self._stream.closed:
            return
        self._file.finish()
        self._stream.flush()
        write_metadata(self.folder, self.path.name, self._summary())
        self._stream.close()

    def abandon(self) -> None:
        """Let go of the file as it is, without footer (a full disk); ``repair`` completes it."""
        with contextlib.suppress(OSError):
            self._stream.close()

    def _summary(self) -> dict[str, Any]:
        return {
            "topics": list(self._topics.values()),
            "count": self.messages,
            "start": self._first,
            "duration": self._last - self._first if self.messages else 0,
            "about": self._about,
        }

    def __enter__(self) -> "BagWriter":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def write_metadata(folder: Path, file_name: str, summary: Mapping[str, Any]) -> None:
    """metadata.yaml of a bag with one MCAP file; appears whole or not at all."""
    start = {"nanoseconds_since_epoch": summary["start"]}
    duration = {"nanoseconds": summary["duration"]}
    information = {
        "version": _METADATA_VERSION,
        "storage_identifier": "mcap",
        "duration": duration,
        "starting_time": start,
        "message_count": summary["count"],
        "topics_with_message_count": summary["topics"],
        "compression_format": "",
        "compression_mode": "",
        "relative_file_paths": [file_name],
        "files": [
            {
                "path": file_name,
                "starting_time": dict(start),
                "duration": dict(duration),
                "message_count": summary["count"],
            }
        ],
        "custom_data": dict(summary["about"]),
        "ros_distro": os.environ.get("ROS_DISTRO", "unknown"),
    }
    temporary = folder / "metadata.yaml.tmp"
    text = yaml.safe_dump({"rosbag2_bagfile_information": information}, sort_keys=False)
    temporary.write_text(text)
    temporary.replace(folder / "metadata.yaml")
