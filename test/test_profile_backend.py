"""The backend section of robot profiles: what is accepted, and how the rest is refused."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from latentplan_ros.control.backend import (
    BackendError,
    Crisp,
    FrankaGripper,
    Intera,
    MoveitServo,
    PositionGripper,
    parse_backend,
)
from latentplan_ros.control.profile import ProfileError, load_profile
from latentplan_ros.resources import resource

SERVO = {
    "kind": "moveit_servo",
    "command_in_type": "unitless",
    "linear_scale": 0.4,
    "rotational_scale": 0.8,
    "gain_per_s": 5,
}
HAND = {
    "kind": "franka",
    "node": "franka_gripper",
    "speed_m_s": 0.1,
    "force_n": 20.0,
    "grasp_below_m": 0.0,
    "tolerance_m": 0.005,
}
NUMBER = {"kind": "position", "closed": 0.8, "open": 0.0}
WIDTH = (0.0, 0.08)


def test_crisp_is_short_for_metres():
    settings = parse_backend("crisp", (0.01, 0.07))
    assert settings.arm == Crisp()
    assert settings.gripper == PositionGripper(closed=0.01, open=0.07)


def test_both_halves_are_chosen_on_their_own():
    settings = parse_backend({"arm": SERVO, "gripper": HAND}, WIDTH)
    assert settings.arm == MoveitServo("unitless", 0.4, 0.8, 5.0)
    assert settings.gripper == FrankaGripper("franka_gripper", 0.1, 20.0, 0.0, 0.005)
    assert parse_backend({"arm": {"kind": "crisp"}}, WIDTH).gripper is None


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("moveit", "backend must be 'crisp' or a mapping"),
        (None, "backend must be"),
        ({"gripper": HAND}, "backend.arm is missing"),
        ({"arm": "crisp"}, "backend.arm must be a mapping with a kind"),
        ({"arm": {}}, "backend.arm.kind must be one of crisp, moveit_servo, intera"),
        ({"arm": {"kind": ["crisp"]}}, "backend.arm.kind must be one of"),
        ({"arm": {"kind": "crisp", "speed": 1}}, "backend.arm has no field 'speed'"),
        ({"arm": SERVO, "hand": HAND}, "backend has no field 'hand'"),
        ({"arm": SERVO | {"gain_per_s": 0}}, "backend.arm.gain_per_s must be above 0"),
        ({"arm": SERVO | {"gain_per_s": True}}, "backend.arm.gain_per_s must be a finite number"),
        ({"arm": SERVO | {"gain_per_s": 10**400}}, "backend.arm.gain_per_s must be at most"),
        ({"arm": SERVO | {"linear_scale": float("nan")}}, "backend.arm.linear_scale must be"),
        (
            {"arm": SERVO | {"command_in_type": "m/s"}},
            "backend.arm.command_in_type must be one of unitless, speed_units",
        ),
        (
            {"arm": {"kind": "intera", "limb": "", "tip": "t", "max_joint_step_rad": 1}},
            "backend.arm.limb must be a name",
        ),
        (
            {"arm": SERVO, "gripper": HAND | {"grasp_below_m": -0.1}},
            "backend.gripper.grasp_below_m must be at least 0",
        ),
        (
            {"arm": SERVO, "gripper": {k: v for k, v in HAND.items() if k != "force_n"}},
            "backend.gripper.force_n is missing",
        ),
        ({"arm": SERVO, "gripper": NUMBER | {"open": 0.8}}, "closed and open are both 0.8"),
    ],
)
def test_what_is_wrong_is_said_with_its_field(value, said):
    with pytest.raises(BackendError) as error:
        parse_backend(value, WIDTH)
    assert said in str(error.value)


def test_a_profile_names_the_file_too(tmp_path):
    values = yaml.safe_load(resource("config/robots/franka_servo.yaml").read_text())
    del values["backend"]["arm"]["gain_per_s"]
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(values))
    with pytest.raises(ProfileError, match=r"mine\.yaml: backend\.arm\.gain_per_s is missing"):
        load_profile(path)


@pytest.mark.parametrize(
    "path", sorted(Path(resource("config/robots")).glob("*.yaml")), ids=lambda p: p.stem
)
def test_every_shipped_profile_loads_and_bears_its_files_name(path):
    profile = load_profile(path.stem)
    assert profile.name == path.stem
    assert profile.base_frame
    assert profile.max_speed_m_s * profile.action.period_s < 0.2


def test_the_real_arms_begin_slowly():
    for name in ("franka_hand", "franka_servo", "ur5e_servo", "sawyer_intera"):
        assert load_profile(name).max_speed_m_s <= 0.25, name
    assert isinstance(load_profile("sawyer_intera").backend.arm, Intera)


texts = st.text(max_size=8)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
nested = st.recursive(
    scalars | st.sampled_from(["crisp", SERVO, HAND, NUMBER]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["arm", "gripper", "kind", "open"]) | texts, inner, max_size=4
        )
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(nested)
def test_anything_else_is_refused_by_a_typed_error(value):
    try:
        parse_backend(value, WIDTH)
    except BackendError as error:
        said = str(error)
    else:
        said = "backend"
    assert said.startswith("backend")
