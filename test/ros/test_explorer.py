"""Exploration end to end: explorer, arm and simulated robot as separate processes."""

import numpy as np
import yaml
from geometry_msgs.msg import PoseStamped
from sensor_msgs.msg import Joy
from std_srvs.srv import Trigger

from latentplan_ros.control.profile import load_profile
from latentplan_ros.nodes import qos
from latentplan_ros.resources import resource

SMALL = {"task": "franka_reach", "width": 64, "height": 64}


def patient(folder):
    """The Franka's profile with limits that a busy test machine keeps."""
    values = yaml.safe_load(resource("config/robots/franka.yaml").read_text())
    values |= {f"{k}_timeout_s": 1.0 for k in ("image", "pose", "action")}
    path = folder / "patient.yaml"
    path.write_text(yaml.safe_dump(values))
    return str(path)


def xyz(message):
    p = message.pose.position
    return np.array([p.x, p.y, p.z])


def test_the_explorer_moves_the_arm_between_resets_and_recordings(ros, tmp_path):
    calls = []

    def answer(name):
        def serve(_, response):
            calls.append(name)
            response.success = True
            return response

        return serve

    for name in ("start", "stop"):
        ros.node.create_service(Trigger, f"recorder/{name}", answer(name))
    actions = ros.listen(Joy, "action", qos.ACTION)
    targets = ros.listen(PoseStamped, "target_pose", qos.TARGET)
    poses = ros.listen(PoseStamped, "current_pose", qos.STATE_IN)
    robot = patient(tmp_path)
    ros.start("sim_bridge", SMALL)
    ros.start("arm", {"robot": robot})
    ros.wait(lambda: poses, 60.0, "a pose")
    explorer = ros.start(
        "explorer",
        {
            "robot": robot,
            "task": "franka_reach",
            "episodes": 2,
            "episode_steps": 15,
            "settle_s": 0.3,
            "reset_service": "sim_bridge/reset",
            "recorder": "recorder",
        },
    )
    assert explorer.wait(60.0) == 0, explorer.output
    assert calls == ["start", "stop"] * 2
    assert len(actions) == 30
    axes = np.array([a.axes for a in actions])
    assert np.abs(axes).max() <= 1.0
    assert axes.std(0).min() > 0.05
    box = load_profile(robot).workspace
    assert len(targets) > 15
    assert all(box.contains(xyz(t), 1e-9) for t in targets)
    assert np.ptp([xyz(p) for p in poses], axis=0).max() > 0.05, "the arm moved"


def test_the_explorer_waits_for_a_reset_that_fails_and_says_so(ros):
    def refuse(_, response):
        response.success, response.message = False, "the cell door is open"
        return response

    ros.node.create_service(Trigger, "cell/reset", refuse)
    actions = ros.listen(Joy, "action", qos.ACTION)
    explorer = ros.start("explorer", {"reset_service": "cell/reset"})
    ros.wait(lambda: "the cell door is open" in explorer.output, 30.0, "the reason")
    assert not actions


def test_wrong_deviations_are_refused_in_one_line(ros):
    explorer = ros.start("explorer", {"std": [0.3, 0.3]})
    assert explorer.wait(30.0) == 2
    assert "not 4 numbers" in explorer.output


def test_a_killed_recorder_costs_an_episode_and_no_more(ros, tmp_path):
    poses = ros.listen(PoseStamped, "current_pose", qos.STATE_IN)
    robot = patient(tmp_path)
    ros.start("sim_bridge", SMALL)
    ros.start("arm", {"robot": robot})
    bags = tmp_path / "bags"
    recorder = ros.start("recorder", {"directory": str(bags)})
    ros.wait(lambda: poses, 60.0, "a pose")
    explorer = ros.start(
        "explorer",
        {
            "robot": robot,
            "episodes": 2,
            "episode_steps": 20,
            "settle_s": 0.0,
            "reset_service": "sim_bridge/reset",
            "recorder": "recorder",
        },
    )
    ros.wait(lambda: "episode 0" in explorer.output, 30.0, "the first episode")
    recorder.process.kill()
    recorder.wait()
    ros.start("recorder", {"directory": str(bags)})
    assert explorer.wait(90.0) == 0, ros.report("the end of exploration")
    assert all((bag / "metadata.yaml").is_file() for bag in bags.iterdir())
    assert len(list(bags.iterdir())) >= 2
