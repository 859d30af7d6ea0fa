import signal

import numpy as np
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
    ros.start("recorder", {"directory": str(tmp_path), "topics": ["camera/image_raw"]})
    assert ros.call(Trigger, "recorder/start").success
    answer = ros.call(Trigger, "recorder/stop")
    assert "none on /camera/image_raw" in answer.message


def test_exploration_recorded_through_ros_becomes_a_clean_dataset(ros, tmp_path):
    ros.start("sim_bridge", {"width": 96, "height": 96})
    ros.start("arm")
    ros.start("recorder", {"directory": str(tmp_path / "bags"), "task": "franka_drawer"})
    frames = ros.listen(Image, "camera/image_raw", qos.CAMERA)
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
    shown = {Preprocess().apply(decode(f)).tobytes() for f in frames}
    for index in range(2):
        episode = dataset.episode(index)
        assert all(image.tobytes() in shown for image in episode.image)
        assert np.abs(episode.action[:-1]).max() > 0.1
