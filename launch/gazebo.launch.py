"""A Franka Research 3 with a camera in Gazebo, behind the topics of a real arm.

NOT RUN: there was no Gazebo where this was written. Names, types, frames and joints are tested
against the topic contract and the robot profile, and the description loads under ROS 2 launch; the
simulation itself has been started by nobody yet. docs/gazebo.md says what it needs and what to look
at first.

Beside it: `latentplan up collect --task none --robot franka_gazebo --use-sim-time`, or reach.
"""

import os

from launch.actions import (
    AppendEnvironmentVariable,
    DeclareLaunchArgument,
    IncludeLaunchDescription,
    RegisterEventHandler,
    SetEnvironmentVariable,
)
from launch.event_handlers import OnProcessExit
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import Command, LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

from latentplan_ros.bringup.environment import additions
from latentplan_ros.resources import resource
from launch import LaunchDescription

CONTROLLERS = (
    "joint_state_broadcaster",
    "pose_broadcaster",
    "cartesian_impedance_controller",
    "gripper_position_controller",
)
TIME = {"use_sim_time": True}


def generate_launch_description() -> LaunchDescription:
    environment = [SetEnvironmentVariable(k, v) for k, v in additions(os.environ).items()]
    world = DeclareLaunchArgument(
        "world",
        default_value=str(resource("config/gazebo/franka_table.sdf")),
        description="Gazebo world, *.sdf; its camera publishes on camera/image_raw",
    )
    gz_args = DeclareLaunchArgument(
        "gz_args", default_value="-r", description="-r: run at once; -r -s: without a window"
    )
    spawn = Node(
        package="ros_gz_sim",
        executable="create",
        arguments=["-topic", "robot_description", "-name", "franka"],
        output="screen",
    )
    bridge = Node(
        package="ros_gz_bridge",
        executable="parameter_bridge",
        name="gz_bridge",
        parameters=[{"config_file": str(resource("config/gazebo/bridge.yaml")), **TIME}],
        output="screen",
    )
    # The controller manager lives in the spawned model: its controllers can only follow it.
    controllers = RegisterEventHandler(OnProcessExit(target_action=spawn, on_exit=[_controllers()]))
    return LaunchDescription(
        [
            *environment,
            world,
            gz_args,
            AppendEnvironmentVariable(
                "GZ_SIM_RESOURCE_PATH",
                PathJoinSubstitution([FindPackageShare("franka_description"), ".."]),
            ),
            _gazebo(),
            _robot(),
            spawn,
            bridge,
            controllers,
        ]
    )


def _gazebo() -> IncludeLaunchDescription:
    source = PathJoinSubstitution([FindPackageShare("ros_gz_sim"), "launch", "gz_sim.launch.py"])
    arguments = [LaunchConfiguration("gz_args"), " ", LaunchConfiguration("world")]
    return IncludeLaunchDescription(
        PythonLaunchDescriptionSource(source), launch_arguments={"gz_args": arguments}.items()
    )


def _robot() -> Node:
    """robot_state_publisher with the arm, its hand and effort interfaces, gravity compensated."""
    model = PathJoinSubstitution(
        [FindPackageShare("franka_gazebo_bringup"), "urdf", "franka_arm.gazebo.xacro"]
    )
    options = "robot_type:=fr3 hand:=true ee_id:=franka_hand gazebo:=true gazebo_effort:=true"
    description = ParameterValue(Command(["xacro ", model, " ", options]), value_type=str)
    return Node(
        package="robot_state_publisher",
        executable="robot_state_publisher",
        parameters=[{"robot_description": description, **TIME}],
        output="screen",
    )


def _controllers() -> Node:
    file = str(resource("config/gazebo/controllers.yaml"))
    return Node(
        package="controller_manager",
        executable="spawner",
        arguments=[*CONTROLLERS, "--param-file", file, "--controller-manager-timeout", "60"],
        output="screen",
    )
