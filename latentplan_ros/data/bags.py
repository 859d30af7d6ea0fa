"""Reads rosbag2 recordings (MCAP or sqlite3, whole or cut short) without a ROS installation."""

import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rosbags.highlevel import AnyReader, AnyReaderError
from rosbags.typesys import Stores, get_typestore

from latentplan_ros.data.bag_repair import needs_repair, rewrite
from latentplan_ros.data.bag_writer import BagError


@dataclass(frozen=True)
class BagMessage:
    """One message. ``received_ns``: when the recorder got it; data: as it crossed the wire."""

    topic: str
    msgtype: str
    received_ns: int
    data: bytes


@dataclass
class Bag:
    """An open recording.

    topics: name to message type; counts: name to number of messages; about: what the recorder noted
    (robot, task, ...); cut: the recording was cut short, whole messages are read.
    """

    path: Path
    topics: dict[str, str]
    counts: dict[str, int]
    about: dict[str, str]
    cut: bool
    _reader: AnyReader = field(repr=False)

    def messages(self, topics: Collection[str] | None = None) -> Iterator[BagMessage]:
        """Messages of these topics (None: of all), in the order in which they were received."""
        wanted = [c for c in self._reader.connections if topics is None or c.topic in topics]
        if not wanted:
            return
        for connection, time_ns, data in self._reader.messages(wanted):
            yield BagMessage(connection.topic, connection.msgtype, time_ns, data)

    def decode(self, message: BagMessage) -> Any:
        """The message's fields. Raises BagError naming bag, topic and time of torn bytes."""
        try:
            return self._reader.deserialize(message.data, message.msgtype)
        except Exception as error:  # the decoder raises whatever torn bytes make it stumble over
            raise BagError(
                f"{self.path}: {message.topic} at {message.received_ns / 1e9:.3f} s: "
                f"{len(message.data)} bytes are not a {message.msgtype}: {error}"
            ) from None

    def find(self, name: str) -> str:
        """Full name of the topic called ``name``, under whatever namespace it was recorded.

        Raises BagError that lists the bag's topics when there is none, or more than one.
        """
        relative = name.strip("/")
        exact = "/" + relative
        matches = [t for t in self.topics if t == exact or t.endswith(exact)]
        if exact in matches:
            return exact
        if len(matches) == 1:
            return matches[0]
        problem = "is in several namespaces" if matches else "is missing"
        there = ", ".join(matches or sorted(self.topics)) or "no topic at all"
        raise BagError(f"{self.path}: topic {relative} {problem}; the bag holds {there}")


@contextmanager
def open_bag(path: Path) -> Iterator[Bag]:
    """A rosbag2 folder, or a bare .mcap or .db3 file. Nothing on disk is changed.

    A cut MCAP file, or a folder without metadata.yaml, is read as far as it is whole.
    Raises BagError when there is nothing to read.
    """
    path = Path(path)
    if not is_bag(path):
        raise BagError(f"{path}: not a rosbag2 folder and not a .mcap or .db3 file")
    with ExitStack() as stack:
        folder = path if path.is_dir() else path.parent
        mcap = path.suffix == ".mcap" or any(folder.glob("*.mcap"))
        cut = mcap and needs_repair(path)
        try:
            source = path
            if cut:
                scratch = stack.enter_context(tempfile.TemporaryDirectory())
                source = Path(scratch) / "bag"
                rewrite(path, source)
            reader = stack.enter_context(_reader(source))
        except (AnyReaderError, OSError) as error:
            raise BagError(f"{path}: cannot be read: {error}") from None
        except BagError:
            raise
        except Exception as error:  # sqlite and the message parser bring their own exceptions
            raise BagError(f"{path}: cannot be read: {type(error).__name__}: {error}") from None
        yield Bag(
            path,
            topics={c.topic: c.msgtype for c in reader.connections},
            counts={c.topic: c.msgcount for c in reader.connections},
            about=_about(reader),
            cut=cut,
            _reader=reader,
        )


def is_bag(path: Path) -> bool:
    if path.is_dir():
        return any(any(path.glob(f"*{s}")) for s in (".mcap", ".db3", ".db3.zstd", ".mcap.zstd"))
    return path.is_file() and path.suffix in (".mcap", ".db3")


def find_bags(paths: Collection[Path]) -> list[Path]:
    """The bags among these paths and directly inside them, in the order of their names.

    Raises BagError naming each path that is neither a bag nor a folder with bags.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        if is_bag(path):
            found.append(path)
            continue
        inside = [p for p in sorted(path.glob("*")) if is_bag(p) and not p.name.startswith(".")]
        if not inside:
            problem = "is not a bag" if path.exists() else "no such bag"
            raise BagError(f"{path}: {'holds no bags' if path.is_dir() else problem}")
        found.extend(inside)
    return found


def _reader(path: Path) -> AnyReader:
    store = get_typestore(Stores.LATEST)  # for sqlite3 bags, which hold no definitions
    if path.is_dir() and not (path / "metadata.yaml").exists():
        return AnyReader(sorted(path.glob("*.db3")), default_typestore=store)
    return AnyReader([path], default_typestore=store)


def _about(reader: AnyReader) -> dict[str, str]:
    storage = getattr(reader.readers[0], "storage", None)
    custom = getattr(getattr(storage, "metadata", None), "custom", None)
    return {str(k): str(v) for k, v in custom.items()} if isinstance(custom, Mapping) else {}
