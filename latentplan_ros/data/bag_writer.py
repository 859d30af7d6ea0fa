"""Writes one episode as a rosbag2 folder in which nothing is lost when the process is killed."""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from latentplan_ros.data.mcap_file import McapFile

# The last metadata version whose QoS field is plain text, which Humble can read as well.
_METADATA_VERSION = 8
METADATA_RECORD = "latentplan"


class BagError(RuntimeError):
    """A bag cannot be written or read; the message names it."""


class BagWriter:
    """A rosbag2 folder with one MCAP file: ``folder/metadata.yaml`` and ``folder/<name>_0.mcap``.

    A killed process has lost none of the messages written; only the file's summary and
    metadata.yaml are missing, which ``bag_repair.repair`` adds. The file is locked while it is
    being written.
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
            self._file = McapFile(self.path)
            self._file.note(METADATA_RECORD, dict(about))
        except OSError as error:
            raise BagError(f"{self.path}: cannot start a bag: {error.strerror}") from None
        self._open = True

    @property
    def messages(self) -> int:
        return self._file.messages

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._file.size

    @property
    def last_ns(self) -> int:
        """Time of the newest message, 0 before the first."""
        return self._file.last_ns

    @property
    def seconds(self) -> float:
        """From the first to the last message."""
        return (self._file.last_ns - self._file.first_ns) * 1e-9

    def counts(self) -> dict[str, int]:
        """Messages written so far, by topic."""
        return {t["topic_metadata"]["name"]: t["message_count"] for t in self._file.topics.values()}

    def add_topic(self, name: str, msgtype: str, definition: str, type_hash: str = "") -> int:
        """Channel number of a new topic. definition: msg or idl text; empty when nobody has it."""
        return self._file.add_topic(name, msgtype, definition, type_hash)

    def write(
        self,
        channel: int,
        data: bytes,
        time_ns: int,
        published_ns: int = 0,
        sequence: int | None = None,
    ) -> None:
        """One serialized message, received at time_ns. Raises OSError (disk full)."""
        self._file.write(channel, data, time_ns, published_ns or time_ns, sequence)

    def note(self, /, **about: str) -> None:
        """Add to what the bag says about itself; what is noted survives a kill. Raises OSError."""
        self._file.note(METADATA_RECORD, about)

    def close(self) -> None:
        """Write the file's end and metadata.yaml: the bag is then complete for every reader.

        Raises OSError, and has let go of the file then; ``repair`` completes it.
        """
        if not self._open:
            return
        try:
            self._file.finish()
            write_metadata(self.folder, self._file)
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Let go of the file as it is, without its end (a full disk); ``repair`` completes it."""
        self._open = False
        self._file.abandon()

    def __enter__(self) -> "BagWriter":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def write_metadata(folder: Path, file: McapFile) -> None:
    """metadata.yaml of a bag with one MCAP file; appears whole or not at all."""
    start = {"nanoseconds_since_epoch": file.first_ns}
    duration = {"nanoseconds": file.last_ns - file.first_ns}
    information = {
        "version": _METADATA_VERSION,
        "storage_identifier": "mcap",
        "duration": duration,
        "starting_time": start,
        "message_count": file.messages,
        "topics_with_message_count": list(file.topics.values()),
        "compression_format": "",
        "compression_mode": "",
        "relative_file_paths": [file.path.name],
        "files": [
            {
                "path": file.path.name,
                "starting_time": dict(start),
                "duration": dict(duration),
                "message_count": file.messages,
            }
        ],
        "custom_data": dict(file.metadata.get(METADATA_RECORD, {})),
        "ros_distro": os.environ.get("ROS_DISTRO", "unknown"),
    }
    _put(folder, {"rosbag2_bagfile_information": information})


def annotate(folder: Path, **about: str) -> None:
    """Add to what a complete bag says about itself, in its metadata.yaml. Raises BagError."""
    path = folder / "metadata.yaml"
    try:
        document: dict[str, Any] = yaml.safe_load(path.read_text())
        information = document["rosbag2_bagfile_information"]
        information["custom_data"] = {**(information.get("custom_data") or {}), **about}
        _put(folder, document)
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise BagError(f"{path}: cannot be added to: {error}") from None


def _put(folder: Path, document: dict[str, Any]) -> None:
    temporary = folder / "metadata.yaml.tmp"
    try:
        temporary.write_text(yaml.safe_dump(document, sort_keys=False))
        temporary.replace(folder / "metadata.yaml")
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
