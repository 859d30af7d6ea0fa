"""The processes of the node table, running: they publish and hear what the contract says."""

import pytest

from latentplan_ros.bringup.graphs import Options, graph
from latentplan_ros.bringup.runner import command
from latentplan_ros.nodes.contract import TOPICS
from latentplan_ros.resources import PACKAGE

NODES = ("sim_bridge", "arm", "goal", "distance", "planner", "explorer", "teleop")
# Theirs are of the kind of every ROS node, or of every lifecycle node.
INFRASTRUCTURE = ("/rosout", "/parameter_events", "/clock", "/planner/transition_event")


@pytest.fixture
def running(ros):
    """All nodes at once; the explorer waits for a reset that takes its time, so nothing moves."""
    entries = {
        entry.executable: entry
        for name in ("teleop", "collect", "reach")
        for entry in graph(name, Options())
        if entry.executable in NODES
    }
    assert sorted(entries) == sorted(NODES), f"the node table of {PACKAGE} has other nodes"
    for entry in entries.values():
        ros.run(command(entry), entry.name)
    ros.wait(lambda: named(ros) >= set(NODES), 120.0, f"all of {NODES}")
    return ros


def named(ros):
    return {name for name, _ in ros.node.get_node_names_and_namespaces()}


def ends(listed):
    return {
        (name, types[0])
        for name, types in listed
        if name not in INFRASTRUCTURE and "/_" not in name
    }


def published(ros, node):
    return ends(ros.node.get_publisher_names_and_types_by_node(node, "/"))


def heard(ros, node):
    return ends(ros.node.get_subscriber_names_and_types_by_node(node, "/"))


def expected(node, side):
    """Of the raw camera topic and the compressed one, which stands in for it, the raw one."""
    return {
        (topic.name if topic.name.startswith("/") else f"/{topic.name}", topic.msgtype)
        for topic in TOPICS
        if node in getattr(topic, side)
        and not topic.name.endswith("/compressed")
        and topic.name != "/clock"
    }


def test_every_node_publishes_and_hears_what_the_contract_says(running):
    ros = running
    for node in NODES:
        wanted = expected(node, "publishers"), expected(node, "subscribers")
        ros.wait(
            lambda node=node, wanted=wanted: (published(ros, node), heard(ros, node)) == wanted,
            60.0,
            f"{node} has {published(ros, node), heard(ros, node)}, the contract says {wanted}",
        )
    for topic in TOPICS:
        for info in ros.node.get_publishers_info_by_topic(topic.name):
            assert same(info.qos_profile, topic.offered), (topic.name, info.node_name)
        for info in ros.node.get_subscriptions_info_by_topic(topic.name):
            if info.node_name in topic.subscribers:
                assert same(info.qos_profile, topic.asked), (topic.name, info.node_name)


def same(one, other):
    return (one.reliability, one.durability) == (other.reliability, other.durability)
