"""The end-effector velocity that leads to a target, for controllers that take velocities."""

import numpy as np


def twist_towards(
    position: np.ndarray,
    orientation_xyzw: np.ndarray,
    target: np.ndarray,
    target_xyzw: np.ndarray,
    gain_per_s: float,
    max_linear: float,
    max_angular: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Linear ``[3]`` (m/s) and angular ``[3]`` (rad/s) velocity, both along the base frame's axes.

    position ``[3]`` and target ``[3]`` in metres, unit quaternions ``[4]`` as x, y, z, w, all in
    the base frame. Proportional to what is left, so it ends at the target without overshoot, and
    never faster than max_linear (m/s) and max_angular (rad/s).
    """
    linear = gain_per_s * (np.asarray(target, np.float64) - position)
    angular = gain_per_s * _rotation(orientation_xyzw, target_xyzw)
    return _shortened(linear, max_linear), _shortened(angular, max_angular)


def _rotation(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The shorter rotation from one unit quaternion to another: axis times angle ``[3]``."""
    v, w = -np.asarray(start[:3], np.float64), float(start[3])
    u, s = np.asarray(end[:3], np.float64), float(end[3])
    axis = s * v + w * u + np.cross(u, v)  # of the product end * conjugate(start)
    cosine = s * w - float(np.dot(u, v))
    if cosine < 0.0:  # a quaternion and its negative are the same rotation
        axis, cosine = -axis, -cosine
    sine = float(np.linalg.norm(axis))
    return axis * (2.0 * np.arctan2(sine, cosine) / max(sine, 1e-12))


def _shortened(vector: np.ndarray, longest: float) -> np.ndarray:
    return vector * min(1.0, longest / max(float(np.linalg.norm(vector)), 1e-12))
