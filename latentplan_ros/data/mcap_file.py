"""One MCAP file that loses no message when its writer is killed, and that can be taken up again."""

import contextlib
import fcntl
import io
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Channel, Metadata, Schema
from mcap.writer import CompressionType, Writer

MAGIC = b"\x89MCAP0\r\n"
_PROFILE, _LIBRARY = "ros2", "latentplan_ros"
_IDL = "=" * 80 + "\nIDL: "
_PREFIX = struct.Struct("<BQ")  # a record's opcode and length
_MESSAGE = struct.Struct("<HIQQ")  # channel, sequence, log time, publish time; then the data
_PARSERS: dict[int, Any] = {
    Opcode.SCHEMA: Schema,
    Opcode.CHANNEL: Channel,
    Opcode.METADATA: Metadata,
}


class NotResumable(Exception):
    """An MCAP file whose end cannot be rebuilt in place: chunked, or numbered by another writer."""


class McapFile:
    """A locked, unchunked MCAP file.

    Each message is handed to the operating system in one piece as it comes, so that a killed
    process has lost none of them; only the summary at the end is missing, which ``resume`` and
    ``finish`` add. Nothing but the last whole record is ever needed for that, and no room on disk.
    """

    def __init__(self, path: Path) -> None:
        """A new file. Raises OSError."""
        # It gets its name once it is locked: another recorder that starts now must not repair it.
        unnamed = path.with_suffix(".starting")
        self._open(unnamed, "xb")
        unnamed.rename(path)
        self.path = path
        self._writer.start(_PROFILE, _LIBRARY)

    @classmethod
    def resume(cls, path: Path) -> "McapFile":
        """Take up a file that was cut anywhere: what follows its last whole record is dropped.

        The file is not touched before ``finish``. Raises NotResumable, BlockingIOError where a
        live recorder holds the file, and OSError.
        """
        file = cls.__new__(cls)
        file._open(path, "r+b")
        try:
            file._replay()
        except BaseException:
            file.abandon()
            raise
        return file

    def _open(self, path: Path, mode: str) -> None:
        self.path = path
        self.topics: dict[int, dict[str, Any]] = {}  # by channel, as metadata.yaml has them
        self.metadata: dict[str, dict[str, str]] = {}
        self.messages = 0
        self.first_ns = self.last_ns = 0
        self._schemas: dict[str, int] = {}
        raw = io.FileIO(path, mode)
        try:
            fcntl.flock(raw, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raw.close()
            raise
        self._sink = _Sink(raw)
        self._writer = Writer(self._sink, use_chunking=False, compression=CompressionType.NONE)

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._sink.tell()

    def add_topic(self, name: str, msgtype: str, definition: str, type_hash: str = "") -> int:
        """Channel number of a new topic. definition: msg or idl text; empty when nobody has it."""
        if msgtype not in self._schemas:
            encoding = "ros2idl" if definition.startswith(_IDL) else "ros2msg"
            encoding = encoding if definition else ""
            self._schemas[msgtype] = self._writer.register_schema(
                msgtype, encoding, definition.encode()
            )
        metadata = {"offered_qos_profiles": "", "topic_type_hash": type_hash}
        channel = self._writer.register_channel(name, "cdr", self._schemas[msgtype], metadata)
        self.topics[channel] = _topic(name, msgtype, type_hash)
        return channel

    def write(
        self, channel: int, data: bytes, time_ns: int, published_ns: int, sequence: int | None
    ) -> None:
        """One message, whole or not at all. Raises OSError; then only ``abandon`` is left to do.

        A time before that of the last message is raised to it: readers refuse an unchunked file in
        which time goes back. sequence: the publisher's number, None where the transport has none.
        """
        topic = self.topics[channel]
        time_ns = max(time_ns, self.last_ns)
        number = topic["message_count"] if sequence is None else sequence & 0xFFFFFFFF
        self._writer.add_message(channel, time_ns, data, published_ns, number)
        self._count(topic, time_ns)

    def _count(self, topic: dict[str, Any], time_ns: int) -> None:
        self.first_ns = min(self.first_ns, time_ns) if self.messages else time_ns
        self.last_ns = max(self.last_ns, time_ns)
        self.messages += 1
        topic["message_count"] += 1

    def note(self, name: str, values: dict[str, str]) -> None:
        """Key-value text beside the messages; a later note of the same name adds to it."""
        self._writer.add_metadata(name, values)
        self.metadata[name] = self.metadata.get(name, {}) | values

    def finish(self) -> None:
        """Write the summary: the file is then complete for every reader. Raises OSError."""
        self._sink.go()
        if self._sink.tell() == 0:  # was cut within its first bytes
            self._writer.start(_PROFILE, _LIBRARY)
        self._writer.finish()

    def abandon(self) -> None:
        """Let go of the file as it is; ``resume`` takes it up again."""
        with contextlib.suppress(OSError):
            self._sink.raw.close()

    # Taking up ------------------------------------------------------------------------------
    def _replay(self) -> None:
        """Lead the writer through what the file holds, writing nothing, up to where it ends."""
        with self.path.open("rb") as stream:
            magic = stream.read(len(MAGIC))
            if magic != MAGIC[: len(magic)]:
                raise NotResumable(f"{self.path}: does not begin like an MCAP file")
            self._sink.end = 0
            for opcode, offset, body in whole_records(stream):
                self._sink.position = offset
                try:
                    self._take_up(opcode, body)
                except (McapError, struct.error, UnicodeDecodeError):
                    break  # a power failure leaves records of which only the length is right
                self._sink.end = stream.tell()

    def _take_up(self, opcode: int, body: bytes) -> None:
        if opcode == Opcode.MESSAGE:
            channel, number, logged, published = _MESSAGE.unpack(body)
            if channel not in self.topics:
                raise NotResumable(f"{self.path}: a message of channel {channel}, which is unknown")
            self._writer.add_message(channel, logged, b"", published, number)
            self._count(self.topics[channel], logged)
        elif opcode in _PARSERS:
            record = _PARSERS[opcode].read(ReadDataStream(io.BytesIO(body)))
            self._register(record)
        elif opcode != Opcode.HEADER:
            raise NotResumable(f"{self.path}: holds records of kind {opcode:#04x}")

    def _register(self, record: Any) -> None:
        if isinstance(record, Metadata):
            self.note(record.name, record.metadata)
            return
        if isinstance(record, Schema):
            number = self._writer.register_schema(record.name, record.encoding, record.data)
            self._schemas[record.name] = number
        else:
            number = self._writer.register_channel(
                record.topic, record.message_encoding, record.schema_id, record.metadata
            )
            types = {n: name for name, n in self._schemas.items()}
            self.topics[number] = _topic(
                record.topic,
                types.get(record.schema_id, ""),
                record.metadata.get("topic_type_hash", ""),
            )
        if number != record.id:
            raise NotResumable(f"{self.path}: is numbered by another writer")


class _Sink:
    """The file as the MCAP writer sees it; while a file is replayed, nothing reaches the disk."""

    def __init__(self, raw: io.FileIO) -> None:
        self.raw = raw
        self.position = 0  # of the record that is being replayed
        self.end: int | None = None  # of the last whole record, while a file is replayed

    def go(self) -> None:
        """From here on what is written is meant."""
        if self.end is not None:
            self.raw.truncate(self.end)
            self.raw.seek(self.end)
            self.end = None

    def write(self, data: bytes) -> int:
        if self.end is None:
            view = memoryview(data)
            while view:
                view = view[self.raw.write(view) :]
        return len(data)

    def tell(self) -> int:
        return self.raw.tell() if self.end is None else self.position

    def flush(self) -> None:
        """Nothing is ever held back."""


def whole_records(stream: io.BufferedReader) -> Iterator[tuple[int, int, bytes]]:
    """Kind, offset and body of each record from the stream's position up to the summary or the cut.

    Of messages the body is their head without the data, which is skipped.
    """
    size = os.fstat(stream.fileno()).st_size
    while True:
        offset = stream.tell()
        prefix = stream.read(_PREFIX.size)
        if len(prefix) < _PREFIX.size:
            return
        opcode, length = _PREFIX.unpack(prefix)
        end = offset + _PREFIX.size + length
        if opcode in (0, Opcode.DATA_END, Opcode.FOOTER) or end > size:
            return
        if opcode == Opcode.MESSAGE and length < _MESSAGE.size:
            return
        body = stream.read(_MESSAGE.size if opcode == Opcode.MESSAGE else length)
        stream.seek(end)
        yield opcode, offset, body


def _topic(name: str, msgtype: str, type_hash: str) -> dict[str, Any]:
    return {
        "topic_metadata": {
            "name": name,
            "type": msgtype,
            "serialization_format": "cdr",
            "offered_qos_profiles": "",
            "type_description_hash": type_hash,
        },
        "message_count": 0,
    }
