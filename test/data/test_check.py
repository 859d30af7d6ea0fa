"""`latentplan dataset check`: each kind of damage is named with file, topic and time."""

import re
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from recordings import START_NS, franka_recording, image, joints, joy, pose
from sample_datasets import INFO, SIZE, episode, write

from latentplan_ros import cli
from latentplan_ros.data.bag_writer import BagError
from latentplan_ros.data.check import check

MS = 1_000_000
SECOND = 1_000 * MS
AT = START_NS + 1_250 * MS
AT_S = AT / 1e9


@pytest.fixture
def recording():
    return franka_recording(steps=30)[0]


def without(recording, topic, start, stop=2**63):
    recording.messages = [
        m for m in recording.messages if m[1] != topic or not start <= m[0] < stop
    ]


def one_finding(folder, kind, topic, words):
    findings = check(folder)
    assert [(f.kind, f.topic) for f in findings] == [(kind, topic)], "\n".join(map(str, findings))
    (finding,) = findings
    assert finding.file == folder
    assert str(finding).startswith(f"{folder}: {topic} at {finding.time_s:.3f} s: {kind}: ")
    assert re.search(words, finding.detail), finding.detail
    return finding


# Bags ----------------------------------------------------------------------------------------
def test_a_clean_bag_passes(tmp_path, recording):
    recording.write(tmp_path / "bag", robot="franka")
    assert check(tmp_path / "bag") == []
    assert cli.main(["dataset", "check", str(tmp_path / "bag")]) == 0


def test_a_bag_cut_short_is_torn(tmp_path, recording):
    recording.write(tmp_path / "bag", close=False, robot="franka").abandon()
    one_finding(tmp_path / "bag", "torn", "bag", "cut short")


def test_a_file_that_is_no_bag_is_torn(tmp_path):
    (tmp_path / "bag").mkdir()
    (tmp_path / "bag" / "bag_0.mcap").write_bytes(b"text, and no bag at all")
    finding = check(tmp_path / "bag")[0]
    assert (finding.kind, finding.topic) == ("torn", "bag")


def test_a_picture_shorter_than_it_says_is_torn(tmp_path, recording):
    torn = image(np.full((48, 48, 3), 9, np.uint8), AT)
    torn.data = torn.data[:-100]
    recording.add("/camera/image_raw", torn, AT)
    recording.write(tmp_path / "bag")
    finding = one_finding(tmp_path / "bag", "torn", "/camera/image_raw", "cut short")
    assert finding.time_s == pytest.approx(AT_S)


def test_bytes_that_are_no_message_are_torn(tmp_path, recording):
    for k in range(3):
        kind = "sensor_msgs/msg/JointState"
        recording.messages.append((AT + k * 100, "/joint_states", kind, b"\0\1\0\0junk"))
    recording.write(tmp_path / "bag")
    finding = one_finding(tmp_path / "bag", "torn", "/joint_states", "not a sensor_msgs")
    assert finding.count == 3
    assert finding.time_s == pytest.approx(AT_S)
    assert str(finding).endswith("(3 times)")


def test_a_camera_that_paused_is_stale(tmp_path, recording):
    without(recording, "/camera/image_raw", AT, AT + 900 * MS)
    recording.write(tmp_path / "bag")
    finding = one_finding(
        tmp_path / "bag", "stale", "/camera/image_raw", r"nothing for 0\.9\d s .* of 30 Hz"
    )
    assert AT_S + 0.9 <= finding.time_s < AT_S + 1.0  # when it came back


def test_a_topic_that_fell_silent_is_stale(tmp_path, recording):
    without(recording, "/current_pose", AT)
    recording.write(tmp_path / "bag")
    finding = one_finding(
        tmp_path / "bag", "stale", "/current_pose", r"the last 1\.7\d s on a topic of 50 Hz"
    )
    assert AT_S - 0.1 < finding.time_s < AT_S


def test_a_message_recorded_twice_is_duplicated(tmp_path, recording):
    original = next(m for m in recording.messages if m[1] == "/action" and m[0] >= AT)
    recording.messages.append((original[0] + 5 * MS, *original[1:]))
    recording.write(tmp_path / "bag")
    finding = one_finding(tmp_path / "bag", "duplicated", "/action", "with the same message")
    assert finding.time_s == pytest.approx(original[0] / 1e9 + 0.005)


def test_two_messages_with_one_stamp_are_duplicated(tmp_path, recording):
    recording.add("/current_pose", pose([0.5, 0, 0.1], AT), AT)
    recording.add("/current_pose", pose([0.6, 0, 0.1], AT), AT + MS)
    recording.write(tmp_path / "bag")
    one_finding(tmp_path / "bag", "duplicated", "/current_pose", "with another message")


def test_a_stamp_from_the_past_is_out_of_order(tmp_path, recording):
    late = AT - 300 * MS
    recording.add("/camera/image_raw", image(np.full((48, 48, 3), 9, np.uint8), late), AT)
    recording.write(tmp_path / "bag")
    finding = one_finding(tmp_path / "bag", "out-of-order", "/camera/image_raw", "after 17000")
    assert finding.time_s == pytest.approx(AT_S)


@pytest.mark.parametrize(
    ("topic", "message", "words"),
    [
        ("/joint_states", joints(np.array([0.1] * 8 + [np.nan]), AT), "finger_joint2 is nan"),
        ("/current_pose", pose([0.5, np.inf, 0.1], AT), "position is .*inf"),
        ("/action", joy([0.1, np.nan, 0, 0], AT), "axes are .*nan"),
    ],
)
def test_numbers_that_are_not_finite(tmp_path, recording, topic, message, words):
    recording.add(topic, message, AT)
    recording.write(tmp_path / "bag")
    finding = one_finding(tmp_path / "bag", "non-finite", topic, words)
    assert finding.time_s == pytest.approx(AT_S)


@pytest.mark.parametrize("topic", ["camera/image_raw", "joint_states", "current_pose"])
def test_a_topic_that_was_not_recorded_is_missing(tmp_path, recording, topic):
    without(recording, f"/{topic}", 0)
    recording.write(tmp_path / "bag")
    one_finding(tmp_path / "bag", "missing", topic, "no such topic")


def test_in_a_folder_of_bags_the_bad_one_is_named(tmp_path, recording, capsys):
    recording.write(tmp_path / "bags" / "good")
    recording.add("/action", joy([np.nan] * 4, AT), AT)
    recording.write(tmp_path / "bags" / "bad")
    assert [f.file for f in check(tmp_path / "bags")] == [tmp_path / "bags" / "bad"]
    assert cli.main(["dataset", "check", str(tmp_path / "bags")]) == 1
    said = capsys.readouterr().out.replace("\n", "")
    assert "bad: /action at 1700000001.250 s: non-finite" in said
    assert "1 problems" in said


def test_what_is_neither_bag_nor_dataset_is_an_error(tmp_path):
    with pytest.raises(BagError, match="holds no bags"):
        check(tmp_path)


# Datasets ------------------------------------------------------------------------------------
EPISODES = [episode(30, seed) for seed in range(4)]  # 3 s each


def overwrite(dataset, name, row, values):
    """Damages numbers on disk: no writer would let them through."""
    array = getattr(dataset, name)
    file = dataset.path / "data" / name / "0.0"
    raw = np.memmap(file, np.float32, "r+", shape=(1024, array.shape[1]))
    raw[row] = values
    raw.flush()


def test_a_clean_dataset_passes(tmp_path):
    write(tmp_path / "D.zarr", EPISODES)
    assert check(tmp_path / "D.zarr") == []


@pytest.mark.parametrize("name", ["action", "state", "truth"])
def test_numbers_in_a_dataset_that_are_not_finite(tmp_path, name):
    dataset = write(tmp_path / "D.zarr", EPISODES)
    overwrite(dataset, name, 30 + 12, np.nan)
    finding = one_finding(dataset.path, "non-finite", f"data/{name}", "episode 1, step 12: .*nan")
    assert finding.time_s == pytest.approx(1.2)


def test_an_episode_that_is_there_twice_is_duplicated(tmp_path):
    dataset = write(tmp_path / "D.zarr", [*EPISODES, EPISODES[2]])
    one_finding(dataset.path, "duplicated", "data/image", "episode 4 is the same as episode 2")


def test_pictures_that_stand_still_while_the_arm_moves_are_stale(tmp_path):
    frozen, moving = EPISODES[1].image.copy(), EPISODES[1].state.copy()
    frozen[8:22] = frozen[8]
    moving[:, 2:] = 0.01 * np.arange(30)[:, None]
    stuck = replace(EPISODES[1], image=frozen, state=moving)
    dataset = write(tmp_path / "D.zarr", [EPISODES[0], stuck])
    finding = one_finding(dataset.path, "stale", "data/image", "episode 1, step 18: 10 identical")
    assert finding.time_s == pytest.approx(1.8)
    moving[:] = 0  # an arm that waits is no fault
    write(tmp_path / "still.zarr", [replace(stuck, state=moving)])
    assert check(tmp_path / "still.zarr") == []


def test_a_black_picture_is_torn(tmp_path):
    black = EPISODES[1].image.copy()
    black[20] = 0
    dataset = write(tmp_path / "D.zarr", [EPISODES[0], replace(EPISODES[1], image=black)])
    finding = one_finding(dataset.path, "torn", "data/image", "episode 1, step 20: .* all black")
    assert finding.time_s == pytest.approx(2.0)


def test_a_torn_chunk_is_found(tmp_path):
    dataset = write(tmp_path / "D.zarr", EPISODES)
    (dataset.path / "data" / "image" / "0.0.0.0").write_bytes(b"\1" * 1000)
    one_finding(dataset.path, "torn", "data/image", r"0\.0\.0\.0 has 1000 bytes")


def test_episodes_that_end_before_they_begin_are_out_of_order(tmp_path):
    dataset = write(tmp_path / "D.zarr", EPISODES)
    ends = np.memmap(dataset.path / "meta" / "episode_ends" / "0", np.int64, "r+")
    ends[1] = 20
    ends.flush()
    words = "episode 1 ends at frame 20"
    one_finding(dataset.path, "out-of-order", "meta/episode_ends", words)


def test_a_dataset_is_checked_without_holding_it_whole(tmp_path):
    # The pictures of 300 episodes are 31 MB; the check keeps a few bytes of each.
    large = replace(INFO, image_size=6 * SIZE)
    rng = np.random.default_rng(0)
    pictures = rng.integers(1, 255, (300, 15, 48, 48, 3), dtype=np.uint8)
    one = episode(15)
    dataset = write(tmp_path / "D.zarr", [replace(one, image=p) for p in pictures], large)
    tracemalloc.start()
    assert check(dataset.path) == []
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5e6
