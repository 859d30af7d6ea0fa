"""The SROS2 policy allows what the nodes do and nothing else; discovery stays on this machine."""

import importlib.util
import os
import pty
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from latentplan_ros.bringup.graphs import GRAPHS, Options, graph
from latentplan_ros.bringup.runner import command
from latentplan_ros.resources import resource

INCLUDE = "{http://www.w3.org/2001/XInclude}include"
# Used where a parameter asks for it: simulated time, compressed pictures.
SOMETIMES = {
    ("topics subscribe", "/clock"),
    ("topics publish", "/clock"),
    ("topics subscribe", "/camera/image_raw/compressed"),
    # Not in every release of ROS.
    ("topics subscribe", "/parameter_events"),
    ("services reply", "get_type_description"),
}
ACTION_TOPICS = ("feedback", "status")
ACTION_SERVICES = ("cancel_goal", "get_result", "send_goal")
Rules = set[tuple[str, str]]


def included(element: ElementTree.Element, folder: Path) -> ElementTree.Element:
    """The element with what its includes name, as the tools of SROS2 read it."""
    for child in list(element):
        if child.tag == INCLUDE:
            root = ElementTree.parse(folder / child.attrib["href"]).getroot()
            assert child.attrib["xpointer"] == f"xpointer(/{root.tag}/*)"
            element.remove(child)
            element.extend(included(root, folder))
        else:
            included(child, folder)
    return element


def policy() -> dict[str, dict[str, Rules]]:
    """Enclave -> node -> what it is allowed, names expanded: (e.g. "topics publish", "/action")."""
    file = resource("config/sros2/policy.xml")
    allowed: dict[str, dict[str, Rules]] = {}
    for enclave in included(ElementTree.parse(file).getroot(), file.parent).iter("enclave"):
        nodes = allowed.setdefault(enclave.attrib["path"], {})
        for profile in enclave.iter("profile"):
            node = profile.attrib["node"]
            assert profile.attrib["ns"] == "/"
            nodes[node] = rules(profile, node)
    return allowed


def rules(profile: ElementTree.Element, node: str) -> Rules:
    """What a profile, or a file that is included in one, allows its node."""
    allowed = {
        (f"{group.tag} {way}", expanded(name.text, node))
        for group in profile
        for way in group.attrib
        for name in group
    }
    # An action is three services and two topics.
    for what, action in [rule for rule in allowed if rule[0] == "actions call"]:
        allowed.remove((what, action))
        allowed |= {("topics subscribe", f"{action}/_action/{n}") for n in ACTION_TOPICS}
        allowed |= {("services request", f"{action}/_action/{n}") for n in ACTION_SERVICES}
    return allowed


def part(name: str) -> Rules:
    """What one backend of the arm needs."""
    file = resource(f"config/sros2/{name}.xml")
    return rules(included(ElementTree.parse(file).getroot(), file.parent), "arm")


def expanded(name: str, node: str) -> str:
    return name.replace("~", f"/{node}") if name[0] in "~/" else f"/{name}"


def used(node, name: str) -> Rules:
    """What a running node does, as the graph tells."""
    questions = {
        "topics publish": node.get_publisher_names_and_types_by_node,
        "topics subscribe": node.get_subscriber_names_and_types_by_node,
        "services reply": node.get_service_names_and_types_by_node,
        "services request": node.get_client_names_and_types_by_node,
    }
    try:
        return {(what, n) for what, ask in questions.items() for n, _ in ask(name, "/")}
    except Exception:  # a node that is not there yet
        return set()


def required(rules: Rules) -> Rules:
    return {
        (what, name)
        for what, name in rules
        if (what, name) not in SOMETIMES and (what, name.rpartition("/")[2]) not in SOMETIMES
    }


def test_the_policy_allows_what_each_running_node_does_and_nothing_else(ros, tmp_path):
    allowed = policy()
    options = Options(record=str(tmp_path))
    entries = {e.executable: e for name in GRAPHS for e in graph(name, options)}
    one_process = {"distance", "planner"}
    model = [f"{k}:={v}" for k, v in entries["planner"].parameters.items()]
    for executable, entry in entries.items():
        if executable not in one_process:
            ros.run(command(entry), executable)
    arguments = [part for value in model for part in ("-p", value)]
    node = [sys.executable, "-m", "latentplan_ros.nodes.distance_planner", "--ros-args"]
    ros.run([*node, *arguments], "distance_planner")
    watching = importlib.util.find_spec("rerun") is not None
    if watching:
        ros.start("watch", {"web_port": 19090, "data_port": 19876})
    terminal, other_end = pty.openpty()
    keyboard = subprocess.Popen(
        [sys.executable, "-m", "latentplan_ros.nodes.keyboard"],
        env=ros.env,
        stdin=other_end,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        nodes = {*entries, "keyboard", *(["watch"] if watching else [])}
        differences: dict[str, dict[str, Rules]] = defaultdict(dict)

        def same() -> bool:
            differences.clear()
            for name in nodes:
                does, may = used(ros.node, name), allowed[f"/latentplan/{name}"][name]
                if does - may:
                    differences[name]["does what it may not"] = does - may
                if required(may) - does:
                    differences[name]["may what it does not"] = required(may) - does
            return not differences

        try:
            ros.wait(same, 90.0, "the graph that the policy describes")
        except AssertionError as error:
            raise AssertionError(f"{dict(differences)}\n{error}") from None
    finally:
        keyboard.terminate()
        keyboard.wait(10)
        os.close(terminal)
        os.close(other_end)


@pytest.mark.parametrize(
    ("robot", "messages"),
    [
        ("franka_gazebo", "sensor_msgs"),
        ("servo_and_position", "sensor_msgs"),
        ("franka_hand", "franka_msgs"),
        ("franka_servo", "franka_msgs"),
        ("ur5e_servo", "control_msgs"),
        ("sawyer_intera", "intera_core_msgs"),
    ],
)
def test_each_backend_of_the_arm_has_its_part_of_the_policy(ros, tmp_path, robot, messages):
    if importlib.util.find_spec(messages) is None:
        pytest.skip(f"{messages} is not installed")
    profile = resource("config/robots") / f"{robot}.yaml"
    if not profile.exists():
        profile = tmp_path / f"{robot}.yaml"
        arm, gripper = map(load_robot, ("franka_servo", "franka_gazebo"))
        arm["backend"]["gripper"] = gripper["backend"]["gripper"]
        profile.write_text(yaml.safe_dump(arm | {"name": robot}))
    kinds = {name: value["kind"] for name, value in load_robot(profile)["backend"].items()}
    always = policy()["/latentplan/arm"]["arm"]
    always -= part("arm_crisp") | part("gripper_position")
    may = always | part(f"arm_{kinds['arm']}") | part(f"gripper_{kinds['gripper']}")
    ros.start("arm", {"robot": str(profile)})

    def same() -> bool:
        does = used(ros.node, "arm")
        return does <= may and required(may) <= does

    try:
        ros.wait(same, 30.0, "what the policy describes")
    except AssertionError as error:
        does = used(ros.node, "arm")
        raise AssertionError(
            f"does what it may not: {does - may}, "
            f"may what it does not: {required(may) - does}\n{error}"
        ) from None


def load_robot(robot: str | Path) -> dict:
    file = resource(f"config/robots/{robot}.yaml") if isinstance(robot, str) else robot
    return yaml.safe_load(file.read_text())


def test_every_node_has_an_enclave_and_the_shared_process_has_both_its_nodes():
    allowed = policy()
    folder = Path(__file__).resolve().parents[2] / "latentplan_ros" / "nodes"
    nodes = {f.stem for f in folder.glob("*.py") if "def main()" in f.read_text()}
    assert {f"/latentplan/{name}" for name in nodes} | {"/latentplan/operator"} == set(allowed)
    both = allowed["/latentplan/distance_planner"]
    assert both == allowed["/latentplan/distance"] | allowed["/latentplan/planner"]
    for name in GRAPHS:
        assert {e.enclave for e in graph(name, Options())} <= set(allowed)


def test_only_the_arm_moves_the_arm_and_only_three_may_ask_it_to():
    def who(what: str, name: str) -> set[str]:
        return {
            node
            for nodes in policy().values()
            for node, rules in nodes.items()
            if (what, name) in rules
        }

    assert who("topics publish", "/target_pose") == {"arm"}
    assert who("topics publish", "/gripper_position_controller/commands") == {"arm"}
    assert who("topics publish", "/action") == {"planner", "explorer", "teleop"}
    assert who("topics publish", "/joy") == {"keyboard"}
    assert who("services request", "/arm/resume") == {"operator"}
    assert who("services request", "/arm/stop") == {"operator"}
