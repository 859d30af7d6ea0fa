"""``latentplan doctor --live`` on real graphs: a sound one, broken ones, and none at all."""

import contextlib
import json
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from rclpy.serialization import serialize_message
from rich.console import Console
from sensor_msgs.msg import Joy

from latentplan_ros import cli
from latentplan_ros.bringup.client import GraphClient
from latentplan_ros.bringup.doctor.finding import Status
from latentplan_ros.bringup.doctor.hearing import frame_of_raw, listen
from latentplan_ros.bringup.doctor.judgement import judge
from latentplan_ros.bringup.doctor.live import examine
from latentplan_ros.control.profile import load_profile
from latentplan_ros.resources import resource

DRIVERS = Path(__file__).with_name("drivers.py")


@pytest.fixture
def patient(tmp_path):
    """The Franka's profile with limits that a busy machine keeps."""
    values = yaml.safe_load(resource("config/robots/franka.yaml").read_text())
    for limit in ("image_timeout_s", "pose_timeout_s", "action_timeout_s"):
        values[limit] = 5.0
    path = tmp_path / "franka.yaml"
    path.write_text(yaml.safe_dump(values))
    return str(path)


def drive(ros, **faults):
    return ros.run([sys.executable, str(DRIVERS), json.dumps(faults)], "drivers")


def settle(ros, *topics):
    """Every topic has a publisher, and the arm is there."""
    ros.wait(lambda: all(ros.node.count_publishers(t) for t in topics), 30.0, f"{topics}")


def diagnose(robot, duration=2.0):
    with GraphClient("doctor") as client:
        hearing = listen(client, duration)
    found = {}
    for finding in judge(hearing, load_profile(robot)):
        found.setdefault(finding.subject, []).append(finding)
        assert finding.found
        assert finding.remedy or finding.status is Status.NOTE
    return hearing, found


def said(findings):
    return " | ".join(f.found for f in findings)


def test_a_sound_graph_is_measured_and_has_nothing_wrong(ros, patient):
    drive(ros, actions=True)
    ros.start("arm", {"robot": patient})
    settle(ros, "current_pose", "target_pose")
    console = Console(record=True, width=160)
    status = examine(patient, "", 2.0, console)
    text = console.export_text()
    assert status == 0, text
    assert "Nothing is wrong" in text
    camera = next(line for line in text.splitlines() if "camera/image_raw" in line)
    cells = [cell.strip() for cell in camera.split("│")[1:-1]]
    assert cells[1] == "/drivers"
    assert 9.0 < float(cells[2]) < 40.0
    assert 0.0 < float(cells[3].split(",")[0]) < 1000.0
    assert int(cells[5]) < 10
    assert "simulated time" not in text


def test_what_is_wrong_is_named_with_its_remedy(ros, patient):
    drive(ros, frame="world", ahead={"joint_states": 3.0, "camera/image_raw": -8.0}, deaf=True)
    drive(ros, silent=["camera/image_raw", "joint_states", "current_pose"], actions=True)
    ros.start("arm", {"robot": patient})
    ros.publisher(Joy, "action", 1)
    settle(ros, "current_pose", "target_pose", "action", "joint_states")
    hearing, found = diagnose(patient)
    assert hearing.clocked is False

    pose = said(found["/current_pose"])
    assert "frame 'world'" in pose
    assert "'panda_link0'" in pose
    assert "3.0 s in the future" in said(found["/joint_states"])
    camera = found["/camera/image_raw"]
    assert "/drivers receives nothing from /drivers" in said(camera)
    assert "eliab" in said(camera)
    assert "every message is 8.0 s old or older" in said(camera)
    assert any("best_effort" in f.remedy for f in camera)
    assert any("chrony" in f.remedy for f in camera)
    assert "2 publishers (/drivers, /watcher)" in said(found["/action"])
    assert "2 nodes have this name" in said(found["/drivers"])
    assert "holding" in said(found["/arm"])


def test_a_topic_under_another_name_is_found(ros, patient):
    drive(ros, camera="camera/color/image_raw", silent=["joint_states"])
    ros.start("arm", {"robot": patient})
    settle(ros, "current_pose", "camera/color/image_raw", "target_pose")
    _, found = diagnose(patient, 0.5)
    (camera,) = found["/camera/image_raw"]
    assert "/arm wait for it and nobody publishes it" in camera.found
    assert "/camera/color/image_raw:=/camera/image_raw" in camera.remedy
    assert "SUBNET" in found["/joint_states"][0].remedy
    assert "no planner" in said(found["/action"])


def test_a_remapped_topic_is_followed(ros, patient):
    drive(ros, camera="camera/color/image_raw")
    ros.start("arm", {"robot": patient}, remaps={"camera/image_raw": "camera/color/image_raw"})
    settle(ros, "current_pose", "camera/color/image_raw", "target_pose")
    ros.wait(lambda: ros.node.count_subscribers("camera/color/image_raw"), 30.0, "the arm node")
    for _ in range(5):  # a loaded machine may take longer to discover than to listen
        hearing, found = diagnose(patient, 1.0)
        rates = {heard.name: heard.rate for heard in hearing.topics}
        if rates.get("/camera/color/image_raw", 0.0) > 5.0:
            break
    assert rates["/camera/color/image_raw"] > 5.0
    assert "/camera/image_raw" not in rates
    assert "/camera/color/image_raw" not in found


def test_no_graph_at_all(ros, capsys):
    assert cli.main(["doctor", "--live", "--seconds", "0.1", "--namespace", "lab"]) == 1
    text = " ".join(capsys.readouterr().out.split())
    assert "no node publishes any topic of ours in namespace /lab" in text
    assert f"ROS_DOMAIN_ID {ros.domain}" in text
    assert "latentplan up reach" in text


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60))
def test_the_frame_of_serialized_messages(frame):
    message = Joy(axes=[1.0])
    message.header.frame_id = frame
    assert frame_of_raw(serialize_message(message)) == frame


@given(st.binary(max_size=40))
def test_damaged_bytes_have_no_frame_or_a_short_one(raw):
    with contextlib.suppress(ValueError):
        assert len(frame_of_raw(raw)) <= 40
