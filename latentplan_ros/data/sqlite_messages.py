"""The messages of a rosbag2 sqlite3 file from anywhere, a damaged or a malicious one included."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

_NEEDED = {"topics": {"id", "name", "type"}, "messages": {"topic_id", "timestamp", "data"}}
_BYTES_A_ROW = 8  # no row of messages takes less
_STEPS_A_ROW = 64  # of SQLite's machine, and more than any query here needs


class SqliteDamage(ValueError):
    """A file is not a rosbag2 database, or its pages refer to one another without end."""


class SqliteMessages:
    """One .db3 file, read only and without its journal: nothing on disk is changed.

    Messages come in the order in which they were recorded. Raises SqliteDamage for anything that is
    not a whole rosbag2 database.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._most_rows = file.stat().st_size // _BYTES_A_ROW
        with closing(self._connect()) as connection:
            try:
                self.topics = self._topics(connection)
                self.counts = self._counts(connection)
            except (sqlite3.Error, UnicodeDecodeError, OverflowError, MemoryError) as error:
                raise SqliteDamage(f"not a rosbag2 database: {error}") from None

    def messages(self) -> Iterator[tuple[str, str, int, bytes]]:
        """(topic, type, time received in ns, data) of each message."""
        with closing(self._connect()) as connection:
            try:
                query = "SELECT topic_id, timestamp, data FROM messages"
                for rows, (number, time_ns, data) in enumerate(connection.execute(query)):
                    if rows > self._most_rows:
                        raise SqliteDamage("more messages than the file has room for")
                    if number not in self.topics:
                        continue
                    if not isinstance(time_ns, int) or not isinstance(data, bytes):
                        raise SqliteDamage(f"message {rows} has no time or no bytes")
                    yield *self.topics[number], time_ns, data
            except (sqlite3.Error, UnicodeDecodeError, OverflowError, MemoryError) as error:
                raise SqliteDamage(f"torn database: {error}") from None

    def _connect(self) -> sqlite3.Connection:
        uri = f"file:{quote(str(self.file.absolute()))}?immutable=1&mode=ro"
        connection = sqlite3.connect(uri, uri=True)
        if sys.version_info >= (3, 11):
            # No value is longer than the file that holds it, whatever its header claims.
            longest = max(self.file.stat().st_size, 4096)
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, min(longest, 10**9))
        # A tree whose pages share their children has endless rows in a few pages.
        connection.set_progress_handler(self._out_of_steps(), 1000)
        return connection

    def _out_of_steps(self) -> "_Budget":
        return _Budget(100 + self._most_rows * _STEPS_A_ROW // 1000)

    def _topics(self, connection: sqlite3.Connection) -> dict[int, tuple[str, str]]:
        for table, needed in _NEEDED.items():
            query = "SELECT rootpage FROM sqlite_master WHERE type = 'table' AND name = ?"
            (page,) = connection.execute(query, [table]).fetchone() or (0,)
            # Generated columns, which run what the file says, are not in table_info.
            columns = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
            if not page or not needed <= columns:
                raise SqliteDamage(f"not a rosbag2 database: no table {table} with its columns")
        found = {}
        for rows, (number, name, msgtype) in enumerate(
            connection.execute("SELECT id, name, type FROM topics")
        ):
            if rows > self._most_rows:
                raise SqliteDamage("more topics than the file has room for")
            if not (isinstance(number, int) and isinstance(name, str) and isinstance(msgtype, str)):
                raise SqliteDamage(f"topic {rows} has no name or no type")
            found[number] = (name, msgtype)
        return found

    def _counts(self, connection: sqlite3.Connection) -> dict[str, int]:
        counts = dict.fromkeys((name for name, _ in self.topics.values()), 0)
        for rows, (number,) in enumerate(connection.execute("SELECT topic_id FROM messages")):
            if rows > self._most_rows:
                raise SqliteDamage("more messages than the file has room for")
            if number in self.topics:
                counts[self.topics[number][0]] += 1
        return counts


class _Budget:
    """Called by SQLite every thousand steps; True, which ends the query, when they are used up."""

    def __init__(self, thousands: int) -> None:
        self._left = thousands

    def __call__(self) -> bool:
        self._left -= 1
        return self._left < 0
