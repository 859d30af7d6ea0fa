"""Finger openings in the units that gripper controllers take."""

from latentplan_ros.control.profile import RobotProfile


def scaled(opening: float, profile: RobotProfile, closed: float, opened: float) -> float:
    """An opening (m) on the scale on which ``closed`` and ``opened`` are the ends of
    ``action.gripper_m``; never beyond them."""
    low, high = profile.action.gripper_m
    fraction = min(1.0, max(0.0, (opening - low) / (high - low)))
    return closed + fraction * (opened - closed)
