"""Completes MCAP bags whose recorder was killed: every whole message is kept."""

import fcntl
import shutil
from pathlib import Path

from mcap.records import Channel, Message, Metadata, Schema

from latentplan_ros.data.bag_writer import METADATA_RECORD, BagError, BagWriter, write_metadata
from latentplan_ros.data.mcap_file import MAGIC, McapFile, NotResumable
from latentplan_ros.data.mcap_records import McapDamage, records


def is_complete(file: Path) -> bool:
    """Whether an MCAP file has its footer."""
    with file.open("rb") as stream:
        stream.seek(0, 2)
        if stream.tell() < 2 * len(MAGIC):
            return False
        stream.seek(-len(MAGIC), 2)
        return stream.read() == MAGIC


def is_being_written(file: Path) -> bool:
    """Whether a live recorder on this machine holds the file."""
    with file.open("rb") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def needs_repair(path: Path) -> bool:
    """Whether an MCAP file lacks its footer, or its rosbag2 folder lacks metadata.yaml."""
    if not path.is_dir():
        return not is_complete(path)
    files = sorted(path.glob("*.mcap"))
    complete = all(is_complete(file) for file in files)
    return bool(files) and not (complete and (path / "metadata.yaml").exists())


def repair(folder: Path) -> int:
    """Complete a cut bag in place and return how many messages it holds.

    What the recorder has written stays where it is, up to the last whole message, and only the
    file's end and metadata.yaml are added: that needs no room on a full disk, and a repair that is
    itself killed can be repaired. A bag that is in chunks, or in several files, is copied instead.
    One that a live recorder still writes is refused. Raises BagError naming the bag, and OSError.
    """
    files = sorted(folder.glob("*.mcap"))
    for file in files:
        if is_being_written(file):
            raise BagError(f"{file}: is being recorded now; stop the recorder first")
    if len(files) > 1:
        return _replace(folder, files)
    try:
        bag = McapFile.resume(files[0])
    except NotResumable:
        return _replace(folder, files)
    try:
        bag.finish()
        write_metadata(folder, bag)
    finally:
        bag.abandon()
    return bag.messages


def _replace(folder: Path, files: list[Path]) -> int:
    """Copy a bag that cannot be completed in place; the original stays until the copy is whole."""
    first, *rest = files
    if first.stat().st_size and not _begins_like_mcap(first):
        raise BagError(f"{first}: does not begin like an MCAP file")
    scratch = folder.with_name(f".{folder.name}.repair")
    shutil.rmtree(scratch, ignore_errors=True)
    count = rewrite(folder, scratch, first.name)
    (scratch / first.name).replace(first)
    (scratch / "metadata.yaml").replace(folder / "metadata.yaml")
    for file in rest:
        file.unlink()
    shutil.rmtree(scratch)
    return count


def _begins_like_mcap(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.read(len(MAGIC)) == MAGIC


def rewrite(source: Path, target: Path, file_name: str = "") -> int:
    """Copy every whole message of an MCAP file, or of a folder of them, to a new complete bag.

    Returns the number of messages. Raises BagError when there is no MCAP file to read, or it is
    damaged in a way that no kill leaves behind.
    """
    files = sorted(source.glob("*.mcap")) if source.is_dir() else [source]
    if not files:
        raise BagError(f"{source}: no MCAP file in this folder")
    channels: dict[tuple[str, str], int] = {}
    with BagWriter(target, {}, file_name) as writer:
        for file in files:
            try:
                _copy(file, writer, channels)
            except McapDamage as error:
                raise BagError(f"{file}: cannot be read: {error}") from None
        return writer.messages


def _copy(file: Path, writer: BagWriter, channels: dict[tuple[str, str], int]) -> None:
    schemas: dict[int, Schema] = {}
    numbers: dict[int, int] = {}
    for record in records(file):
        if isinstance(record, Schema):
            schemas[record.id] = record
        elif isinstance(record, Channel) and record.schema_id in schemas:
            schema = schemas[record.schema_id]
            key = (record.topic, schema.name)
            if key not in channels:
                definition = schema.data.decode(errors="replace")
                type_hash = record.metadata.get("topic_type_hash", "")
                channels[key] = writer.add_topic(*key, definition, type_hash)
            numbers[record.id] = channels[key]
        elif isinstance(record, Metadata) and record.name == METADATA_RECORD:
            writer.note(**record.metadata)
        elif isinstance(record, Message) and record.channel_id in numbers:
            number = numbers[record.channel_id]
            writer.write(number, record.data, record.log_time, record.publish_time, record.sequence)
