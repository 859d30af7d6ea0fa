"""The only node that moves anything: actions in, safe end-effector targets out."""

import math
import sys
from collections import Counter

import rclpy.node
from geometry_msgs.msg import PoseStamped
from rclpy.clock import Clock, ClockType
from sensor_msgs.msg import CompressedImage, Image, JointState, Joy
from std_srvs.srv import Trigger

from latentplan_ros.control.envelope import PASSING, Command, Reason, Refusal, SafetyEnvelope
from latentplan_ros.control.profile import ProfileError, load_profile
from latentplan_ros.nodes import qos
from latentplan_ros.nodes.backends import Backend, MissingMessages
from latentplan_ros.nodes.diagnostics import ERROR, OK, WARN, Diagnostics
from latentplan_ros.nodes.parameters import ParameterError, declare
from latentplan_ros.nodes.process import run
from latentplan_ros.nodes.quiet import Quiet
from latentplan_ros.nodes.stamps import seconds, stamp_of_raw

WATCH_PERIOD_S = 0.02  # how often limits are looked at; a tenth of the shortest
_FAULTS = {
    Reason.BAD_POSE,
    Reason.BAD_JOINTS,
    Reason.BAD_ACTION,
    Reason.TWO_SOURCES,
    Reason.OUTSIDE_WORKSPACE,
    Reason.KEEP_OUT,
    Reason.POSE_JUMP,
    Reason.TILTED,
    Reason.TOO_FAR,
    Reason.TOO_LARGE_STEP,
}


class Arm(rclpy.node.Node):
    """Turns each action into one target the moment it arrives; a steady timer watches the limits.

    The camera is subscribed without decoding, for its stamps alone: an arm must not follow actions
    that rest on a picture nobody sees any more.
    """

    def __init__(self) -> None:
        super().__init__("arm")
        robot = declare(
            self, "robot", "franka", "Robot profile: a name or a YAML file", read_only=True
        )
        needs_picture = declare(
            self,
            "needs_picture",
            True,
            "Hold when the camera falls silent; false only for driving by hand without a camera",
            read_only=True,
        )
        transport = declare(
            self,
            "image_transport",
            "raw",
            "Type of the camera topic",
            choices=("raw", "compressed"),
            read_only=True,
        )
        self.profile = load_profile(robot)
        self.envelope = SafetyEnvelope(self.profile, needs_picture)
        self._diagnostics = Diagnostics(self)
        self._quiet, self._said = Quiet(), (OK, "starting", "")
        self._commands = 0
        self._refused: Counter[str] = Counter()  # actions, by the reason they were refused for
        self._limited: Counter[str] = Counter()  # commands, by what shortened them

        self._backend = Backend(self, self.profile)
        self._action = self.create_subscription(Joy, "action", self._on_action, qos.ACTION)
        self.create_subscription(PoseStamped, "current_pose", self._on_pose, qos.STATE_IN)
        self.create_subscription(JointState, "joint_states", self._on_joints, qos.STATE_IN)
        kind, topic = (
            (Image, "camera/image_raw")
            if transport == "raw"
            else (CompressedImage, "camera/image_raw/compressed")
        )
        self.create_subscription(kind, topic, self._on_picture, qos.CAMERA, raw=True)
        self.create_service(Trigger, "~/stop", self._on_stop)
        self.create_service(Trigger, "~/resume", self._on_resume)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(WATCH_PERIOD_S, self._on_watch, clock=steady)

    def _now(self) -> float:
        return self.get_clock().now().nanoseconds * 1e-9

    # What arrives ---------------------------------------------------------------------------
    def _on_action(self, message: Joy) -> None:
        now = self._now()
        self._count_sources()
        answer = self.envelope.act(now, seconds(message.header.stamp), message.axes)
        if isinstance(answer, Command):
            self._send(answer)
        else:
            if answer.reason not in PASSING:
                self._refused[answer.reason.name] += 1
            self._on_watch()

    def _on_pose(self, message: PoseStamped) -> None:
        p, q = message.pose.position, message.pose.orientation
        stamp, frame = seconds(message.header.stamp), message.header.frame_id
        self.envelope.pose(self._now(), stamp, (p.x, p.y, p.z), (q.x, q.y, q.z, q.w), frame)

    def _on_joints(self, message: JointState) -> None:
        self.envelope.joints(self._now(), message.name, message.position)

    def _on_picture(self, raw: bytes) -> None:
        try:
            stamp = stamp_of_raw(raw)
        except ValueError:  # cut short; the arm holds for want of a picture with a stamp
            stamp = math.nan
        self.envelope.picture(self._now(), stamp)

    # What leaves ----------------------------------------------------------------------------
    def _send(self, command: Command) -> None:
        self._backend.send(command)
        self._commands += 1
        self._limited.update(limit.name for limit in command.limited)

    def _on_watch(self) -> None:
        now = self._now()
        self._count_sources()
        hold = self.envelope.watch(now)
        if hold is not None:
            self._send(hold)
        self._report(self.envelope.refusal(now))

    def _count_sources(self) -> None:
        topic = self._action.topic_name
        if self.count_publishers(topic) < 2:
            self.envelope.sources(())
            return
        self.envelope.sources(
            [
                f"{info.node_namespace.rstrip('/')}/{info.node_name}"
                for info in self.get_publishers_info_by_topic(topic)
            ]
        )

    def _report(self, refusal: Refusal | None) -> None:
        """Say what the arm does, but not every time something else is wrong: a flood of bad
        messages must not become one of reports. What was left unsaid is said when there is room."""
        if refusal is None:
            news = (OK, "following actions", "")
        else:
            level = ERROR if refusal.reason in _FAULTS else WARN
            news = (level, f"holding: {refusal}", refusal.reason.name)
        if news != self._said and self._quiet.allows():
            self._said = news
        level, message, reason = self._said
        self._diagnostics.set(
            level,
            message,
            reason=reason,
            commands=self._commands,
            refused=_counts(self._refused),
            limited=_counts(self._limited),
        )

    # Services -------------------------------------------------------------------------------
    def _on_stop(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        hold = self.envelope.stop(self._now())
        if hold is not None:
            self._send(hold)
        self._on_watch()
        response.success, response.message = True, "stopped; ~/resume lets actions through again"
        return response

    def _on_resume(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self.envelope.resume(self._now())
        self._on_watch()
        response.success, response.message = True, "waiting for the next action"
        return response


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counter.items())) or "0"


def main() -> None:
    sys.exit(run(Arm, ParameterError, ProfileError, MissingMessages))


if __name__ == "__main__":
    main()
