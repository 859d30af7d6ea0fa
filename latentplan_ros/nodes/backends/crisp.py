"""The contract of crisp_controllers, which the simulated arm keeps too: poses to go to."""

from geometry_msgs.msg import PoseStamped
from rclpy.node import Node
from std_msgs.msg import Float64MultiArray

from latentplan_ros.control.backend import Crisp, PositionGripper
from latentplan_ros.control.envelope import Command
from latentplan_ros.control.profile import RobotProfile
from latentplan_ros.nodes import qos
from latentplan_ros.nodes.backends.opening import scaled


class CrispArm:
    """``target_pose`` in the profile's base frame, which must be the controller's own: crisp reads
    the numbers and not the frame's name. It keeps the last pose, so a hold is a pose as well."""

    def __init__(self, node: Node, profile: RobotProfile, settings: Crisp) -> None:
        self._node, self._profile = node, profile
        self._target = node.create_publisher(PoseStamped, "target_pose", qos.TARGET)

    def move(self, command: Command) -> None:
        message = PoseStamped()
        message.header.stamp = self._node.get_clock().now().to_msg()
        message.header.frame_id = self._profile.base_frame
        position, orientation = message.pose.position, message.pose.orientation
        position.x, position.y, position.z = (float(v) for v in command.position)
        orientation.x, orientation.y, orientation.z, orientation.w = self._profile.orientation_xyzw
        self._target.publish(message)

    @property
    def problem(self) -> str:
        topic = self._target.topic_name
        if self._target.get_subscription_count() == 0:
            return f"nobody listens on {topic}: start the controller, or remap the topic"
        if self._node.count_publishers(topic) > 1:
            return f"{topic} has a second publisher, and crisp ignores both: end the other"
        return ""


class PositionGripperDriver:
    """One number on ``gripper_position_controller/commands``, in the controller's unit."""

    def __init__(self, node: Node, profile: RobotProfile, settings: PositionGripper) -> None:
        self._profile, self._settings = profile, settings
        self._commands = node.create_publisher(
            Float64MultiArray, "gripper_position_controller/commands", qos.TARGET
        )

    def move(self, opening: float) -> None:
        value = scaled(opening, self._profile, self._settings.closed, self._settings.open)
        self._commands.publish(Float64MultiArray(data=[value]))

    @property
    def problem(self) -> str:
        if self._commands.get_subscription_count() == 0:
            return f"nobody listens on {self._commands.topic_name}"
        return ""
