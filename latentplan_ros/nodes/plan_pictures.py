"""A plan for people: pictures of now, goal and imagined end, and the paths it was chosen from."""

import cv2
import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point
from visualization_msgs.msg import Marker, MarkerArray

from latentplan_ros.control.profile import RobotProfile
from latentplan_ros.planning import Plan

SIDE = 192
SHOWN_ELITES = 5


def triptych(now: np.ndarray, goal: np.ndarray, imagined: np.ndarray) -> np.ndarray:
    """Three ``uint8 [S,S,3]`` pictures side by side, ``uint8 [192,576,3]``."""
    large = [
        cv2.resize(p, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) for p in (now, goal, imagined)
    ]
    return np.concatenate(large, axis=1)


def imagined_paths(
    plan: Plan, position: np.ndarray, profile: RobotProfile, stamp: Time
) -> MarkerArray:
    """End-effector paths in the base frame from ``position [3]`` (m): the plan's, some elites'."""
    sequences = [plan.actions, *plan.stats.get("elite_actions", [])[:SHOWN_ELITES]]
    return MarkerArray(
        markers=[
            _path(number, np.asarray(actions), position, profile, stamp)
            for number, actions in enumerate(sequences)
        ]
    )


def _path(
    number: int, actions: np.ndarray, position: np.ndarray, profile: RobotProfile, stamp: Time
) -> Marker:
    marker = Marker(type=Marker.LINE_STRIP, action=Marker.ADD, ns="plan", id=number)
    marker.header.stamp, marker.header.frame_id = stamp, profile.base_frame
    chosen = number == 0
    marker.scale.x = 0.006 if chosen else 0.002
    marker.color.r, marker.color.g, marker.color.b = (0.1, 0.9, 0.2) if chosen else (0.6, 0.6, 0.6)
    marker.color.a = 1.0 if chosen else 0.5
    marker.pose.orientation.w = 1.0
    point = np.asarray(position, np.float64)
    for action in actions:
        marker.points.append(Point(x=float(point[0]), y=float(point[1]), z=float(point[2])))
        point = profile.workspace.clip(point + action[:3] * profile.action.translation_m)
    marker.points.append(Point(x=float(point[0]), y=float(point[1]), z=float(point[2])))
    return marker
