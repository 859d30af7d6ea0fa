"""The messages of a rosbag2 MCAP file, whole or cut short."""

from collections.abc import Iterator
from pathlib import Path

from mcap.records import Channel, Message, Metadata, Schema

from latentplan_ros.data.bag_writer import METADATA_RECORD
from latentplan_ros.data.mcap_records import records


class McapMessages:
    """One .mcap file, read only. Raises McapDamage for a part of it that can't be unpacked.

    topics: channel to name and type; about: what the recorder noted. Messages come in the order in
    which they were recorded; those after a cut are not there.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.topics: dict[int, tuple[str, str]] = {}
        self.counts: dict[str, int] = {}
        self.about: dict[str, str] = {}
        schemas: dict[int, str] = {}
        for record in records(file, bodies=False):
            if isinstance(record, Schema):
                schemas[record.id] = record.name
            elif isinstance(record, Channel):
                msgtype = schemas.get(record.schema_id, "")
                self.topics.setdefault(record.id, (record.topic, msgtype))
                self.counts.setdefault(record.topic, 0)
            elif isinstance(record, Metadata) and record.name == METADATA_RECORD:
                self.about.update(record.metadata)
            elif isinstance(record, Message) and record.channel_id in self.topics:
                self.counts[self.topics[record.channel_id][0]] += 1

    def messages(self) -> Iterator[tuple[str, str, int, bytes]]:
        """(topic, type, time received in ns, data) of each message."""
        for record in records(self.file):
            if isinstance(record, Message) and record.channel_id in self.topics:
                yield *self.topics[record.channel_id], record.log_time, record.data
