"""The records of an MCAP file from anywhere: whole, cut short, torn, or made to do harm.

A length written in the file is believed only where the file holds that many bytes, and what is
packed is unpacked only up to a limit, so that a small file can't ask for all of the memory.
"""

import struct
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import lz4.frame
import zstandard
from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Channel, Message, Metadata, Schema

from latentplan_ros.data.mcap_file import MAGIC

# Far above any camera message and any chunk that a recorder writes (rosbag2's are below 1 MiB).
MOST_BYTES = 128 * 2**20
LAST_TIME_NS = 2**63 - 1
_PIECE = 2**20
_HEAD = struct.Struct("<BQ")
_MESSAGE = struct.Struct("<HIQQ")
_CHUNK = struct.Struct("<QQQII")
_READERS: dict[int, Callable[[ReadDataStream], Any]] = {
    Opcode.SCHEMA: Schema.read,
    Opcode.CHANNEL: Channel.read,
    Opcode.METADATA: Metadata.read,
}
_TORN = (McapError, struct.error, UnicodeDecodeError)


class McapDamage(ValueError):
    """A packed part of an MCAP file is not what it says, or too large to unpack."""


def records(file: Path, bodies: bool = True) -> Iterator[Any]:
    """Schema, Channel, Metadata and Message records in the file's order, in chunks by time.

    Ends at the footer, or before the first record that is cut short or torn. bodies: False leaves
    the messages' data out, which for an unchunked file means not to read it.
    Raises McapDamage for a chunk that can't be unpacked, and OSError.
    """
    with file.open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(0)
        if stream.read(len(MAGIC)) == MAGIC:
            yield from _walk(stream, size, bodies, chunks=True)


def unpacked(data: bytes, compression: str, limit: int) -> bytes:
    """What zstd or lz4 data hold. Raises McapDamage for other data, and for more than ``limit``."""
    if compression not in ("zstd", "lz4"):
        raise McapDamage(f"compression {compression!r} is not one of lz4, zstd")
    try:
        pieces = (_zstd if compression == "zstd" else _lz4)(data)
        return b"".join(_limited(pieces, limit, compression))
    except (zstandard.ZstdError, RuntimeError, EOFError, ValueError) as error:
        raise McapDamage(f"not whole {compression} data: {error}") from None


def _limited(pieces: Iterator[bytes], limit: int, compression: str) -> Iterator[bytes]:
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > limit:
            raise McapDamage(f"unpacks to more than {limit} bytes")
        yield piece


def _zstd(data: bytes) -> Iterator[bytes]:
    with zstandard.ZstdDecompressor().stream_reader(data) as reader:
        while piece := reader.read(_PIECE):
            yield piece


def _lz4(data: bytes) -> Iterator[bytes]:
    decompressor = lz4.frame.LZ4FrameDecompressor()
    yield decompressor.decompress(data, _PIECE)
    while not decompressor.eof:
        if decompressor.needs_input:
            raise McapDamage("the end is missing")
        yield decompressor.decompress(b"", _PIECE)


def _walk(stream: BinaryIO, size: int, bodies: bool, chunks: bool) -> Iterator[Any]:
    """Records from the stream's position to its end, ``size``; chunks: whether it may hold them."""
    while True:
        head = stream.read(_HEAD.size)
        if len(head) < _HEAD.size:
            return
        opcode, length = _HEAD.unpack(head)
        start = stream.tell()
        if opcode == Opcode.FOOTER or length > size - start:
            return
        if opcode == Opcode.MESSAGE:
            if length < _MESSAGE.size:
                return
            channel, sequence, received, published = _MESSAGE.unpack(stream.read(_MESSAGE.size))
            if max(received, published) > LAST_TIME_NS:
                return
            _limit(length)
            data = stream.read(length - _MESSAGE.size) if bodies else b""
            yield Message(channel, received, data, published, sequence)
        elif opcode == Opcode.CHUNK and chunks:
            _limit(length)
            chunk = _chunk(stream.read(length))
            if chunk is None:
                return
            # Other recorders gather a chunk topic by topic.
            yield from sorted(_walk(BytesIO(chunk), len(chunk), bodies, chunks=False), key=_time)
        elif opcode in _READERS:
            _limit(length)
            try:
                yield _READERS[opcode](ReadDataStream(BytesIO(stream.read(length))))
            except _TORN:
                return
        stream.seek(start + length)


def _time(record: Any) -> int:
    """When a message was received; -1, before all of them, for what describes them."""
    return record.log_time if isinstance(record, Message) else -1


def _limit(length: int) -> None:
    if length > MOST_BYTES:
        raise McapDamage(f"a record of {length} bytes; the limit is {MOST_BYTES}")


def _chunk(record: bytes) -> bytes | None:
    """The records in a chunk; None where its head is torn."""
    if len(record) < _CHUNK.size:
        return None
    _, _, claimed, _, name_length = _CHUNK.unpack_from(record)
    start = _CHUNK.size + name_length + 8
    if start > len(record):
        return None
    compression = record[_CHUNK.size : start - 8].decode(errors="replace")
    packed = record[start:]
    if not compression:
        return packed
    return unpacked(packed, compression, min(claimed, MOST_BYTES))
