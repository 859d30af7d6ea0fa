"""What a person sees of a plan: the paths it was chosen from and the boxes they stay in."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from builtin_interfaces.msg import Time
from hypothesis import given
from hypothesis import strategies as st
from visualization_msgs.msg import Marker

from latentplan_ros.control.box import KeepOut
from latentplan_ros.control.profile import load_profile
from latentplan_ros.nodes.plan_pictures import cost_colours, imagined_paths, triptych
from latentplan_ros.planning import Plan

STAMP = Time(sec=5)


@pytest.fixture
def profile():
    box = KeepOut((0.4, -0.1, 0.0), (0.5, 0.1, 0.1), "vase")
    return replace(load_profile("franka"), keep_out=(box,))


@pytest.fixture
def plan():
    rng = np.random.default_rng(0)
    elites = rng.uniform(-1, 1, (12, 6, 4)).astype(np.float32)
    costs = np.linspace(3.0, 9.0, 12, dtype=np.float32)
    return Plan(elites[0], torch.zeros(6, 2), 3.0, {"elite_actions": elites, "elite_costs": costs})


def by_space(markers):
    spaces = {}
    for marker in markers:
        spaces.setdefault(marker.ns, []).append(marker)
    return spaces


def points(marker):
    return np.array([(p.x, p.y, p.z) for p in marker.points])


def test_the_paths_start_at_the_arm_stay_in_the_workspace_and_are_coloured_by_cost(plan, profile):
    position = np.array([0.5, 0.0, 0.1])
    markers = imagined_paths(plan, position, profile, STAMP).markers
    assert {m.header.frame_id for m in markers} == {"panda_link0"}
    assert {m.header.stamp.sec for m in markers} == {5}
    assert len({(m.ns, m.id) for m in markers}) == len(markers)
    spaces = by_space(markers)
    (chosen,), candidates = spaces["plan"], spaces["candidates"]
    assert chosen.type == Marker.LINE_STRIP
    assert len(candidates) == 10
    for marker in (chosen, *candidates):
        path = points(marker)
        assert path.shape == (7, 3)
        assert path[0] == pytest.approx(position)
        assert all(profile.workspace.contains(p, 1e-9) for p in path)
        assert marker.lifetime.sec > 0
    first, last = candidates[0].color, candidates[-1].color
    assert first.g > first.r
    assert last.r > last.g
    reds = [m.color.r - m.color.g for m in candidates]
    assert reds == sorted(reds)


def test_the_boxes_are_where_the_profile_has_them(plan, profile):
    spaces = by_space(imagined_paths(plan, np.zeros(3), profile, STAMP).markers)
    (edges,), (vase,) = spaces["workspace"], spaces["keep_out"]
    corners = points(edges)
    assert corners.shape == (24, 3)
    assert corners.min(axis=0) == pytest.approx(profile.workspace.min)
    assert corners.max(axis=0) == pytest.approx(profile.workspace.max)
    assert edges.lifetime.sec == edges.lifetime.nanosec == 0
    assert vase.type == Marker.CUBE
    assert (vase.pose.position.x, vase.pose.position.z) == pytest.approx((0.45, 0.05))
    assert (vase.scale.x, vase.scale.y, vase.scale.z) == pytest.approx((0.1, 0.2, 0.1))


def test_a_plan_that_says_nothing_of_its_candidates_is_shown_alone(plan, profile):
    markers = imagined_paths(Plan(plan.actions, plan.latents, 1.0), np.zeros(3), profile, STAMP)
    assert set(by_space(markers.markers)) == {"plan", "workspace", "keep_out"}


@given(st.lists(st.floats(-1e6, 1e6), max_size=20))
def test_colours_are_colours(costs):
    colours = cost_colours(np.array(costs))
    assert len(colours) == len(costs)
    assert all(0.0 <= part <= 1.0 for colour in colours for part in colour)


def test_three_pictures_in_a_row():
    now, goal, imagined = (np.full((64, 64, 3), v, np.uint8) for v in (0, 100, 200))
    picture = triptych(now, goal, imagined)
    assert picture.shape == (192, 576, 3)
    assert [int(picture[96, x, 0]) for x in (96, 288, 480)] == [0, 100, 200]
