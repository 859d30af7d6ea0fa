"""Bags made to do harm: to run code, or to ask for memory or time that their files do not fill."""

import contextlib
import sqlite3
import struct
import sys
from pathlib import Path

import lz4.frame
import numpy as np
import pytest
import zstandard
from recordings import START_NS, T, franka_recording

from latentplan_ros.control.profile import load_profile
from latentplan_ros.data.bag_repair import repair
from latentplan_ros.data.bag_writer import BagError, BagWriter
from latentplan_ros.data.bags import UnknownMessageType, open_bag
from latentplan_ros.data.preprocess import Preprocess
from latentplan_ros.data.recording import Topics, read_recording

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks import limits

MAGIC = b"\x89MCAP0\r\n"
HEADER = b"\x01" + struct.pack("<Q", 12) + struct.pack("<I", 4) + b"ros2" + bytes(4)
BOMB = bytes(2**20)


def chunk(packed: bytes, compression: bytes, claimed: int) -> bytes:
    body = struct.pack("<QQQII", 0, 1, claimed, 0, len(compression)) + compression
    body += struct.pack("<Q", len(packed)) + packed
    return b"\x06" + struct.pack("<Q", len(body)) + body


def contents(path: Path) -> int:
    with limits.memory(2**29), limits.seconds(20.0), open_bag(path) as bag:
        return sum(1 for _ in bag.messages())


@pytest.mark.parametrize("opcode", [0x03, 0x05, 0x06, 0x09, 0x0C, 0xFF])
@pytest.mark.parametrize("length", [2**30, 2**40, 2**60, 2**64 - 1])
def test_lengths_that_the_file_does_not_hold_are_its_end(tmp_path, opcode, length):
    file = tmp_path / "bag.mcap"
    file.write_bytes(MAGIC + HEADER + struct.pack("<BQ", opcode, length) + b"x" * 60)
    assert file.stat().st_size < 100
    assert contents(file) == 0
    (tmp_path / "ep").mkdir()
    file.rename(tmp_path / "ep" / "ep_0.mcap")
    with limits.memory(2**29):
        assert repair(tmp_path / "ep") == 0


@pytest.mark.parametrize("claimed", [0, 2**26, 2**40, 2**64 - 1])
@pytest.mark.parametrize("compression", [b"lz4", b"zstd"])
def test_chunks_that_unpack_without_end_are_refused(tmp_path, compression, claimed):
    if compression == b"lz4":
        packed = lz4.frame.compress(BOMB * 256)
    else:
        packed = zstandard.compress(BOMB * 256)
    file = tmp_path / "bag.mcap"
    file.write_bytes(MAGIC + HEADER + chunk(packed, compression, claimed))
    with pytest.raises(BagError, match=r"bag\.mcap: cannot be read: .*unpacks to more than"):
        contents(file)


def test_chunks_of_unknown_packing_and_chunks_in_chunks(tmp_path):
    file = tmp_path / "bag.mcap"
    file.write_bytes(MAGIC + HEADER + chunk(b"abc", b"xz", 3))
    with pytest.raises(BagError, match="compression 'xz'"):
        contents(file)
    inner = chunk(zstandard.compress(BOMB), b"zstd", len(BOMB))
    for _ in range(50):
        inner = chunk(inner, b"", len(inner))
    file.write_bytes(MAGIC + HEADER + inner)
    assert contents(file) == 0


def test_a_packed_file_that_unpacks_without_end_is_refused(tmp_path):
    (tmp_path / "bag").mkdir()
    packed = zstandard.compress(BOMB * 128)
    assert len(packed) < 100_000
    (tmp_path / "bag" / "bag.db3.zstd").write_bytes(packed)
    with pytest.raises(BagError, match="times its size"):
        contents(tmp_path / "bag")


def test_definitions_in_a_bag_are_never_made_into_code(tmp_path):
    trace = tmp_path / "ran"
    code = f'__import__("pathlib").Path({str(trace)!r}).touch()'
    name = f'a/msg/B."""\n    x = {code}\n    """'
    with BagWriter(tmp_path / "bag", {}) as writer:
        definition = f"int32 a\nstring b {code!r}\n"
        for kind in (name, "std_msgs/msg/String", "x/msg/Y"):
            writer.write(writer.add_topic(f"/{len(kind)}", kind, definition), b"\0\1\0\0abcd", 5)
    with open_bag(tmp_path / "bag") as bag:
        for message in bag.messages():
            with pytest.raises(BagError):
                bag.decode(message)
    assert not trace.exists()


def test_types_of_somebodys_own_are_told_from_torn_messages(tmp_path):
    recording, _, _ = franka_recording(steps=2)
    writer = recording.write(tmp_path / "ep", close=False)
    writer.write(writer.add_topic("/own", "own_msgs/msg/Own", "int32 a"), b"\0\1\0\0abcd", START_NS)
    writer.close()
    with open_bag(tmp_path / "ep") as bag, pytest.raises(UnknownMessageType, match="own_msgs"):
        bag.decode(next(bag.messages(["/own"])))


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
        "[" * 5000,
        "rosbag2_bagfile_information: 7\n",
        "rosbag2_bagfile_information: {custom_data: !!python/object/apply:os.getcwd []}\n",
        "when: 2001-99-99\n",
        "a: !!timestamp x\n",
        "a" * (5 * 2**20),
        "\x00",
    ],
)
def test_metadata_that_is_no_metadata_is_named(tmp_path, text):
    franka_recording(steps=2)[0].write(tmp_path / "ep")
    (tmp_path / "ep" / "metadata.yaml").write_text(text)
    with pytest.raises(BagError, match=r"ep: cannot be read: metadata\.yaml"):
        contents(tmp_path / "ep")


# sqlite3 ------------------------------------------------------------------------------------
def database(path: Path, *statements: str) -> Path:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA page_size = 512")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return path


TOPICS = "CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT, type TEXT)"
TOPIC = "INSERT INTO topics VALUES (1, '/a', 'std_msgs/msg/String')"


@pytest.mark.parametrize(
    "messages",
    [
        "CREATE VIEW messages AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
        "SELECT 1 AS topic_id, i AS timestamp, zeroblob(1000000000) AS data FROM n",
        "CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER, timestamp INTEGER, "
        "data BLOB AS (zeroblob(1000000000)))",
        "CREATE TABLE messages(id INTEGER PRIMARY KEY)",
    ],
)
def test_databases_that_compute_their_messages_are_refused(tmp_path, messages):
    file = database(tmp_path / "bag.db3", TOPICS, TOPIC, messages)
    with pytest.raises(BagError, match="no table messages with its columns"):
        contents(file)


def test_a_database_whose_pages_share_their_children_ends(tmp_path):
    columns = "(id INTEGER PRIMARY KEY, topic_id INTEGER, timestamp INTEGER, data BLOB)"
    rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) "
    file = database(
        tmp_path / "bag.db3",
        TOPICS,
        TOPIC,
        f"CREATE TABLE messages{columns}",
        f"INSERT INTO messages {rows} SELECT i, 1, i, x'00' FROM n",
    )
    data = bytearray(file.read_bytes())
    interior = [p for p in range(0, len(data), 512) if data[p] == 5]
    assert len(interior) > 3
    for page in interior[2:]:  # every child of a lower page is one of the upper ones
        (cells,) = struct.unpack_from(">H", data, page + 3)
        for index in range(cells):
            (at,) = struct.unpack_from(">H", data, page + 12 + 2 * index)
            struct.pack_into(">I", data, page + at, interior[1] // 512 + 1)
    file.write_bytes(data)
    with contextlib.suppress(BagError):
        assert contents(file) < len(data)


# Messages that are whole, and not what their topic is for ------------------------------------
def test_a_topic_of_another_type_is_named(tmp_path):
    recording, _, _ = franka_recording(steps=2)
    recording.messages = [m for m in recording.messages if m[1] != "/action"]
    recording.add("/action", T["std_msgs/msg/String"](data="up"), START_NS)
    recording.write(tmp_path / "ep")
    profile = load_profile("franka")
    with open_bag(tmp_path / "ep") as bag, pytest.raises(BagError, match="/action"):
        read_recording(bag, Topics(), profile, "action", Preprocess())


def test_truth_that_changes_its_names_is_a_problem_not_a_crash(tmp_path):
    recording, _, _ = franka_recording(steps=4)
    for count in (1, 2, 1):
        dimension = T["std_msgs/msg/MultiArrayDimension"](label="x", size=1, stride=1)
        layout = T["std_msgs/msg/MultiArrayLayout"](dim=[dimension] * count, data_offset=0)
        kind = T["std_msgs/msg/Float64MultiArray"]
        recording.add("/truth", kind(layout=layout, data=np.zeros(count)), START_NS + count)
    recording.write(tmp_path / "ep")
    profile = load_profile("franka")
    with open_bag(tmp_path / "ep") as bag:
        found = read_recording(bag, Topics(), profile, "action", Preprocess())
    assert any("/truth" in problem for problem in found.problems)


@pytest.mark.parametrize("file", sorted(Path(__file__).with_name("hostile_bags").glob("*.db3")))
def test_a_small_database_whose_values_claim_a_gigabyte_is_refused(file, tmp_path):
    """Found by fuzzing; SQLite reserves what a value's header claims before it reads it."""
    assert file.stat().st_size < 4096
    copy = tmp_path / "bag.db3"
    copy.write_bytes(file.read_bytes())
    with pytest.raises(BagError, match=r"bag\.db3"):
        contents(copy)
