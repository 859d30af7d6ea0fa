"""Robot profiles: every limit is there, is possible, and is named with its file when it is not."""

import math

import pytest
import yaml

from latentplan_ros.control.profile import ProfileError, load_profile
from latentplan_ros.resources import resource

LIMITS = (
    "max_speed_m_s",
    "max_acceleration_m_s2",
    "max_step_m",
    "max_lead_m",
    "max_distance_m",
    "max_tilt_rad",
    "max_gripper_speed_m_s",
    "soft_start_s",
    "image_timeout_s",
    "pose_timeout_s",
    "action_timeout_s",
)
BOX = {"name": "pillar", "min": [0.4, -0.1, 0.0], "max": [0.5, 0.1, 0.5]}


@pytest.fixture
def load(tmp_path):
    def loaded(change):
        values = yaml.safe_load(resource("config/robots/franka.yaml").read_text())
        change(values)
        path = tmp_path / "arm.yaml"
        path.write_text(yaml.safe_dump(values))
        return load_profile(path)

    return loaded


@pytest.mark.parametrize("field", [*LIMITS, "keep_out", "workspace"])
def test_a_limit_that_is_missing_is_named_with_its_file(load, field):
    with pytest.raises(ProfileError, match=rf"arm\.yaml: {field} is missing"):
        load(lambda values: values.pop(field))


@pytest.mark.parametrize("field", LIMITS)
@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf, "fast", True, None, [1.0]])
def test_a_limit_that_is_no_positive_number_is_named_with_its_file(load, field, value):
    with pytest.raises(ProfileError, match=rf"arm\.yaml: {field} must be a positive number"):
        load(lambda values: values.update({field: value}))


def test_keep_out_boxes_are_read_with_their_names(load):
    profile = load(lambda values: values.update(keep_out=[BOX]))
    (box,) = profile.keep_out
    assert (box.name, box.min, box.max) == ("pillar", (0.4, -0.1, 0.0), (0.5, 0.1, 0.5))


@pytest.mark.parametrize(
    ("boxes", "said"),
    [
        (None, "keep_out must be a list of boxes"),
        ({"min": [0, 0, 0]}, "keep_out must be a list of boxes"),
        ([[0, 0, 0]], "keep_out must be a list of boxes"),
        ([BOX | {"name": ""}], "keep_out name must be a name"),
        ([{"min": [0, 0, 0], "max": [1, 1, 1]}], "keep_out name is missing"),
        ([{"name": "pillar", "max": [1, 1, 1]}], "keep_out 'pillar' min is missing"),
        ([BOX | {"max": [0.5, 0.1]}], "keep_out 'pillar' max must be 3 finite numbers"),
        ([BOX | {"max": [0.5, 0.1, math.nan]}], "keep_out 'pillar' max must be 3 finite numbers"),
        ([BOX | {"max": [0.3, 0.1, 0.5]}], "keep_out 'pillar' min .* is not below max"),
    ],
)
def test_a_keep_out_box_that_is_none_is_named_with_its_file(load, boxes, said):
    with pytest.raises(ProfileError, match=rf"arm\.yaml: {said}"):
        load(lambda values: values.update(keep_out=boxes))
