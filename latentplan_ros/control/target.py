"""The one place where an action becomes an end-effector target, for training and running alike."""

import numpy as np

from latentplan_ros.control.profile import RobotProfile


def next_target(
    previous: np.ndarray, measured: np.ndarray, action: np.ndarray, profile: RobotProfile
) -> np.ndarray:
    """Target position for one control period, ``float64 [3]``, metres in the base frame.

    The previous target is first pulled to within ``max_lead_m`` of the measured position, so that
    pushing against something that does not yield never winds up; then the action is added and the
    sum clipped to the workspace and to what ``max_speed_m_s`` covers in one control period from the
    measured position. Actions outside [-1, 1] are clipped.
    """
    lead = np.asarray(previous, np.float64) - measured
    lead *= min(1.0, profile.max_lead_m / max(float(np.linalg.norm(lead)), 1e-9))
    step = np.clip(np.asarray(action[:3], np.float64), -1.0, 1.0) * profile.action.translation_m
    box = profile.workspace
    start = box.clip(measured)  # both ends of the stride are in the box, so all of it is
    stride = box.clip(measured + lead + step) - start
    reach = profile.max_speed_m_s * profile.action.period_s
    stride *= min(1.0, reach / max(float(np.linalg.norm(stride)), 1e-9))
    return box.clip(start + stride)


def gripper_opening(action: np.ndarray, profile: RobotProfile) -> float:
    """Commanded distance between the fingers, metres; action[3] = -1 closed, +1 open."""
    closed, opened = profile.action.gripper_m
    fraction = (float(np.clip(action[3], -1.0, 1.0)) + 1.0) / 2.0
    return closed + fraction * (opened - closed)
