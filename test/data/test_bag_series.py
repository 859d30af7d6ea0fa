"""Episodes one after the other, and what is counted about them."""

import resource
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recordings import START_NS, STORE
from rosbags.highlevel import AnyReader

from latentplan_ros.data.bag_series import BagSeries
from latentplan_ros.data.bag_writer import BagError
from latentplan_ros.data.disk import DiskFull, require_room
from latentplan_ros.data.tally import Numbering, Tally

SECOND = 1_000_000_000


def definition(msgtype):
    return STORE.generate_msgdef(msgtype, ros_version=2)[0], ""


@pytest.fixture
def series(tmp_path):
    return BagSeries(tmp_path / "bags", definition)


def write(series, time_ns, data=b"\0" * 8):
    series.write("/x", "std_msgs/msg/Float32", data, time_ns)


@given(st.lists(st.tuples(st.sampled_from([b"a", b"b"]), st.booleans()), min_size=1, max_size=80))
def test_what_is_missing_between_the_first_and_the_last_message_is_counted(sent):
    """sent: who sent each message in turn, and whether it arrived."""
    numbering, numbers = Numbering(), {b"a": 0, b"b": 7}
    missed, waiting, heard = 0, {b"a": 0, b"b": 0}, set()
    for publisher, arrived in sent:
        numbers[publisher] += 1
        if not arrived:
            waiting[publisher] += publisher in heard
            continue
        heard.add(publisher)
        got = numbering.missed(publisher, numbers[publisher])
        assert got == waiting[publisher]
        assert numbering.missed(publisher, numbers[publisher]) == 0, "a repetition is no loss"
        missed, waiting[publisher] = missed + got, 0


def test_a_tally_tells_rate_gap_and_losses():
    tally = Tally()
    for k, missed in enumerate((0, 0, 3, 0)):
        tally.add(START_NS + k * SECOND // 10 + (SECOND if k > 1 else 0), 10, missed)
    assert str(tally) == "4 messages, 2.3 Hz, longest gap 1.100 s, 3 dropped"
    tally.add(START_NS + 2 * SECOND, 10, None)
    assert "the transport does not number" in str(tally)


def test_an_episode_is_full_by_length_by_size_and_when_the_clock_goes_back(series):
    assert series.full(START_NS, 8, 1.0, 1.0) == "", "nothing is being recorded"
    series.begin({}, "ep", START_NS, 0.0)
    assert series.full(START_NS + 2 * SECOND, 8, 1.0, 0.0) == "", "an empty one goes on"
    write(series, START_NS)
    assert series.full(START_NS + SECOND - 1, 8, 1.0, 1.0) == ""
    assert series.full(START_NS + SECOND, 8, 1.0, 1.0) == "it is 1 s long"
    assert series.full(START_NS, 10**6, 1.0, 1.0) == "it holds 1 MB"
    assert series.full(START_NS - SECOND // 2, 8, 0.0, 0.0) == "", "a step of a clock"
    assert series.full(START_NS - 2 * SECOND, 8, 0.0, 0.0) == "the clock went back"


def test_a_disk_that_refuses_a_message_ends_the_episode_and_keeps_it(series):
    folder = series.begin({"robot": "franka"}, "ep", START_NS, 0.0)
    write(series, START_NS)
    write(series, START_NS + 1)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(BagError, match="File too large; all 2 messages before are kept"):
            write(series, START_NS + 2, bytes(20_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert series.folder is None
    with AnyReader([folder]) as reader:
        assert [t for _, t, _ in reader.messages()] == [START_NS, START_NS + 1]
    assert series.begin({}, "ep", START_NS, 0.0) != folder
    write(series, START_NS)
    assert "1 messages" in series.end()


def test_a_folder_that_does_not_exist_yet_has_the_room_of_its_disk(tmp_path):
    free_gb = shutil.disk_usage(tmp_path).free / 1e9
    require_room(tmp_path / "not" / "yet", 0.5 * free_gb)
    with pytest.raises(DiskFull, match=rf"{tmp_path}/not/yet: .* GB left .* min_free_gb is"):
        require_room(tmp_path / "not" / "yet", 2.0 * free_gb)
    assert not (tmp_path / "not").exists()
