import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcap.reader import make_reader
from recordings import START_NS, STORE, franka_recording
from rosbags.highlevel import AnyReader
from rosbags.rosbag2 import StoragePlugin, Writer

from latentplan_ros.data.bag_repair import needs_repair, repair
from latentplan_ros.data.bag_writer import BagError, BagWriter, annotate
from latentplan_ros.data.bags import find_bags, open_bag

FLOAT, _ = STORE.generate_msgdef("std_msgs/msg/Float32", ros_version=2)


def contents(path):
    with open_bag(path) as bag:
        return [(m.topic, m.received_ns, m.data) for m in bag.messages()]


def test_rosbags_reads_what_was_written(tmp_path):
    recording, _, _ = franka_recording()
    recording.write(tmp_path / "ep", robot="franka")
    with AnyReader([tmp_path / "ep"]) as reader:
        got = [(c.topic, t, d) for c, t, d in reader.messages()]
    want = [(topic, t, d) for t, topic, _, d in recording.messages]
    assert sorted(got) == sorted(want)
    with open_bag(tmp_path / "ep") as bag:
        assert bag.about == {"robot": "franka"}
        assert not bag.cut
        assert bag.counts["/action"] == 12


KILLED_WRITER = """
import os, signal, sys
from pathlib import Path
from mcap.reader import make_reader
from recordings import franka_recording
recording, _, _ = franka_recording()
writer = recording.write(Path(sys.argv[1]), close=False, robot="franka", task="drawer")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_writer_lost_nothing_and_the_bag_is_repaired(tmp_path):
    folder = tmp_path / "ep"
    command = [sys.executable, "-c", KILLED_WRITER, folder]
    done = subprocess.run(command, cwd=Path(__file__).parent, check=False)
    assert done.returncode == -signal.SIGKILL
    assert needs_repair(folder)
    want = sorted((topic, t, d) for t, topic, _, d in franka_recording()[0].messages)
    assert sorted(contents(folder)) == want  # read as it is, disk untouched
    assert needs_repair(folder)
    assert repair(folder) == len(want)
    assert not needs_repair(folder)
    assert sorted(contents(folder)) == want
    with open_bag(folder) as bag:
        assert bag.about == {"robot": "franka", "task": "drawer"}
    assert [p.name for p in tmp_path.iterdir()] == ["ep"]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(part=st.floats(0, 1))
def test_every_message_before_the_cut_is_kept_wherever_the_file_is_cut(tmp_path, part):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    if not whole.exists():
        franka_recording(steps=3)[0].write(whole)
    shutil.rmtree(cut, ignore_errors=True)
    cut.mkdir()
    data = (whole / "whole_0.mcap").read_bytes()
    (cut / "cut_0.mcap").write_bytes(data[: int(part * len(data))])
    kept, want = contents(cut), contents(whole)
    assert kept == want[: len(kept)]
    # No message ends before the cut without being kept.
    if len(kept) < len(want):
        assert data.find(want[len(kept)][2]) + len(want[len(kept)][2]) > int(part * len(data))


def readers_agree(folder):
    """The messages of a complete bag, as three readers see it."""
    with AnyReader([folder]) as reader:
        rosbags = [(c.topic, t, bytes(d)) for c, t, d in reader.messages()]
        assert reader.message_count == len(rosbags)
    with next(folder.glob("*.mcap")).open("rb") as stream:
        mcap = make_reader(stream)
        assert mcap.get_summary().statistics.message_count == len(rosbags)
        found = [(c.topic, m.log_time, m.data) for _, c, m in mcap.iter_messages()]
    assert found == rosbags == contents(folder)
    return rosbags


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(part=st.floats(0, 1), again=st.floats(0, 1))
def test_repair_in_place_keeps_every_whole_message_even_if_it_is_cut_itself(tmp_path, part, again):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    if not whole.exists():
        franka_recording(steps=3)[0].write(whole, robot="franka")
    data = (whole / "whole_0.mcap").read_bytes()
    shutil.rmtree(cut, ignore_errors=True)
    cut.mkdir()
    file = cut / "cut_0.mcap"
    file.write_bytes(data[: int(part * len(data))])
    want = contents(cut)
    repair(cut)
    assert readers_agree(cut) == want
    # A repair that was killed had written a part of the end, and perhaps no metadata.yaml.
    end, whole_size = len(data[: int(part * len(data))]), file.stat().st_size
    os.truncate(file, min(whole_size, end + int(again * max(0, whole_size - end))))
    (cut / "metadata.yaml").unlink()
    assert repair(cut) == len(want)
    assert readers_agree(cut) == want


def fill(writer, channel):
    for k in range(1000):
        writer.write(channel, bytes(999), START_NS + k)


def test_a_full_disk_ends_a_bag_that_is_repaired_without_any_room(tmp_path):
    writer = BagWriter(tmp_path / "ep", {"robot": "franka"})
    channel = writer.add_topic("/x", "std_msgs/msg/Float32", FLOAT)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            fill(writer, channel)
        writer.abandon()
        assert needs_repair(tmp_path / "ep")
        assert repair(tmp_path / "ep") == writer.messages > 90
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    times = [t for _, t, _ in readers_agree(tmp_path / "ep")]
    assert times == list(range(START_NS, START_NS + writer.messages))


def test_what_is_noted_about_a_bag_survives_a_cut_and_can_be_added_to_afterwards(tmp_path):
    writer = BagWriter(tmp_path / "ep", {"robot": "franka"})
    writer.note(outcome="failure")
    writer.note(outcome="success")
    writer.abandon()
    with open_bag(tmp_path / "ep") as bag:
        assert bag.about == {"robot": "franka", "outcome": "success"}
    repair(tmp_path / "ep")
    annotate(tmp_path / "ep", outcome="failure", task="drawer")
    with open_bag(tmp_path / "ep") as bag:
        assert bag.about == {"robot": "franka", "outcome": "failure", "task": "drawer"}
    with pytest.raises(BagError, match=r"metadata\.yaml: cannot be added to"):
        annotate(tmp_path / "nowhere", outcome="success")


def test_chunked_bags_of_other_recorders_are_repaired_too(tmp_path):
    recording, _, _ = franka_recording(steps=12)
    with Writer(tmp_path / "ep", version=8, storage_plugin=StoragePlugin.MCAP) as writer:
        kinds = {topic: kind for _, topic, kind, _ in recording.messages}
        connections = {t: writer.add_connection(t, k, typestore=STORE) for t, k in kinds.items()}
        for time, topic, _, data in sorted(recording.messages):
            writer.write(connections[topic], time, data)
    file = next((tmp_path / "ep").glob("*.mcap"))
    os.truncate(file, file.stat().st_size - 100)
    want = contents(tmp_path / "ep")
    assert repair(tmp_path / "ep") == len(want) > 0
    assert readers_agree(tmp_path / "ep") == want


def test_a_file_that_is_no_recording_is_left_as_it_is(tmp_path):
    (tmp_path / "ep").mkdir()
    (tmp_path / "ep" / "ep_0.mcap").write_bytes(b"something else altogether")
    with pytest.raises(BagError, match=r"ep_0\.mcap: does not begin like an MCAP file"):
        repair(tmp_path / "ep")
    assert (tmp_path / "ep" / "ep_0.mcap").read_bytes() == b"something else altogether"


def test_a_clock_that_goes_back_does_not_make_a_bag_unreadable(tmp_path):
    with BagWriter(tmp_path / "ep", {}) as writer:
        channel = writer.add_topic("/x", "std_msgs/msg/Float32", FLOAT)
        for time in (5, 7, 6, 8):
            writer.write(channel, b"", START_NS + time)
    assert [t - START_NS for _, t, _ in readers_agree(tmp_path / "ep")] == [5, 7, 7, 8]


def test_a_bag_that_is_still_recorded_is_not_repaired(tmp_path):
    writer = BagWriter(tmp_path / "live", {})
    script = (
        "import sys; from pathlib import Path\n"
        "from latentplan_ros.data.bag_repair import repair\n"
        "repair(Path(sys.argv[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "live"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "is being recorded now" in done.stderr
    writer.close()


def test_sqlite3_bags_are_read_with_and_without_metadata(tmp_path):
    recording, _, _ = franka_recording(steps=3)
    with Writer(tmp_path / "lite", version=8, storage_plugin=StoragePlugin.SQLITE3) as writer:
        connections = {}
        for time, topic, msgtype, data in recording.messages:
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, msgtype, typestore=STORE)
            writer.write(connections[topic], time, data)
    want = sorted((topic, t, d) for t, topic, _, d in recording.messages)
    assert sorted(contents(tmp_path / "lite")) == want
    (tmp_path / "lite" / "metadata.yaml").unlink()
    assert sorted(contents(tmp_path / "lite")) == want


def test_topics_are_found_in_a_namespace_and_missing_ones_are_named(tmp_path):
    recording, _, _ = franka_recording(steps=2)
    recording.messages = [
        (t, "/left" + topic, kind, data) for t, topic, kind, data in recording.messages
    ]
    recording.write(tmp_path / "ep")
    with open_bag(tmp_path / "ep") as bag:
        assert bag.find("camera/image_raw") == "/left/camera/image_raw"
        with pytest.raises(BagError, match=r"ep: topic goal/image is missing; .*/left/action"):
            bag.find("goal/image")


def test_messages_of_undefined_types_do_not_hide_the_others(tmp_path):
    recording, _, _ = franka_recording(steps=2)
    writer = recording.write(tmp_path / "ep", close=False)
    writer.write(
        writer.add_topic("/secret", "their_msgs/msg/Secret", ""), b"\0\1\0\0abcd", START_NS
    )
    writer.close()
    with open_bag(tmp_path / "ep") as bag:
        assert bag.decode(next(bag.messages(["/action"]))).axes.size == 4
        with pytest.raises(BagError, match=r"ep: /secret at 17\d+\.\d+ s"):
            bag.decode(next(bag.messages(["/secret"])))


def test_folders_without_bags_are_named(tmp_path):
    franka_recording(steps=2)[0].write(tmp_path / "all" / "b")
    franka_recording(steps=2)[0].write(tmp_path / "all" / "a")
    assert [p.name for p in find_bags([tmp_path / "all"])] == ["a", "b"]
    os.mkdir(tmp_path / "empty")
    with pytest.raises(BagError, match="empty: holds no bags"):
        find_bags([tmp_path / "empty"])
    with pytest.raises(BagError, match="nowhere: no such bag"):
        find_bags([tmp_path / "nowhere"])
