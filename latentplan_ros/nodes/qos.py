"""Quality of service of every topic, in one place, so that both ends always match.

A best_effort subscription accepts reliable and best_effort publishers alike, so the incoming side
of what a foreign driver publishes (camera, pose, joints) is best_effort.
"""

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy


def _profile(
    depth: int,
    reliability: ReliabilityPolicy,
    durability: DurabilityPolicy = DurabilityPolicy.VOLATILE,
) -> QoSProfile:
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=reliability,
        durability=durability,
    )


CAMERA = _profile(1, ReliabilityPolicy.BEST_EFFORT)  # an old picture is worth nothing
STATE_OUT = _profile(10, ReliabilityPolicy.RELIABLE)
STATE_IN = _profile(1, ReliabilityPolicy.BEST_EFFORT)
ACTION = _profile(1, ReliabilityPolicy.RELIABLE)  # only the newest action counts
TARGET = _profile(1, ReliabilityPolicy.RELIABLE)
GOAL = _profile(1, ReliabilityPolicy.RELIABLE, DurabilityPolicy.TRANSIENT_LOCAL)
REPORT = _profile(10, ReliabilityPolicy.RELIABLE)  # distances, plan pictures, diagnostics
CLOCK = _profile(1, ReliabilityPolicy.BEST_EFFORT)
EVERYTHING = _profile(1000, ReliabilityPolicy.BEST_EFFORT)  # a recorder: room for a slow disk
