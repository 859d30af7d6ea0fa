"""The velocity that leads to a target."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentplan_ros.control.twist import twist_towards

DOWN = np.array([1.0, 0.0, 0.0, 0.0])
coordinate = st.floats(-1.5, 1.5)
position = st.tuples(coordinate, coordinate, coordinate).map(np.array)
quaternion = (
    st.tuples(coordinate, coordinate, coordinate, coordinate)
    .filter(lambda q: math.hypot(*q) > 0.1)
    .map(lambda q: np.array(q) / math.hypot(*q))
)
rate = st.floats(0.01, 5.0)


def turned(orientation, vector):
    """The unit quaternion after a rotation vector ``[3]`` about the base frame's axes."""
    angle = float(np.linalg.norm(vector))
    axis = vector / max(angle, 1e-12) * math.sin(angle / 2)
    u, s, v, w = axis, math.cos(angle / 2), orientation[:3], orientation[3]
    return np.array([*(s * v + w * u + np.cross(u, v)), s * w - np.dot(u, v)])


def away(one, other):
    """The angle between two orientations, rad."""
    return 2.0 * math.acos(min(1.0, abs(float(np.dot(one, other)))))


def test_it_points_along_the_base_frames_axes():
    linear, angular = twist_towards(
        np.zeros(3), DOWN, np.array([0.02, 0.0, -0.01]), DOWN, 5.0, 1.0, 1.0
    )
    np.testing.assert_allclose(linear, [0.1, 0.0, -0.05])
    np.testing.assert_allclose(angular, 0.0, atol=1e-12)


def test_a_turn_about_the_bases_z_is_about_the_bases_z_whichever_way_the_gripper_points():
    target = turned(DOWN, np.array([0.0, 0.0, 0.3]))
    _, angular = twist_towards(np.zeros(3), DOWN, np.zeros(3), target, 2.0, 1.0, 1.0)
    np.testing.assert_allclose(angular, [0.0, 0.0, 0.6], atol=1e-9)


@settings(max_examples=200, deadline=None)
@given(position, quaternion, position, quaternion, rate, rate, rate)
def test_it_is_finite_and_no_faster_than_it_may_be(p, q, target, target_q, gain, fastest, turn):
    linear, angular = twist_towards(p, q, target, target_q, gain, fastest, turn)
    assert np.isfinite([*linear, *angular]).all()
    assert np.linalg.norm(linear) <= fastest * (1 + 1e-9)
    assert np.linalg.norm(angular) <= turn * (1 + 1e-9)
    # A quaternion and its negative are one orientation.
    _, same = twist_towards(p, -q, target, target_q, gain, fastest, turn)
    if away(q, target_q) < math.pi - 1e-3:
        np.testing.assert_allclose(angular, same, atol=1e-6)


@settings(max_examples=50, deadline=None)
@given(position, quaternion, position, quaternion)
def test_following_it_ends_at_the_target_and_always_comes_nearer(p, q, target, target_q):
    before, before_angle = np.linalg.norm(target - p), away(q, target_q)
    for _ in range(400):
        linear, angular = twist_towards(p, q, target, target_q, 5.0, 1.0, 1.0)
        p, q = p + 0.02 * linear, turned(q, 0.02 * angular)
        left, angle = np.linalg.norm(target - p), away(q, target_q)
        assert left <= before + 1e-9
        assert angle <= before_angle + 1e-6
        before, before_angle = left, angle
    assert before == pytest.approx(0.0, abs=1e-3)
    assert before_angle == pytest.approx(0.0, abs=1e-2)
