import re
import signal
import sys
import time
from pathlib import Path

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.serialization import deserialize_message
from rosbags.highlevel import AnyReader
from sensor_msgs.msg import Image, Joy
from std_srvs.srv import Trigger

from latentplan_ros.data.bag_repair import needs_repair
from latentplan_ros.data.bags import open_bag
from latentplan_ros.data.build import build
from latentplan_ros.data.check import check
from latentplan_ros.data.dataset import Dataset
from latentplan_ros.data.images import decode
from latentplan_ros.data.preprocess import Preprocess
from latentplan_ros.nodes import qos
from latentplan_ros.nodes.pictures import image_message
from latentplan_ros.nodes.taps import Tap

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.recorder_kills import kill_often


def subscribed(publisher):
    return lambda: publisher.get_subscription_count() > 0


def test_a_recorder_killed_in_mid_episode_lost_nothing_it_had_received(ros, tmp_path):
    parameters = {"directory": str(tmp_path), "robot": "franka"}
    recorder = ros.start("recorder", parameters)
    action = ros.publisher(Joy, "action", qos.ACTION)
    camera = ros.publisher(Image, "camera/image_raw", qos.CAMERA)
    latched = ros.publisher(Image, "goal/image", qos.GOAL)
    picture = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    latched.publish(image_message(picture, ros.stamp(), "goal"))
    ros.wait(subscribed(action), what="the recorder's subscriptions")
    ros.wait(subscribed(camera), what="the recorder's camera subscription")
    ros.wait(subscribed(latched), what="the recorder's goal subscription")
    assert ros.call(Trigger, "recorder/start").success
    (folder,) = tmp_path.iterdir()
    file = next(folder.glob("*.mcap"))
    sent = 0

    def publish():
        nonlocal sent
        action.publish(Joy(axes=[0.0, 0.0, 0.0, float(sent)]))
        camera.publish(image_message(picture, ros.stamp(), "camera"))
        sent += 1

    timer = ros.every(0.01, publish)
    ros.wait(lambda: sent >= 100, what="100 actions")
    timer.cancel()

    def written():  # whole actions in the file while it is being recorded
        with open_bag(file) as bag:
            return [bag.decode(m).axes[3] for m in bag.messages(["/action"])]

    ros.wait(lambda: len(written()) >= sent, what=f"{sent} actions on disk")
    recorder.signal(signal.SIGKILL)
    recorder.wait()
    assert needs_repair(folder)

    again = ros.start("recorder", parameters)
    ros.wait(lambda: not needs_repair(folder), what="the repair")
    ros.wait(lambda: "was cut short; completed" in again.output, what="word of the repair")
    with AnyReader([folder]) as reader:
        axes = [
            reader.deserialize(data, connection.msgtype).axes[3]
            for connection, _, data in reader.messages()
            if connection.topic == "/action"
        ]
    assert axes == list(range(sent))
    with open_bag(folder) as bag:
        assert bag.about["robot"] == "franka"
        goal = bag.decode(next(bag.messages(["/goal/image"])))
        np.testing.assert_array_equal(decode(goal), picture)
    # Stopping what no longer runs is no failure: an explorer goes on to its next episode.
    assert ros.call(Trigger, "recorder/stop").success


def test_a_topic_that_stays_silent_is_named(ros, tmp_path):
    parameters = {"directory": str(tmp_path), "topics": ["camera/image_raw"]}
    recorder = ros.start("recorder", parameters)
    assert ros.call(Trigger, "recorder/start").success
    answer = ros.call(Trigger, "recorder/stop")
    assert "none on /camera/image_raw" in answer.message
    folder = Path(ros.call(Trigger, "recorder/start").message)
    assert recorder.stop() == 0, "Ctrl-C"
    assert not needs_repair(folder)
    assert f"{folder}: 0.00 s, 0 messages" in recorder.output, "also then it is summed up"


def test_ten_recorders_killed_at_random_moments_lost_nothing(ros, tmp_path):
    kills = kill_often(10, tmp_path, seed=1, domain=ros.domain)
    assert sum(k.received for k in kills) > 100
    assert sum(k.cut for k in kills) >= 8, "too few were in the middle of a bag"
    assert [k.lost for k in kills] == [0] * 10


def test_an_episode_is_marked_and_summed_up_and_ends_before_the_disk_is_full(ros, tmp_path):
    bags = tmp_path / "bags"
    parameters = {"directory": str(bags), "topics": ["action"], "preroll_s": 0.0}
    ros.start("recorder", {**parameters, "min_free_gb": 1.0e6})
    states = ros.listen(DiagnosticArray, "/diagnostics", qos.REPORT)
    action = ros.publisher(Joy, "action", qos.STATE_OUT)
    assert not ros.call(Trigger, "recorder/mark_success").success, "nothing to mark yet"
    refused = ros.call(Trigger, "recorder/start")
    assert not refused.success
    assert str(bags) in refused.message
    assert "min_free_gb is 1e+06" in refused.message
    assert not bags.exists()

    ros.set_parameters("recorder", min_free_gb=0.0)
    ros.wait(subscribed(action), what="the recorder's subscription")
    assert ros.call(Trigger, "recorder/start").success
    (first,) = bags.iterdir()
    for k in range(5):
        action.publish(Joy(axes=[float(k)]))
    ros.wait(lambda: len(axes(first)) == 5, what="five actions on disk")
    assert ros.call(Trigger, "recorder/mark_success").success
    summary = ros.call(Trigger, "recorder/stop").message
    assert f"{first}: " in summary
    assert "marked success" in summary
    assert "/action: 5 messages" in summary
    assert "longest gap" in summary
    assert "0 dropped" in summary
    with open_bag(first) as bag:
        assert bag.about["outcome"] == "success"
    assert str(first) in ros.call(Trigger, "recorder/mark_failure").message
    with open_bag(first) as bag:  # on second thought
        assert bag.about["outcome"] == "failure"

    second = Path(ros.call(Trigger, "recorder/start").message)
    action.publish(Joy(axes=[5.0]))
    ros.wait(lambda: axes(second) == [5.0], what="an action in the second episode")
    ros.set_parameters("recorder", min_free_gb=1.0e6)
    ros.wait(lambda: not needs_repair(second), what="the clean end of the second episode")
    said = ros.wait(lambda: fault(states), what="word of the end")
    assert said.startswith(f"recording ended: {bags}: ")
    assert "min_free_gb" in said
    with AnyReader([second]) as reader:
        assert reader.message_count == 1


def fault(states):
    errors = [s.message for a in states for s in a.status if s.level == DiagnosticStatus.ERROR]
    return next((message for message in errors if "recording ended" in message), "")


def axes(folder):
    """The first axis of each action in a bag, finished or not."""
    with open_bag(folder) as bag:
        return [bag.decode(m).axes[0] for m in bag.messages(["/action"])]


def test_a_long_recording_is_split_and_nothing_is_lost_between(ros, tmp_path):
    parameters = {"directory": str(tmp_path), "max_episode_s": 0.3, "preroll_s": 0.0}
    ros.start("recorder", {**parameters, "topics": ["action", "goal/image"]})
    action = ros.publisher(Joy, "action", qos.STATE_OUT)
    goal = ros.publisher(Image, "goal/image", qos.GOAL)
    goal.publish(image_message(np.zeros((8, 8, 3), np.uint8), ros.stamp(), "goal"))
    ros.wait(lambda: subscribed(action)() and subscribed(goal)(), what="the subscriptions")
    assert ros.call(Trigger, "recorder/start").success
    sent = 0

    def publish():
        nonlocal sent
        action.publish(Joy(axes=[float(sent)]))
        sent += 1

    timer = ros.every(0.005, publish)
    ros.wait(lambda: sent >= 200 and len(list(tmp_path.iterdir())) > 3, 30.0, "four episodes")
    timer.cancel()

    def recorded():
        return [value for folder in sorted(tmp_path.iterdir()) for value in axes(folder)]

    ros.wait(lambda: len(recorded()) >= sent, what=f"{sent} actions on disk")
    assert ros.call(Trigger, "recorder/stop").success
    assert recorded() == list(range(sent))
    folders = sorted(tmp_path.iterdir())
    for before, folder in zip([None, *folders], folders, strict=False):
        with AnyReader([folder]) as reader:
            topics = [connection.topic for connection, _, _ in reader.messages()]
        assert topics.count("/goal/image") == 1, "each episode can be read without the others"
        with open_bag(folder) as bag:
            assert bag.about.get("continues") == (before.name if before else None)


def test_messages_that_never_arrive_are_counted(ros, tmp_path):
    recorder = ros.start("recorder", {"directory": str(tmp_path), "topics": ["camera/image_raw"]})
    camera = ros.publisher(Image, "camera/image_raw", qos.CAMERA)
    states = ros.listen(DiagnosticArray, "/diagnostics", qos.REPORT)
    picture = image_message(np.zeros((480, 640, 3), np.uint8), ros.stamp(), "")
    ros.wait(subscribed(camera), what="the recorder's subscription")
    folder = Path(ros.call(Trigger, "recorder/start").message)
    sent = 0

    def publish():
        nonlocal sent
        picture.header.frame_id = str(sent)
        camera.publish(picture)
        sent += 1

    def newest():
        with open_bag(folder) as bag:
            messages = list(bag.messages())
            return int(bag.decode(messages[-1]).header.frame_id) if messages else -1

    def published_and_arrived():
        publish()
        deadline = time.monotonic() + 0.3
        while time.monotonic() < deadline:
            if newest() == sent - 1:
                return True
        return False

    ros.wait(published_and_arrived, 20.0, "a first picture")
    recorder.signal(signal.SIGSTOP)
    for _ in range(60):  # three times what shared memory holds
        publish()
    recorder.signal(signal.SIGCONT)
    ros.wait(published_and_arrived, 20.0, "a picture after the pause")

    def warned():
        return any("dropped on /camera/image_raw" in s.message for a in states for s in a.status)

    ros.wait(warned, what="word of the dropped pictures")
    summary = ros.call(Trigger, "recorder/stop").message
    counted = re.search(r"/camera/image_raw: (\d+) messages.* (\d+) dropped", summary)
    recorded, dropped = map(int, counted.groups())
    assert dropped > 0
    with AnyReader([folder]) as reader:
        numbers = [
            int(reader.deserialize(data, connection.msgtype).header.frame_id)
            for connection, _, data in reader.messages()
        ]
    assert recorded == len(numbers)
    assert dropped == numbers[-1] - numbers[0] + 1 - len(numbers)
    with open_bag(folder) as bag:
        assert bag.about["dropped"] == f"/camera/image_raw: {dropped}"


def test_where_the_transport_does_not_tell_numbers_nothing_is_claimed():
    def missed(publishers, *infos):
        tap = Tap("/x", "std_msgs/msg/Float32", qos.CAMERA, publishers)
        return [tap.arrival(b"", info).missed for info in infos]

    def info(number, publisher=None):
        gid = {} if publisher is None else {"publisher_gid": {"data": publisher}}
        return {"source_timestamp": 1, "publication_sequence_number": number, **gid}

    two = (b"a", b"b")
    assert missed(two, info(1, b"a"), info(9, b"b"), info(4, b"a"), info(10, b"b")) == [0, 0, 2, 0]
    assert missed((b"a",), info(1), info(4)) == [0, 2], "Jazzy: a single publisher"
    assert missed(two, info(1), info(4)) == [None, None], "Jazzy: whose number is it?"
    assert missed((b"a",), info(None, b"a")) == [None], "a transport without numbers"
    assert missed((b"a",), {}) == [None], "Humble"


def test_exploration_recorded_through_ros_becomes_a_clean_dataset(ros, tmp_path):
    ros.start("sim_bridge", {"width": 96, "height": 96})
    ros.start("arm")
    ros.start("recorder", {"directory": str(tmp_path / "bags"), "task": "franka_drawer"})
    # Raw and with a long queue: this process may be late, and must not lose a frame for that.
    frames = ros.listen(Image, "camera/image_raw", qos.EVERYTHING, raw=True)
    ros.wait(lambda: frames, 60.0, "the simulated camera")
    explorer = ros.start(
        "explorer",
        {
            "recorder": "recorder",
            "reset_service": "sim_bridge/reset",
            "task": "franka_drawer",
            "episodes": 2,
            "episode_steps": 12,
        },
    )
    assert explorer.wait(60.0) == 0
    bags = sorted((tmp_path / "bags").iterdir())
    assert len(bags) == 2
    for bag in bags:
        assert check(bag) == []
    report = build([tmp_path / "bags"], tmp_path / "D.zarr")
    dataset = Dataset.open(tmp_path / "D.zarr")
    assert report.episodes == dataset.num_episodes == 2, report.problems
    assert 22 <= report.frames <= 26, report
    assert dataset.info.task == "franka_drawer"
    assert dataset.info.truth_names == ("drawer_opening",)
    assert check(tmp_path / "D.zarr") == []
    pictures = [decode(deserialize_message(frame, Image)) for frame in frames]
    shown = {Preprocess().apply(picture).tobytes() for picture in pictures}
    for index in range(2):
        episode = dataset.episode(index)
        assert all(image.tobytes() in shown for image in episode.image)
        assert np.abs(episode.action[:-1]).max() > 0.1
