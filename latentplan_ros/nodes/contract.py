"""The topics between the nodes, as plain data: what the doctor measures, what the views show."""

from dataclasses import dataclass

from rclpy.qos import QoSProfile

from latentplan_ros.nodes import qos

BASE = "base frame of the robot profile"
ANY = "any name, but a name"


@dataclass(frozen=True)
class Topic:
    """One topic. ``name`` is relative unless it begins with a slash.

    offered, asked: quality of service of publishers and of our subscribers; frame: what
    ``header.frame_id`` must hold, empty where the message has no such field or nobody reads it;
    stamped: begins with a std_msgs/Header whose stamp is looked at; publishers, subscribers: our
    nodes, besides the recorder, which takes any; driver: a robot's driver publishes it where there
    is no simulation.
    """

    name: str
    msgtype: str
    offered: QoSProfile
    asked: QoSProfile
    publishers: tuple[str, ...]
    subscribers: tuple[str, ...]
    about: str
    frame: str = ""
    stamped: bool = False
    driver: bool = False


TOPICS = (
    Topic(
        "camera/image_raw",
        "sensor_msgs/msg/Image",
        qos.CAMERA,
        qos.CAMERA,
        ("sim_bridge",),
        ("arm", "goal", "distance", "planner", "watch"),
        "camera picture: rgb8, bgr8, rgba8, bgra8 or mono8",
        frame=ANY,
        stamped=True,
        driver=True,
    ),
    Topic(
        "camera/image_raw/compressed",
        "sensor_msgs/msg/CompressedImage",
        qos.CAMERA,
        qos.CAMERA,
        (),
        ("arm", "goal", "distance", "planner", "watch"),
        "the same as jpeg or png, where image_transport is compressed",
        frame=ANY,
        stamped=True,
        driver=True,
    ),
    Topic(
        "joint_states",
        "sensor_msgs/msg/JointState",
        qos.STATE_OUT,
        qos.STATE_IN,
        ("sim_bridge",),
        ("arm",),
        "joint positions, rad (fingers: m)",
        stamped=True,
        driver=True,
    ),
    Topic(
        "current_pose",
        "geometry_msgs/msg/PoseStamped",
        qos.STATE_OUT,
        qos.STATE_IN,
        ("sim_bridge",),
        ("arm", "watch"),
        "measured pose of the end effector, m",
        frame=BASE,
        stamped=True,
        driver=True,
    ),
    Topic(
        "goal/image",
        "sensor_msgs/msg/Image",
        qos.GOAL,
        qos.GOAL,
        ("goal",),
        ("distance", "planner", "watch"),
        "goal picture, kept for late subscribers",
    ),
    Topic(
        "action",
        "sensor_msgs/msg/Joy",
        qos.ACTION,
        qos.ACTION,
        ("planner", "explorer", "teleop"),
        ("arm", "watch"),
        "axes x, y, z, gripper in [-1, 1]; one source at a time",
        stamped=True,
    ),
    Topic(
        "joy",
        "sensor_msgs/msg/Joy",
        qos.STATE_OUT,
        qos.STATE_IN,
        ("keyboard",),
        ("teleop",),
        "a joystick's or SpaceMouse's axes and buttons, as its driver sends them",
        driver=True,
    ),
    Topic(
        "target_pose",
        "geometry_msgs/msg/PoseStamped",
        qos.TARGET,
        qos.TARGET,
        ("arm",),
        ("sim_bridge", "planner", "watch"),
        "where the end effector shall go, m",
        frame=BASE,
        stamped=True,
    ),
    Topic(
        "gripper_position_controller/commands",
        "std_msgs/msg/Float64MultiArray",
        qos.TARGET,
        qos.TARGET,
        ("arm",),
        ("sim_bridge",),
        "one number: opening of the gripper, m",
    ),
    Topic(
        "distance",
        "std_msgs/msg/Float32",
        qos.REPORT,
        qos.REPORT,
        ("distance",),
        ("watch",),
        "learned distance from now to the goal, time steps",
    ),
    Topic(
        "plan/image",
        "sensor_msgs/msg/Image",
        qos.REPORT,
        qos.REPORT,
        ("planner",),
        ("watch",),
        "now, goal and imagined end, side by side",
        stamped=True,
    ),
    Topic(
        "plan/markers",
        "visualization_msgs/msg/MarkerArray",
        qos.REPORT,
        qos.REPORT,
        ("planner",),
        ("watch",),
        "candidate paths by cost, workspace, keep-out boxes, m",
    ),
    Topic(
        "/diagnostics",
        "diagnostic_msgs/msg/DiagnosticArray",
        qos.REPORT,
        qos.REPORT,
        (
            *("sim_bridge", "arm", "recorder", "explorer", "teleop"),
            *("goal", "distance", "planner", "watch"),
        ),
        ("watch",),
        "whether each node does its work, and if not, why",
    ),
    Topic(
        "/clock",
        "rosgraph_msgs/msg/Clock",
        qos.STATE_OUT,
        qos.CLOCK,
        ("sim_bridge",),
        (),
        "simulated time, where use_sim_time is true",
    ),
    Topic(
        "sim_bridge/truth",
        "std_msgs/msg/Float64MultiArray",
        qos.STATE_OUT,
        qos.STATE_IN,
        ("sim_bridge",),
        (),
        "what the simulator knows; evaluation alone reads it",
    ),
)

BY_NAME = {topic.name: topic for topic in TOPICS}
