"""Reads rosbag2 recordings (MCAP or sqlite3, whole or cut short) without a ROS installation.

A recording may come from anyone. The message definitions in it are not used, since reading them
means to make Python code of them: messages are decoded as the standard types that ROS has.
"""

import heapq
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import zstandard
from rosbags.typesys import Stores, get_typestore

from latentplan_ros.control.yaml_file import YamlFileError, read_yaml
from latentplan_ros.data.bag_repair import needs_repair
from latentplan_ros.data.bag_writer import BagError
from latentplan_ros.data.mcap_messages import McapMessages
from latentplan_ros.data.mcap_records import MOST_BYTES, McapDamage, unpacked
from latentplan_ros.data.sqlite_messages import SqliteDamage, SqliteMessages

_TYPES = get_typestore(Stores.LATEST)
_SUFFIXES = (".mcap", ".db3", ".db3.zstd", ".mcap.zstd")
_METADATA_BYTES = 2**20
# A packed file may unpack to this many times its size: still pictures of one scene come close.
_MOST_PACKED, _PIECE = 1000, 2**20
_DAMAGE = (McapDamage, SqliteDamage, YamlFileError, OSError)


class UnknownMessageType(BagError):
    """A message is of a type that ROS's own packages do not have."""


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
    _files: list[McapMessages | SqliteMessages] = field(repr=False)
    _packed: bool = field(default=False, repr=False)

    def messages(self, topics: Collection[str] | None = None) -> Iterator[BagMessage]:
        """Messages of these topics (None: of all), in the order in which they were received.

        Raises BagError where the recording is damaged in a way that no kill leaves behind.
        """
        merged = heapq.merge(*(file.messages() for file in self._files), key=lambda m: m[2])
        try:
            for topic, msgtype, time_ns, data in merged:
                if topics is None or topic in topics:
                    if self._packed:
                        data = unpacked(data, "zstd", MOST_BYTES)
                    yield BagMessage(topic, msgtype, time_ns, data)
        except _DAMAGE as error:
            raise BagError(f"{self.path}: cannot be read: {error}") from None

    def decode(self, message: BagMessage) -> Any:
        """The message's fields. Raises BagError naming bag, topic and time of torn bytes, and
        UnknownMessageType for a type of somebody's own package.
        """
        where = f"{self.path}: {message.topic} at {message.received_ns / 1e9:.3f} s"
        if message.msgtype not in _TYPES.fielddefs:
            raise UnknownMessageType(f"{where}: {message.msgtype!r} is no standard type of ROS")
        try:
            return _TYPES.deserialize_cdr(message.data, message.msgtype)
        except Exception as error:  # the decoder raises whatever torn bytes make it stumble over
            raise BagError(
                f"{where}: {len(message.data)} bytes are not a {message.msgtype}: {error}"
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
        try:
            bag = _open(path, stack)
        except _DAMAGE as error:
            raise BagError(f"{path}: cannot be read: {error}") from None
        yield bag


def is_bag(path: Path) -> bool:
    if path.is_dir():
        return any(any(path.glob(f"*{s}")) for s in _SUFFIXES)
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


def _open(path: Path, stack: ExitStack) -> Bag:
    files = [path]
    metadata: Mapping[str, Any] = {}
    if path.is_dir():
        files = sorted(f for s in _SUFFIXES for f in path.glob(f"*{s}"))
        metadata = _metadata(path / "metadata.yaml")
    cut = any(f.suffix == ".mcap" for f in files) and needs_repair(path)
    if any(file.suffix == ".zstd" for file in files):
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        files = [_unpack(f, folder) if f.suffix == ".zstd" else f for f in files]
    opened = [McapMessages(f) if f.suffix == ".mcap" else SqliteMessages(f) for f in files]
    about: dict[str, str] = {}
    topics: dict[str, str] = {}
    counts: dict[str, int] = {}
    for file in opened:
        about |= file.about if isinstance(file, McapMessages) else {}
        topics |= dict(file.topics.values())
        counts |= {name: counts.get(name, 0) + count for name, count in file.counts.items()}
    custom = metadata.get("custom_data")  # may be changed after the recording, and so comes last
    about |= {str(k): str(v) for k, v in custom.items()} if isinstance(custom, Mapping) else {}
    packed = str(metadata.get("compression_mode")).upper() == "MESSAGE"
    return Bag(path, topics, counts, about, cut, opened, packed)


def _metadata(file: Path) -> Mapping[str, Any]:
    """What rosbag2 says about a folder, nothing where the recorder was killed before it could."""
    if not file.exists():
        return {}
    try:
        values = read_yaml(file, _METADATA_BYTES)
    except YamlFileError as error:
        raise YamlFileError(f"{file.name}: {error}") from None
    information = values.get("rosbag2_bagfile_information") if isinstance(values, dict) else None
    if not isinstance(information, dict):
        raise YamlFileError(f"{file.name}: says nothing about a bag")
    return information


def _unpack(file: Path, folder: Path) -> Path:
    """The file without its ``.zstd``, in the folder."""
    target = folder / file.stem
    left = max(file.stat().st_size * _MOST_PACKED, _PIECE)
    with file.open("rb") as packed, target.open("wb") as whole:
        try:
            _copy(packed, whole, left)
        except zstandard.ZstdError as error:
            raise McapDamage(f"{file.name}: not whole zstd data: {error}") from None
    return target


def _copy(packed: BinaryIO, whole: BinaryIO, left: int) -> None:
    with zstandard.ZstdDecompressor().stream_reader(packed) as reader:
        while piece := reader.read(_PIECE):
            left -= len(piece)
            if left < 0:
                raise McapDamage(f"unpacks to more than {_MOST_PACKED} times its size")
            whole.write(piece)
