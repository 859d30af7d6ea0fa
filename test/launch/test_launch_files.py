"""The launch files under genuine ROS 2 launch; runs wherever launch_pytest is installed.

`ros2 launch` finds installed executables alone, so the package must be installed (pip or colcon).
"""
# ruff: noqa: E402 -- what follows can be imported only where launch_pytest is

import os
import sys
from pathlib import Path

import pytest

launch_pytest = pytest.importorskip("launch_pytest")

from geometry_msgs.msg import PoseStamped
from launch.actions import (
    DeclareLaunchArgument,
    IncludeLaunchDescription,
    OpaqueFunction,
    SetEnvironmentVariable,
)
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_pytest.actions import ReadyToTest
from rcl_interfaces.srv import GetParameters
from rclpy.parameter import parameter_value_to_python
from sensor_msgs.msg import Joy

from latentplan_ros.bringup.graphs import GraphError, Options, graph
from latentplan_ros.nodes import qos
from launch import LaunchContext, LaunchDescription

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test" / "ros"))

from harness import Ros

os.environ.setdefault("AMENT_PREFIX_PATH", sys.prefix)


@pytest.fixture
def ros():
    domain = Ros()
    yield domain
    domain.close()


def include(ros, name, **arguments):
    source = PythonLaunchDescriptionSource(str(ROOT / "launch" / f"{name}.launch.py"))
    return LaunchDescription(
        [
            SetEnvironmentVariable("ROS_DOMAIN_ID", str(ros.domain)),
            IncludeLaunchDescription(source, launch_arguments=arguments.items()),
            ReadyToTest(),
        ]
    )


@launch_pytest.fixture
def sim(ros):
    return include(ros, "sim", task="franka_reach", namespace="lab/left")


@launch_pytest.fixture
def collect(ros, tmp_path):
    return include(ros, "collect", task="franka_reach", record=str(tmp_path))


def running(ros):
    return {
        (space.rstrip("/") + "/" + name)
        for name, space in ros.node.get_node_names_and_namespaces()
        if name != "watcher"
    }


@pytest.mark.launch(fixture=sim)
def test_sim_runs_in_its_namespace(sim, ros):
    poses = ros.listen(PoseStamped, "/lab/left/current_pose", qos.STATE_IN)
    ros.wait(lambda: poses, 60.0, "a pose")
    ros.wait(
        lambda: running(ros) == {"/lab/left/sim_bridge", "/lab/left/arm"}, 20.0, str(running(ros))
    )


@pytest.mark.launch(fixture=collect)
def test_collect_explores_with_the_parameters_of_the_table(collect, ros, tmp_path):
    actions = ros.listen(Joy, "/action", qos.ACTION)
    ros.wait(lambda: len(actions) > 5, 60.0, "actions")
    for entry in graph("collect", Options(task="franka_reach", record=str(tmp_path))):
        assert f"/{entry.name}" in running(ros)
        names = list(entry.parameters)
        request = GetParameters.Request(names=names)
        values = ros.call(GetParameters, f"/{entry.name}/get_parameters", request).values
        assert dict(zip(names, map(parameter_value_to_python, values), strict=True)) == (
            entry.parameters
        )
    ros.wait(lambda: list(tmp_path.glob("*/*.mcap")), 20.0, "a bag")


def perform(name, **arguments):
    """The node actions a launch file makes for these arguments, without starting them."""
    source = PythonLaunchDescriptionSource(str(ROOT / "launch" / f"{name}.launch.py"))
    context = LaunchContext()
    context.launch_configurations.update(arguments)
    made = []
    for entity in source.get_launch_description(context).entities:
        if isinstance(entity, DeclareLaunchArgument):
            entity.execute(context)
        elif isinstance(entity, OpaqueFunction):
            made += entity.execute(context)
    return made


@pytest.mark.parametrize("name", ["sim", "collect", "teleop", "reach"])
def test_genuine_actions_are_those_of_the_table(name, tmp_path):
    checkpoint = tmp_path / "m.safetensors"
    checkpoint.touch()
    chosen = {"checkpoint": str(checkpoint), "namespace": "lab"}
    table = graph(name, Options(**chosen))
    actions = perform(name, **chosen)
    assert [a.node_executable for a in actions] == [e.executable for e in table]
    assert [a.node_package for a in actions] == ["latentplan_ros"] * len(table)


def test_a_missing_goal_picture_is_named_before_anything_starts(tmp_path):
    checkpoint = tmp_path / "m.safetensors"
    checkpoint.touch()
    with pytest.raises(GraphError, match=r"/nowhere/goal\.png"):
        perform("reach", checkpoint=str(checkpoint), goal="/nowhere/goal.png")


def test_gazebo_is_described_and_nothing_is_looked_for_before_it_starts():
    """Where there is no Gazebo too: its packages are found when the description runs."""
    source = PythonLaunchDescriptionSource(str(ROOT / "launch" / "gazebo.launch.py"))
    description = source.get_launch_description(LaunchContext())
    arguments = {argument.name for argument in description.get_launch_arguments()}
    assert arguments == {"world", "gz_args"}
    packages = [e.node_package for e in description.entities if hasattr(e, "node_package")]
    assert packages == ["robot_state_publisher", "ros_gz_sim", "ros_gz_bridge"]
