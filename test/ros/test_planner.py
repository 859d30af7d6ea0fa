import signal
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.duration import Duration
from sensor_msgs.msg import Image, Joy
from std_msgs.msg import Float32
from visualization_msgs.msg import MarkerArray

from benchmarks.untrained import untrained_header
from latentplan_ros.models.checkpoint import load_checkpoint, save_checkpoint
from latentplan_ros.models.latent_world_model import LatentWorldModel
from latentplan_ros.nodes import qos
from latentplan_ros.nodes.pictures import image_message

FAST = {"samples": 32, "iterations": 1, "elites": 4, "horizon": 4, "threads": 1}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    torch.manual_seed(0)
    spec = {"latent": 8, "channels": 8, "hidden": 16, "layers": 1, "distance": None}
    header = untrained_header("test", spec)
    path = tmp_path_factory.mktemp("model") / "m.safetensors"
    save_checkpoint(path, LatentWorldModel(spec), header)
    return str(path)


class Scene:
    """A camera at 30 Hz, a target and a goal, all of them in the test's hand."""

    def __init__(self, ros):
        self.ros = ros
        self.rgb = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
        self.camera = ros.publisher(Image, "camera/image_raw", qos.CAMERA)
        self.target = ros.publisher(PoseStamped, "target_pose", qos.TARGET)
        self.goal = ros.publisher(Image, "goal/image", qos.GOAL)
        self.actions = ros.listen(Joy, "action", qos.ACTION)
        self.reports = ros.listen(DiagnosticArray, "/diagnostics", qos.REPORT)
        self.change = lambda message: message
        self.timer = ros.every(1 / 30, self.publish)

    def publish(self):
        message = image_message(self.rgb, self.ros.stamp(), "camera")
        self.camera.publish(self.change(message))
        target = PoseStamped()
        target.header.stamp, target.header.frame_id = self.ros.stamp(), "panda_link0"
        target.pose.position.x = 0.5
        self.target.publish(target)

    def aim(self):
        self.goal.publish(image_message(self.rgb[::-1].copy(), self.ros.stamp(), "goal"))

    def says(self, *words, node="planner"):
        def said():
            newest = [s for r in self.reports for s in r.status if s.name.endswith(node)][-1:]
            return bool(newest) and all(w in newest[0].message for w in words)

        self.ros.wait(said, 30.0, f"{node} saying {words}")

    def figures(self):
        """The newest values of the planner on /diagnostics."""
        statuses = [s for r in list(self.reports) for s in r.status if s.name.endswith("planner")]
        return {item.key: item.value for item in statuses[-1].values} if statuses else {}

    def quiet(self, words):
        """No action follows once the planner has said so."""
        self.says(*words)
        count, reports = len(self.actions), len(self.reports)
        self.ros.wait(lambda: len(self.reports) > reports + 1, what="further reports")
        assert len(self.actions) == count


def transition(ros, number):
    request = ChangeState.Request(transition=Transition(id=number))
    return ros.call(ChangeState, "planner/change_state", request).success


def test_acting_needs_goal_and_fresh_pictures_and_ends_with_deactivation(ros, checkpoint):
    scene = Scene(ros)
    pictures = ros.listen(Image, "plan/image", qos.REPORT)
    paths = ros.listen(MarkerArray, "plan/markers", qos.REPORT)
    ros.start("planner", {"checkpoint": checkpoint, **FAST})
    scene.quiet(["no goal on goal/image"])
    assert not scene.actions
    scene.aim()
    ros.wait(lambda: len(scene.actions) >= 12, what="actions")
    for message in scene.actions:
        assert len(message.axes) == 4
        assert np.abs(message.axes).max() <= 1.0
    stamps = [m.header.stamp.sec + 1e-9 * m.header.stamp.nanosec for m in scene.actions]
    assert np.median(np.diff(stamps)) == pytest.approx(0.1, abs=0.03)
    ros.wait(lambda: pictures and paths, what="plan/image and plan/markers")
    assert (pictures[0].height, pictures[0].width) == (192, 576)
    assert paths[0].markers[0].header.frame_id == "panda_link0"
    assert len(paths[0].markers[0].points) == 5
    scene.says("acting")

    scene.change = lambda message: setattr(message, "data", message.data[:-1]) or message
    scene.quiet(["/camera/image_raw", "rgb8", "cut short"])
    scene.change = lambda message: setattr(message, "encoding", "16UC1") or message
    scene.quiet(["/camera/image_raw", "16UC1", "not supported"])
    scene.change = lambda message: message
    count = len(scene.actions)
    ros.wait(lambda: len(scene.actions) > count, what="actions after the camera's recovery")
    scene.timer.cancel()
    scene.quiet(["last picture on /camera/image_raw is older"])
    scene.timer.reset()
    count = len(scene.actions)
    ros.wait(lambda: len(scene.actions) > count, what="actions after the camera's return")

    assert transition(ros, Transition.TRANSITION_DEACTIVATE)
    scene.quiet(["inactive"])
    assert transition(ros, Transition.TRANSITION_ACTIVATE)
    count = len(scene.actions)
    ros.wait(lambda: len(scene.actions) > count, what="actions after activation")


def test_asked_for_more_than_it_has_time_for_it_plans_with_fewer_samples_and_says_so(
    ros, checkpoint
):
    scene = Scene(ros)
    ros.start("planner", {"checkpoint": checkpoint, **FAST, "samples": 50_000, "horizon": 13})
    scene.aim()
    ros.wait(lambda: len(scene.actions) >= 5, 60.0, "actions")
    ros.wait(lambda: 20 <= int(scene.figures()["samples"]) < 50_000, 30.0, "fewer samples")
    ros.wait(lambda: scene.figures()["model_error_median"], 30.0, "a model error")
    figures = scene.figures()
    numbers = ("tick_jitter_ms_median", "tick_jitter_ms_p99", "model_error_median", "plan_ms_p99")
    assert all(float(figures[name]) >= 0.0 for name in numbers)
    assert all(int(figures[name]) >= 0 for name in ("missed_ticks", "overruns", "cut_plans"))
    scene.says("acting")


def test_pictures_of_the_past_are_rolled_forward(ros, checkpoint):
    """A camera whose pictures are as old as 1.5 control periods when they come."""
    scene = Scene(ros)
    past = Duration(nanoseconds=150_000_000)
    clock = ros.node.get_clock()

    def late(message):
        message.header.stamp = (clock.now() - past).to_msg()
        return message

    scene.change = late
    ros.start("planner", {"checkpoint": checkpoint, **FAST})
    scene.aim()
    ros.wait(lambda: int(scene.figures().get("periods_ahead", 0)) == 1, 60.0, "a period ahead")


def test_a_picture_that_comes_too_early_is_planned_on_when_it_is_due(ros, checkpoint):
    """Two pictures 50 ms apart, then none for 150 ms: both belong to a tick."""
    scene = Scene(ros)
    scene.timer.cancel()
    looks = []

    def look():
        looks.append(len(scene.actions))
        if len(looks) % 4 < 2:
            scene.publish()

    ros.every(0.05, look)
    ros.start("planner", {"checkpoint": checkpoint, **FAST})
    scene.aim()
    ros.wait(lambda: scene.actions, 60.0, "an action")
    first = len(looks)

    def both_planned_on():
        rounds = (len(looks) - first) / 4
        return rounds > 10 and len(scene.actions) - looks[first] > 1.5 * rounds

    ros.wait(both_planned_on, 30.0, "an action for each picture")


def test_a_flood_of_bad_pictures_does_not_flood_the_log(ros, checkpoint):
    scene = Scene(ros)
    node = ros.start("planner", {"checkpoint": checkpoint, **FAST})
    scene.aim()
    ros.wait(lambda: scene.actions, 60.0, "an action")
    spoilt = []

    def spoil(message):
        """Every message cut at another place, some of them not at all."""
        spoilt.append(message)
        cut = len(spoilt) % 7
        message.data = message.data[: len(message.data) - cut]
        return message

    begin, before = time.monotonic(), len(node.lines)
    scene.change = spoil
    ros.wait(lambda: len(spoilt) > 90, 30.0, "90 pictures")
    seconds = time.monotonic() - begin
    assert 1 <= len(node.lines) - before <= seconds + 2, node.output
    assert node.alive


def test_a_planner_that_acts_ends_soon_after_a_signal(ros, checkpoint):
    scene = Scene(ros)
    node = ros.start("planner", {"checkpoint": checkpoint, **FAST})
    scene.aim()
    ros.wait(lambda: scene.actions, 30.0, "an action")
    node.signal(signal.SIGINT)
    assert node.wait(5.0) == 0


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"robot": "sawyer"}, ["trained for robot 'franka'", "translation_m"]),
        ({"camera": "wrist"}, ["camera: 'main' is not 'wrist'"]),
        ({"checkpoint": "/nowhere/m.safetensors"}, ["no checkpoint at /nowhere"]),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_refused_and_the_node_stays(
    ros, checkpoint, parameters, words
):
    scene = Scene(ros)
    node = ros.start("planner", {"checkpoint": checkpoint, **FAST, **parameters})
    scene.aim()
    scene.says("cannot be configured", *words)
    state = ros.call(GetState, "planner/get_state").current_state.label
    assert (state, node.alive, scene.actions) == ("unconfigured", True, [])


def test_a_goal_of_another_scene_is_refused(ros, checkpoint, tmp_path):
    model = load_checkpoint(checkpoint)
    strict = tmp_path / "strict.safetensors"
    save_checkpoint(strict, model, replace(model.header, reconstruction_rms=0.01))
    scene = Scene(ros)
    ros.start("planner", {"checkpoint": str(strict), **FAST})
    ros.start("distance", {"checkpoint": str(strict)})
    distances = ros.listen(Float32, "distance", qos.REPORT)
    scene.aim()
    scene.says("/goal/image", "unlike", "0.010", node="distance")
    scene.quiet(["/goal/image", "unlike", "0.010"])
    assert not scene.actions
    assert not distances


def test_distance_and_planner_share_a_process(ros, checkpoint):
    scene = Scene(ros)
    distances = ros.listen(Float32, "distance", qos.REPORT)
    # The planner's search settings would be unknown to distance, so they come from its defaults.
    ros.start("distance_planner", {"checkpoint": checkpoint, "threads": 1})
    scene.aim()
    ros.wait(lambda: distances and scene.actions, 30.0, "a distance and an action")
    assert np.isfinite(distances[0].data)
    scene.says("measuring", node="distance")


def test_distance_alone(ros, checkpoint):
    scene = Scene(ros)
    distances = ros.listen(Float32, "distance", qos.REPORT)
    ros.start("distance", {"checkpoint": checkpoint, "threads": 1})
    scene.says("no goal", node="distance")
    scene.aim()
    ros.wait(lambda: len(distances) > 5, what="distances")
    assert all(d.data >= 0 for d in distances)
