"""What is wrong with what was heard, in plain words, each with its remedy."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.qos import QoSCompatibility, qos_check_compatible

from latentplan_ros.bringup.doctor.finding import Finding, Status
from latentplan_ros.bringup.doctor.hearing import Heard, Hearing
from latentplan_ros.bringup.doctor.stamps import judge_stamps
from latentplan_ros.control.profile import RobotProfile
from latentplan_ros.nodes.contract import BASE

ONE_SOURCE = (
    "action",
    "target_pose",
    "current_pose",
    "camera/image_raw",
    "gripper_position_controller/commands",
)
PERIODIC = ("camera/image_raw", "camera/image_raw/compressed", "current_pose", "joint_states")
_NOBODY = {
    "action": "nothing acts: no planner, explorer or joystick driver is running",
    "goal/image": "nothing shows a goal: the goal node is not running",
    "target_pose": "nothing commands the arm: the arm node is not running",
}
_STATUS_REMEDY = "docs/troubleshooting.md has what each node may say"


def judge(hearing: Hearing, profile: RobotProfile) -> Iterator[Finding]:
    """Everything that is not as it must be; nothing where all is well."""
    if not any(heard.publishers for heard in hearing.topics):
        return
    yield from _names(hearing)
    for heard in hearing.topics:
        yield from _partners(heard, hearing)
        yield from _types(heard)
        yield from _quality(heard)
        if heard.publishers:
            yield from _flow(heard, profile)
            yield from judge_stamps(heard, hearing.clocked, profile)
            yield from _frames(heard, profile)
    yield from _statuses(hearing)


def _names(hearing: Hearing) -> Iterator[Finding]:
    for name, count in Counter(hearing.nodes).items():
        if count > 1:
            yield Finding(
                name,
                Status.WRONG,
                f"{count} nodes have this name: services and parameters answer for one of them",
                "end the one that was left running, or give each graph a namespace of its own",
            )


def _partners(heard: Heard, hearing: Hearing) -> Iterator[Finding]:
    publishers = [publisher.node for publisher in heard.publishers]
    waiting = sorted({subscription.node for subscription in heard.subscriptions})
    if len(publishers) > 1 and heard.topic.name in ONE_SOURCE:
        yield Finding(
            heard.name,
            Status.WRONG,
            f"{len(publishers)} publishers ({', '.join(sorted(publishers))}), where one is meant",
            "end all but one; the arm refuses actions while two nodes send them",
        )
    if publishers or not waiting:
        return
    if heard.topic.driver:
        yield Finding(
            heard.name,
            Status.WRONG,
            f"{', '.join(waiting)} wait for it and nobody publishes it",
            _where_else(heard, hearing),
        )
    elif heard.topic.name in _NOBODY:
        yield Finding(heard.name, Status.NOTE, _NOBODY[heard.topic.name])


def _where_else(heard: Heard, hearing: Hearing) -> str:
    same = [name for name, types in hearing.other_topics.items() if heard.topic.msgtype in types]
    if same:
        return (
            f"published with this type: {', '.join(sorted(same))}. If one of them is meant, remap "
            f"it in the driver's launch file: {same[0]}:={heard.name}"
        )
    return "start its driver; one on another machine needs ROS_AUTOMATIC_DISCOVERY_RANGE=SUBNET"


def _types(heard: Heard) -> Iterator[Finding]:
    ends = [*heard.publishers, *heard.subscriptions]
    for end in ends:
        if end.msgtype != heard.topic.msgtype:
            yield Finding(
                heard.name,
                Status.WRONG,
                f"{end.node} has type {end.msgtype}, ours is {heard.topic.msgtype}: they never "
                "meet",
                f"remap the topic of {end.node} to another name",
            )


def _quality(heard: Heard) -> Iterator[Finding]:
    for publisher in heard.publishers:
        for subscription in heard.subscriptions:
            fit, why = qos_check_compatible(publisher.qos, subscription.qos)
            if fit == QoSCompatibility.ERROR:
                yield Finding(
                    heard.name,
                    Status.WRONG,
                    f"{subscription.node} receives nothing from {publisher.node}: {_plain(why)}",
                    _quality_remedy(publisher.node, subscription.node, why),
                )


def _plain(why: str) -> str:
    words = " ".join(why.replace("ERROR: ", "").replace(";", "; ").split()).rstrip("; ")
    return words[:1].lower() + words[1:]


def _quality_remedy(publisher: str, subscription: str, why: str) -> str:
    if "eliab" in why or "est effort" in why.lower():
        return f"make {publisher} reliable, or {subscription} best_effort"
    if "urab" in why or "ransient" in why:
        return f"make {publisher} transient_local, or {subscription} volatile"
    return f"give {publisher} and {subscription} the same deadline and liveliness"


def _flow(heard: Heard, profile: RobotProfile) -> Iterator[Finding]:
    if not heard.arrivals:
        if heard.topic.name in PERIODIC:
            yield Finding(
                heard.name,
                Status.WRONG,
                f"{heard.publishers[0].node} publishes it, and nothing arrived",
                "look at that node's terminal; for pictures over best_effort, set the Fast DDS "
                "profile that latentplan doctor names where the driver starts",
            )
        return
    if heard.topic.name not in PERIODIC:
        return
    limit = profile.image_timeout_s if "image" in heard.topic.name else profile.pose_timeout_s
    wanted, rate = profile.action.rate_hz, heard.rate
    if rate is not None and rate < 0.9 * wanted and "image" in heard.topic.name:
        yield Finding(
            heard.name,
            Status.WRONG,
            f"{rate:.1f} a second; the arm is commanded {wanted:g} times a second, each time on a "
            "new picture",
            "raise the camera's rate, or lower its size where the machine cannot keep up",
        )
    if heard.silence is not None and heard.silence > limit:
        yield Finding(
            heard.name,
            Status.WRONG,
            f"silent for {heard.silence:.2f} s; the arm holds after {limit:g} s",
            "look for load on this machine (top), a bad cable, or a driver that reconnects",
        )
    if heard.lost:
        share = heard.lost / (heard.lost + len(heard.arrivals))
        yield Finding(
            heard.name,
            Status.WRONG if share > 0.01 else Status.NOTE,
            f"{heard.lost} of {heard.lost + len(heard.arrivals)} messages lost on the way",
            "set the Fast DDS profile that latentplan doctor names where the driver starts; over "
            "a network, use the compressed topic",
        )


def _frames(heard: Heard, profile: RobotProfile) -> Iterator[Finding]:
    if heard.damaged:
        yield Finding(heard.name, Status.WRONG, f"damaged: {heard.damaged}", "restart its sender")
    if not heard.topic.frame or not heard.frames:
        return
    if heard.topic.frame == BASE:
        wrong = sorted(repr(f) for f in heard.frames if f != profile.base_frame)
        if wrong:
            yield Finding(
                heard.name,
                Status.WRONG,
                f"in frame {', '.join(wrong)}; profile {profile.name} has base frame "
                f"{profile.base_frame!r}, and a pose in another one is refused",
                "have the driver publish in the base frame, or, where only the name differs, set "
                "base_frame in a copy of the profile and give that as robot",
            )
    elif "" in heard.frames:
        yield Finding(
            heard.name,
            Status.NOTE,
            "the pictures name no frame; nothing here reads it, RViz does",
            "set the frame_id of the camera driver",
        )


def _statuses(hearing: Hearing) -> Iterator[Finding]:
    for name, status in sorted(hearing.statuses.items()):
        if status.level == DiagnosticStatus.OK:
            continue
        wrong = status.level != DiagnosticStatus.WARN
        yield Finding(
            name, Status.WRONG if wrong else Status.NOTE, f"says: {status.message}", _STATUS_REMEDY
        )


def quantile(values: list[float], percent: float) -> float:
    """Percentile of at least one number."""
    return float(np.percentile(values, percent))
