"""RViz, Foxglove and Gazebo files, and the pages, name topics that there are, as they are."""

import importlib
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml
from rclpy.qos import DurabilityPolicy, QoSCompatibility, QoSProfile, ReliabilityPolicy
from rclpy.qos import qos_check_compatible as check

from latentplan_ros.control.envelope import Reason
from latentplan_ros.control.profile import load_profile
from latentplan_ros.nodes.contract import BASE, BY_NAME, TOPICS
from latentplan_ros.resources import resource

ROOT = Path(__file__).resolve().parents[1]
RVIZ_TYPES = {
    "rviz_default_plugins/Image": "sensor_msgs/msg/Image",
    "rviz_default_plugins/MarkerArray": "visualization_msgs/msg/MarkerArray",
    "rviz_default_plugins/Pose": "geometry_msgs/msg/PoseStamped",
}
FOXGLOVE_TYPES = {
    "Image": {"sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"},
    "DiagnosticSummary": {"diagnostic_msgs/msg/DiagnosticArray"},
}
IN_3D = {"visualization_msgs/msg/MarkerArray", "geometry_msgs/msg/PoseStamped"}
# The pairs of ros_gz_bridge's own table that are used here.
GAZEBO_TYPES = {
    "sensor_msgs/msg/Image": "gz.msgs.Image",
    "rosgraph_msgs/msg/Clock": "gz.msgs.Clock",
}


def read(path):
    return yaml.safe_load(resource(path).read_text())


def topic(name):
    """The contract's entry for a name that a view has, absolute or not."""
    found = BY_NAME.get(name) or BY_NAME.get(name.lstrip("/"))
    assert found, f"{name} is not a topic of the contract"
    return found


def message(msgtype):
    package, _, name = msgtype.split("/")
    return getattr(importlib.import_module(f"{package}.msg"), name)


# RViz ------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def displays():
    manager = read("config/rviz/latentplan.rviz")["Visualization Manager"]
    return [d for d in manager["Displays"] if "Topic" in d]


def test_rviz_shows_what_there_is_as_what_it_is(displays):
    for display in displays:
        assert topic(display["Topic"]["Value"]).msgtype == RVIZ_TYPES[display["Class"]]
        assert not display["Topic"]["Value"].startswith("/"), "a namespace would not reach it"
    shown = {d["Topic"]["Value"] for d in displays}
    assert shown >= {"camera/image_raw", "plan/image", "plan/markers", "current_pose"}


def test_rviz_hears_every_publisher(displays):
    for display in displays:
        wanted = display["Topic"]
        asked = QoSProfile(
            depth=wanted["Depth"],
            reliability=ReliabilityPolicy[wanted["Reliability Policy"].upper().replace(" ", "_")],
            durability=DurabilityPolicy[wanted["Durability Policy"].upper().replace(" ", "_")],
        )
        fit, why = check(topic(wanted["Value"]).offered, asked)
        assert fit != QoSCompatibility.ERROR, f"{wanted['Value']}: {why}"


def test_rviz_looks_from_the_frame_that_markers_are_in():
    manager = read("config/rviz/latentplan.rviz")["Visualization Manager"]
    assert manager["Global Options"]["Fixed Frame"] == load_profile("franka").base_frame


# Foxglove --------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def layout():
    return json.loads(resource("config/foxglove/latentplan.json").read_text())


def leaves(node):
    if isinstance(node, str):
        return [node]
    assert 0 < node["splitPercentage"] < 100
    return leaves(node["first"]) + leaves(node["second"])


def test_every_panel_has_its_place(layout):
    assert sorted(leaves(layout["layout"])) == sorted(layout["configById"])


def test_foxglove_shows_what_there_is_as_what_it_is(layout):
    seen = set()
    for name, config in layout["configById"].items():
        kind = name.split("!")[0]
        if kind == "Image":
            names, types = [config["imageMode"]["imageTopic"]], FOXGLOVE_TYPES[kind]
        elif kind == "DiagnosticSummary":
            names, types = [config["topicToRender"]], FOXGLOVE_TYPES[kind]
        elif kind == "3D":
            names, types = list(config["topics"]), IN_3D
            assert config["followTf"] == load_profile("franka").base_frame
        else:
            names, types = [], set()
        seen |= set(names)
        assert {topic(name).msgtype for name in names} <= types
    assert seen >= {"/camera/image_raw", "/goal/image", "/plan/image", "/plan/markers"}
    assert seen >= {"/current_pose", "/diagnostics"}


def test_plotted_paths_are_fields_of_their_messages(layout):
    paths = [path["value"] for c in layout["configById"].values() for path in c.get("paths", [])]
    assert "/distance.data" in paths
    for path in paths:
        name, _, field = path.partition(".")
        kind = message(topic(name).msgtype)
        first = re.split(r"[.\[{]", field)[0]
        assert first in kind.get_fields_and_field_types(), path


# Gazebo ----------------------------------------------------------------------------------------
def test_the_bridge_carries_topics_of_the_contract_as_they_are():
    bridge = read("config/gazebo/bridge.yaml")
    for entry in bridge:
        assert topic(entry["ros_topic_name"]).msgtype == entry["ros_type_name"]
        assert entry["gz_type_name"] == GAZEBO_TYPES[entry["ros_type_name"]]
        assert entry["direction"] == "GZ_TO_ROS"
    assert {e["ros_topic_name"] for e in bridge} == {"camera/image_raw", "/clock"}


def test_the_world_has_the_camera_that_the_bridge_listens_to():
    world = ET.parse(resource("config/gazebo/franka_table.sdf")).getroot().find("world")
    (camera,) = world.iter("sensor")
    names = {e["gz_topic_name"] for e in read("config/gazebo/bridge.yaml")}
    assert camera.findtext("topic") in names
    assert camera.findtext("gz_frame_id")
    profile = load_profile("franka_gazebo")
    assert float(camera.findtext("update_rate")) >= profile.action.rate_hz
    systems = {plugin.get("name").rpartition("::")[2] for plugin in world.iter("plugin")}
    assert systems >= {"Physics", "Sensors", "UserCommands", "SceneBroadcaster"}


def test_controllers_and_profile_are_of_the_same_arm():
    profile = load_profile("franka_gazebo")
    controllers = read("config/gazebo/controllers.yaml")
    moved = set()
    for name in ("pose_broadcaster", "cartesian_impedance_controller"):
        values = controllers[name]["ros__parameters"]
        assert values["base_frame"] == profile.base_frame
        assert values["end_effector_frame"] == profile.end_effector_frame
        moved |= set(values["joints"])
    # Its own name makes the topic: NAME/commands.
    gripper = controllers["gripper_position_controller"]["ros__parameters"]
    assert "gripper_position_controller/commands" in BY_NAME
    assert moved | set(gripper["joints"]) <= set(profile.joints)
    assert all("type" in c["ros__parameters"] for c in controllers.values())
    # ROS's own reader of parameter files knows no anchors.
    assert not re.search(
        r"[&*]\w+\s*$", resource("config/gazebo/controllers.yaml").read_text(), re.M
    )


def test_every_type_of_the_contract_exists():
    for entry in TOPICS:
        assert message(entry.msgtype)
        fit, why = check(entry.offered, entry.asked)
        assert fit != QoSCompatibility.ERROR, f"{entry.name}: {why}"
        header = "header" in message(entry.msgtype).get_fields_and_field_types()
        assert header or not entry.stamped


# Pages -----------------------------------------------------------------------------------------
def rows(page):
    """Cells of every table row of a page in docs."""
    lines = (ROOT / "docs" / page).read_text().splitlines()
    return [[c.strip() for c in line.strip("|").split(" | ")] for line in lines if line[:1] == "|"]


def test_the_page_of_topics_is_the_contract():
    listed = {cells[0].strip("`"): cells for cells in rows("topics_and_frames.md")}
    for entry in TOPICS:
        cells = listed.pop(entry.name)
        assert cells[1] == entry.msgtype
        offered = "best_effort" if is_best_effort(entry.offered) else "reliable"
        assert cells[3].startswith(offered), entry.name
        latched = entry.offered.durability == DurabilityPolicy.TRANSIENT_LOCAL
        assert latched == ("transient_local" in cells[3])
        assert ("best_effort" in cells[4]) == is_best_effort(entry.asked)
        assert ("base_frame" in cells[2]) == (entry.frame == BASE or entry.name == "plan/markers")
    assert not [name for name in listed if "/" in name]


def is_best_effort(profile):
    return profile.reliability == ReliabilityPolicy.BEST_EFFORT


def test_every_reason_to_hold_has_its_remedy():
    first = " ".join(cells[0] for cells in rows("troubleshooting.md"))
    assert [reason.name for reason in Reason if f"`{reason.name}`" not in first] == []


@pytest.mark.parametrize(
    "page", ["topics_and_frames.md", "troubleshooting.md", "watch.md", "gazebo.md"]
)
def test_links_lead_somewhere(page):
    for target, anchor in re.findall(
        r"\]\(([\w.]*)#?([\w-]*)\)", (ROOT / "docs" / page).read_text()
    ):
        file = ROOT / "docs" / (target or page)
        assert file.is_file(), target
        if not anchor:
            continue
        heads = re.findall(r"^#+ (.*)$", file.read_text(), re.M)
        anchors = [re.sub(r"[^\w -]", "", head).lower().replace(" ", "-") for head in heads]
        assert anchor in anchors, anchor
