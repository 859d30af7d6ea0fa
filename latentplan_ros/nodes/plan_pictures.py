"""A plan for people: pictures of now, goal and imagined end, and the paths it was chosen from."""

from collections.abc import Iterator
from itertools import combinations, product

import cv2
import numpy as np
from builtin_interfaces.msg import Duration, Time
from geometry_msgs.msg import Point
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from latentplan_ros.control.profile import RobotProfile
from latentplan_ros.planning import Plan

SIDE = 192
SHOWN_CANDIDATES = 10
PATH_LIFE = Duration(sec=1)  # a planner that has stopped shows no plan

CHOSEN = (1.0, 1.0, 1.0, 1.0)
WORKSPACE = (0.3, 0.6, 1.0, 0.9)
KEEP_OUT = (1.0, 0.2, 0.2, 0.35)


def triptych(now: np.ndarray, goal: np.ndarray, imagined: np.ndarray) -> np.ndarray:
    """Three ``uint8 [S,S,3]`` pictures side by side, ``uint8 [192,576,3]``."""
    large = [
        cv2.resize(p, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) for p in (now, goal, imagined)
    ]
    return np.concatenate(large, axis=1)


def imagined_paths(
    plan: Plan, position: np.ndarray, profile: RobotProfile, stamp: Time
) -> MarkerArray:
    """End-effector paths in the base frame from ``position [3]`` (m), and the boxes around them.

    Namespaces: ``plan`` is the chosen path, white; ``candidates`` the best that it was chosen
    from, green where the model expects the lowest cost among them to red for the highest;
    ``workspace`` the edges of the box that targets stay in; ``keep_out`` what they stay out of.
    """
    markers = [_path("plan", 0, plan.actions, CHOSEN, 0.006, position, profile)]
    candidates = plan.stats.get("elite_actions", [])[:SHOWN_CANDIDATES]
    costs = np.asarray(plan.stats.get("elite_costs", []))[:SHOWN_CANDIDATES]
    for number, (actions, colour) in enumerate(zip(candidates, cost_colours(costs), strict=False)):
        markers.append(_path("candidates", number, actions, colour, 0.002, position, profile))
    markers += [_workspace(profile), *_keep_out(profile)]
    for marker in markers:
        marker.header.stamp, marker.header.frame_id = stamp, profile.base_frame
    return MarkerArray(markers=markers)


def cost_colours(costs: np.ndarray) -> list[tuple[float, float, float, float]]:
    """RGBA for each cost: green for the lowest through yellow to red for the highest."""
    if not len(costs):
        return []
    spread = float(np.ptp(costs))
    shares = (costs - costs.min()) / spread if spread > 0 else np.zeros(len(costs))
    return [(min(1.0, 2 * s), min(1.0, 2 - 2 * s), 0.1, 0.7) for s in shares.tolist()]


def _path(
    namespace: str,
    number: int,
    actions: np.ndarray,
    colour: tuple[float, float, float, float],
    width: float,
    position: np.ndarray,
    profile: RobotProfile,
) -> Marker:
    marker = _marker(Marker.LINE_STRIP, namespace, number, colour)
    marker.scale.x, marker.lifetime = width, PATH_LIFE
    point = np.asarray(position, np.float64)
    marker.points.append(_point(point))
    for action in np.asarray(actions):
        point = profile.workspace.clip(point + action[:3] * profile.action.translation_m)
        marker.points.append(_point(point))
    return marker


def _workspace(profile: RobotProfile) -> Marker:
    marker = _marker(Marker.LINE_LIST, "workspace", 0, WORKSPACE)
    marker.scale.x = 0.003
    box = profile.workspace
    corners = list(product(*zip(box.min, box.max, strict=True)))
    for a, b in combinations(corners, 2):
        if sum(x != y for x, y in zip(a, b, strict=True)) == 1:  # an edge
            marker.points += [_point(a), _point(b)]
    return marker


def _keep_out(profile: RobotProfile) -> Iterator[Marker]:
    for number, box in enumerate(profile.keep_out):
        marker = _marker(Marker.CUBE, "keep_out", number, KEEP_OUT)
        low, high = np.asarray(box.min), np.asarray(box.max)
        marker.pose.position = _point((low + high) / 2)
        marker.scale.x, marker.scale.y, marker.scale.z = (high - low).tolist()
        marker.text = box.name
        yield marker


def _marker(
    kind: int, namespace: str, number: int, colour: tuple[float, float, float, float]
) -> Marker:
    r, g, b, a = colour
    marker = Marker(type=kind, action=Marker.ADD, ns=namespace, id=number)
    marker.color = ColorRGBA(r=r, g=g, b=b, a=a)
    marker.pose.orientation.w = 1.0
    return marker


def _point(values: np.ndarray | tuple[float, ...]) -> Point:
    x, y, z = (float(v) for v in values)
    return Point(x=x, y=y, z=z)
