"""Whether stamps are of one clock and messages young enough to act on."""

from collections.abc import Iterator

from latentplan_ros.bringup.doctor.finding import Finding, Status
from latentplan_ros.bringup.doctor.hearing import Heard
from latentplan_ros.control.profile import RobotProfile

AHEAD_S = 0.005  # what two synchronized clocks may differ by
FUTURE_S = 0.05  # further ahead than this, the arm node takes a stamp for wrong
_FIRST_WALL_S = 1e9  # September 2001: what is stamped earlier is simulated time
_LIMITS = {
    "camera/image_raw": "image_timeout_s",
    "camera/image_raw/compressed": "image_timeout_s",
    "current_pose": "pose_timeout_s",
    "joint_states": "pose_timeout_s",
    "action": "action_timeout_s",
}


def judge_stamps(heard: Heard, clocked: bool, profile: RobotProfile) -> Iterator[Finding]:
    """Clock offset, latency, and stamps that are missing or of another clock."""
    if not heard.stamps:
        return
    sender = heard.publishers[0].node
    if min(heard.stamps) == 0.0:
        yield Finding(
            heard.name,
            Status.WRONG,
            f"{sender} sends messages without a stamp: their age can't be known",
            "have the driver stamp each message when it is measured",
        )
        return
    simulated = max(heard.stamps) < _FIRST_WALL_S
    if simulated != clocked:
        found = "simulated time, and nobody publishes /clock"
        if clocked:
            found = "wall time, while /clock makes the time of the others"
        yield Finding(
            heard.name,
            Status.WRONG,
            f"{sender} stamps in {found}",
            f"set use_sim_time of every node alike ({str(clocked).lower()} for {sender})",
        )
        return
    if not heard.ages:
        return
    yield from _judge_ages(heard, sorted(heard.ages), sender, profile)


def _judge_ages(
    heard: Heard, ages: list[float], sender: str, profile: RobotProfile
) -> Iterator[Finding]:
    youngest, middle = ages[0], ages[len(ages) // 2]
    if youngest < -AHEAD_S:
        yield Finding(
            heard.name,
            Status.WRONG if youngest < -FUTURE_S else Status.NOTE,
            f"{sender} stamps {_time(-youngest)} in the future: its clock is ahead of this one's",
            "synchronize the machines' clocks (chrony; PTP for a robot's own network), and have "
            "the driver stamp with the system clock, not the device's",
        )
        return
    if heard.topic.name not in _LIMITS:
        return
    limit = getattr(profile, _LIMITS[heard.topic.name])
    if middle <= limit:
        return
    slow = min(heard.transports) if heard.transports else 0.0
    if youngest - slow > limit and youngest > 0.8 * middle:
        found = (
            f"every message is {_time(youngest)} old or older: the clock of {sender} is behind "
            "this one's, or it holds messages back"
        )
        remedy = "synchronize the machines' clocks (chrony); have the driver keep no queue"
    else:
        found = f"messages are {_time(middle)} old when they arrive, half of them older"
        remedy = "lower size or rate; over a network, use the compressed topic"
    yield Finding(
        heard.name, Status.WRONG, f"{found}; the arm holds where {limit:g} s are exceeded", remedy
    )


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1.0 else f"{seconds * 1e3:.0f} ms"
