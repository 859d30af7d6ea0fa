"""The node table as actions of ROS 2 launch; each ``launch/*.launch.py`` is one call of this."""

import os

from launch.actions import (
    DeclareLaunchArgument,
    OpaqueFunction,
    SetEnvironmentVariable,
    Shutdown,
)
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from latentplan_ros.bringup.environment import additions
from latentplan_ros.bringup.graphs import Entry, Options, graph, helps
from latentplan_ros.bringup.runner import RESPAWN_DELAY_S
from latentplan_ros.resources import PACKAGE
from launch import LaunchContext, LaunchDescription


def describe(name: str) -> LaunchDescription:
    """What ``generate_launch_description`` of a graph's launch file returns."""
    environment = [SetEnvironmentVariable(k, v) for k, v in additions(os.environ).items()]
    arguments = [
        DeclareLaunchArgument(option, default_value=default, description=text)
        for option, (default, text) in helps().items()
    ]
    return LaunchDescription(
        [*environment, *arguments, OpaqueFunction(function=_start, args=[name])]
    )


def _start(context: LaunchContext, name: str) -> list[Node]:
    options = Options(**{key: LaunchConfiguration(key).perform(context) for key in helps()})
    return [_action(entry, options.full_namespace) for entry in graph(name, options)]


def _action(entry: Entry, namespace: str) -> Node:
    return Node(
        package=PACKAGE,
        executable=entry.executable,
        name=entry.name,
        namespace=namespace,
        parameters=[str(entry.parameter_file), dict(entry.parameters)],
        remappings=list(entry.remaps),
        ros_arguments=["--enclave", entry.enclave],
        respawn=entry.respawn,
        respawn_delay=RESPAWN_DELAY_S,
        on_exit=[Shutdown(reason=f"{entry.name} ended")] if entry.required else None,
        output="screen",
        emulate_tty=True,
    )
