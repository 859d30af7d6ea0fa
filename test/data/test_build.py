import cv2
import numpy as np
import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from recordings import START_NS, Recording, compressed, franka_recording, image, joints, joy, pose

from latentplan_ros.control.exploration import SmoothedRandomPolicy
from latentplan_ros.control.profile import load_profile
from latentplan_ros.control.target import next_target
from latentplan_ros.data.bag_writer import BagError
from latentplan_ros.data.build import BuildError, build
from latentplan_ros.data.dataset import Dataset
from latentplan_ros.data.preprocess import Preprocess
from latentplan_ros.planning.noise import filter_matrix, smoothed_noise

MS = 1_000_000


def built(tmp_path, recording, about=None, **options):
    recording.write(tmp_path / "bags" / "ep", **({"robot": "franka"} if about is None else about))
    report = build([tmp_path / "bags"], tmp_path / "D.zarr", **options)
    return report, Dataset.open(tmp_path / "D.zarr")


def test_actions_and_the_pictures_they_were_taken_on_come_out_side_by_side(tmp_path):
    recording, pictures, actions = franka_recording(steps=12)
    report, dataset = built(tmp_path, recording)
    assert (report.episodes, report.frames, report.problems) == (1, 12, [])
    episode = dataset.episode(0)
    want = np.stack([Preprocess().apply(p) for p in pictures])
    np.testing.assert_array_equal(episode.image, want)
    np.testing.assert_allclose(episode.action[:-1], actions[:-1], atol=1e-7)
    assert not episode.action[-1].any()
    assert dataset.info.state_names[-3:] == ("tcp_x", "tcp_y", "tcp_z")
    np.testing.assert_allclose(episode.state[3, :7], np.linspace(0, 1, 7) + 0.02, atol=0.011)
    error = report.alignment["/camera/image_raw"]
    assert error.median_s == pytest.approx(0.003, abs=1e-6)
    assert dataset.info.notes["alignment"]["/camera/image_raw"]["samples"] == 12


def test_actions_are_recovered_from_the_targets_they_became(tmp_path):
    recording, _, actions = franka_recording(steps=12)
    profile, rng = load_profile("franka"), np.random.default_rng(1)
    keep = ("/camera/image_raw", "/joint_states")
    recording.messages = [m for m in recording.messages if m[1] in keep]
    target = measured = np.mean([profile.workspace.min, profile.workspace.max], axis=0)
    for k, action in enumerate(0.2 * actions):
        tick = START_NS + k * 100 * MS
        recording.add("/current_pose", pose(measured, tick - MS), tick - MS)
        target = next_target(target, measured, action, profile)
        recording.add("/target_pose", pose(target, tick), tick)
        measured = target - rng.uniform(-0.02, 0.02, 3)  # lags behind, now and then a lot
    report, dataset = built(tmp_path, recording, action_source="target_pose")
    got = dataset.episode(0).action
    np.testing.assert_allclose(got[:-1, :3], 0.2 * actions[:-1, :3], atol=1e-5)
    np.testing.assert_allclose(got[:-1, 3], 0.0, atol=1e-6)  # fingers half open
    assert report.clipped == 0


def test_actions_from_poses_are_what_the_arm_did(tmp_path):
    recording, _, _ = franka_recording(steps=12)
    report, dataset = built(tmp_path, recording, action_source="current_pose")
    episode = dataset.episode(0)
    moved = np.diff(episode.state[:, -3:], axis=0)
    np.testing.assert_allclose(episode.action[:-1, :3] * 0.1, moved, atol=1e-6)
    assert len(episode) >= 11
    assert report.alignment["/camera/image_raw"].max_s == 0  # the pictures set the pace


def test_compressed_pictures_under_a_namespace(tmp_path):
    recording, pictures, _ = franka_recording(steps=6)
    recording.messages = [
        (t, "/left" + topic, kind, data)
        for t, topic, kind, data in recording.messages
        if topic != "/camera/image_raw"
    ]
    for k, picture in enumerate(pictures):
        smooth = cv2.resize(picture, (8, 8), interpolation=cv2.INTER_AREA)
        smooth = cv2.resize(smooth, (160, 120), interpolation=cv2.INTER_CUBIC)
        data = cv2.imencode(".png", smooth[..., ::-1])[1].tobytes()
        stamp = START_NS + k * 100 * MS - MS
        recording.add("/left/camera/image_raw/compressed", compressed(data, stamp), stamp)
    report, dataset = built(tmp_path, recording)
    assert report.frames == 6
    assert dataset.info.camera == "/left/camera/image_raw/compressed"


def test_a_camera_gap_cuts_the_episode_in_two_and_says_so(tmp_path):
    recording, _, _ = franka_recording(steps=30)
    gap = range(START_NS + 1000 * MS, START_NS + 1600 * MS)
    recording.messages = [
        m for m in recording.messages if not (m[1] == "/camera/image_raw" and m[0] in gap)
    ]
    report, _ = built(tmp_path, recording)
    assert report.episodes == 2
    assert report.frames + 5 >= 30 - 6
    (problem,) = report.problems
    assert "/camera/image_raw is stale" in problem


def test_bad_messages_are_left_out_one_by_one_and_named(tmp_path):
    recording, _, actions = franka_recording(steps=10)
    at = START_NS + 250 * MS
    recording.add("/joint_states", joints(np.full(9, np.nan), at), at)
    recording.add("/current_pose", pose([0.5, np.inf, 0.2], at), at)
    recording.add("/action", joy([np.nan] * 4, at), at)
    broken = image(np.zeros((48, 48, 3), np.uint8), at)
    broken.data = broken.data[:-1]
    recording.add("/camera/image_raw", broken, at)
    recording.messages.append((at, "/joint_states", "sensor_msgs/msg/JointState", b"\0\1\0\0torn"))
    report, dataset = built(tmp_path, recording)
    text = "\n".join(report.problems)
    assert len(report.problems) == 5
    for words in [
        "panda_joint1 is nan",
        "inf",
        "action is [nan",
        "cut short",
        "are not a sensor_msgs",
    ]:
        assert words in text
    assert text.count("1700000000.250") == 5
    np.testing.assert_allclose(dataset.episode(0).action[:-1], actions[:-1], atol=1e-7)


# Without shrinking: every example writes a bag and a dataset.
@settings(max_examples=12, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(jitter=st.lists(st.integers(-20, 20), min_size=12, max_size=12), lag=st.integers(0, 60))
def test_no_observation_holds_anything_from_after_its_action(tmp_path_factory, jitter, lag):
    recording, rng = Recording(), np.random.default_rng(0)
    sent = [START_NS + (k * 100 + j) * MS for k, j in enumerate(jitter)]
    for time in sent:
        recording.add("/action", joy(rng.uniform(-1, 1, 4), time), time)
    for k in range(-5, 40):  # the picture's grey value is its number
        stamp = START_NS + k * 33 * MS + lag * MS
        grey = np.full((8, 8, 3), 100 + k, np.uint8)
        recording.add("/camera/image_raw", image(grey, stamp), stamp)
        recording.add("/joint_states", joints(np.arange(9) + 1e-3 * k, stamp), stamp)
        recording.add("/current_pose", pose([1e-3 * k, 0, 0], stamp), stamp)
    tmp_path = tmp_path_factory.mktemp("bag")
    _, dataset = built(tmp_path, recording)
    episode = dataset.episode(0)
    for time, frame, state in zip(sent, episode.image, episode.state, strict=True):
        k = int(frame[0, 0, 0]) - 100
        stamp = START_NS + k * 33 * MS + lag * MS
        assert stamp <= time < stamp + 33 * MS
        assert state[-3] == pytest.approx(1e-3 * k)


def test_a_camera_that_stamps_with_its_own_clock_is_aligned_by_time_received(tmp_path):
    recording, pictures, _ = franka_recording(steps=8)
    kept = [m for m in recording.messages if m[1] != "/camera/image_raw"]
    recording.messages = kept
    for k, picture in enumerate(pictures):
        received = START_NS + k * 100 * MS - MS
        recording.add("/camera/image_raw", image(picture, 1_000_000_000 + k * 100 * MS), received)
    _, dataset = built(tmp_path, recording)
    want = np.stack([Preprocess().apply(p) for p in pictures])
    np.testing.assert_array_equal(dataset.episode(0).image, want)


def test_what_cannot_be_built_says_why(tmp_path):
    recording, _, _ = franka_recording(steps=6)
    recording.messages = [m for m in recording.messages if m[1] != "/action"]
    recording.write(tmp_path / "noaction", robot="franka")
    with pytest.raises(BuildError, match="noaction: topic action is missing; the bag holds"):
        build([tmp_path / "noaction"], tmp_path / "D.zarr")
    assert not (tmp_path / "D.zarr").exists()
    with pytest.raises(BuildError, match="recorded with robot franka, not sawyer"):
        build([tmp_path / "noaction"], tmp_path / "D.zarr", robot="sawyer")
    franka_recording(steps=6)[0].write(tmp_path / "anonymous")
    with pytest.raises(BuildError, match="which robot"):
        build([tmp_path / "anonymous"], tmp_path / "D.zarr")
    with pytest.raises(BuildError, match="exists already"):
        build([tmp_path / "anonymous"], tmp_path)
    with pytest.raises(BagError, match="no such bag"):
        build([tmp_path / "nothing"], tmp_path / "D.zarr")


def test_one_bad_bag_does_not_spoil_the_others(tmp_path):
    franka_recording(steps=6)[0].write(tmp_path / "bags" / "good", robot="franka")
    (tmp_path / "bags" / "bad").mkdir()
    (tmp_path / "bags" / "bad" / "bad_0.mcap").write_bytes(b"not a bag at all, only text")
    report = build([tmp_path / "bags"], tmp_path / "D.zarr")
    assert report.episodes == 1
    assert any("bad" in p for p in report.problems)


def test_the_planner_would_search_as_widely_as_the_recorded_actions_vary(tmp_path):
    std = (0.5, 0.2, 0.1, 0.0)
    policy = SmoothedRandomPolicy(std)
    for number in range(3):
        recording, _, _ = franka_recording(steps=400, seed=number)
        recording.messages = [m for m in recording.messages if m[1] != "/action"]
        policy.reset(np.random.default_rng(number))
        for k in range(400):
            tick = START_NS + k * 100 * MS
            recording.add("/action", joy(policy.act(), tick), tick)
        recording.write(tmp_path / "bags" / str(number), robot="franka")
    build([tmp_path / "bags"], tmp_path / "D.zarr")
    info = Dataset.open(tmp_path / "D.zarr").info
    np.testing.assert_allclose(info.exploration_std, std, rtol=0.1, atol=1e-3)
    # So the search's own noise has the spread of the data.
    noise = smoothed_noise(4000, filter_matrix(13, 0.5), torch.tensor(info.exploration_std), None)
    recorded = Dataset.open(tmp_path / "D.zarr").action.std(axis=0)
    np.testing.assert_allclose(noise[:, -1].std(axis=0), recorded, rtol=0.06, atol=1e-3)


def test_actions_at_their_limits_give_the_largest_spread_there_is(tmp_path):
    recording, _, _ = franka_recording(steps=40)
    recording.messages = [m for m in recording.messages if m[1] != "/action"]
    for k in range(40):
        tick = START_NS + k * 100 * MS
        recording.add("/action", joy(np.full(4, (-1.0) ** k), tick), tick)
    _, dataset = built(tmp_path, recording)
    assert dataset.info.exploration_std == (1.0, 1.0, 1.0, 1.0)
