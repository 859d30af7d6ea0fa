"""What a joystick's message means as an action."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentplan_ros.control.joystick import JoystickError, load_joystick

AXES, BUTTONS = 6, 21
GAMEPAD, SPACEMOUSE = load_joystick("gamepad"), load_joystick("spacemouse")


def pressed(*numbers):
    return [int(number in numbers) for number in range(BUTTONS)]


@given(st.lists(st.floats(-3, 3), min_size=AXES, max_size=AXES), st.floats(0.01, 1))
def test_motion_keeps_to_scale_and_direction_and_rests_in_the_deadband(axes, scale):
    motion = GAMEPAD.motion(axes, scale)
    assert motion.dtype == np.float32
    for value, number, sign in zip(motion, GAMEPAD.axes, GAMEPAD.signs, strict=True):
        assert abs(value) <= scale * (1 + 1e-6)
        if abs(axes[number]) <= GAMEPAD.deadband:
            assert value == 0.0
        else:
            assert value * axes[number] * sign >= 0.0


def test_forward_left_and_up_are_positive():
    for joystick, sticks in ((GAMEPAD, [0, 1, 0, 0, 0, 0]), (SPACEMOUSE, [1, 0, 0, 0, 0, 0])):
        np.testing.assert_allclose(joystick.motion(sticks, 0.5), [0.5, 0, 0])
    np.testing.assert_allclose(GAMEPAD.motion([1, 0, 0, -1, 0, 0], 1.0), [0, 1, -1])
    np.testing.assert_allclose(SPACEMOUSE.motion([0, 1, -1, 1, 1, 1], 1.0), [0, 1, -1])


def test_motion_grows_from_zero_at_the_deadbands_edge():
    just = GAMEPAD.deadband + 1e-3
    assert 0 < GAMEPAD.motion([0, just, 0, 0, 0, 0], 1.0)[0] < 2e-3


def test_the_gripper_stays_until_a_button_is_pressed_anew():
    assert GAMEPAD.gripper(0.3, [], pressed()) == 0.3
    assert GAMEPAD.gripper(1.0, pressed(), pressed(GAMEPAD.close)) == -1.0
    assert GAMEPAD.gripper(-1.0, pressed(), pressed(GAMEPAD.open)) == 1.0
    button = SPACEMOUSE.open
    assert SPACEMOUSE.gripper(1.0, pressed(), pressed(button)) == -1.0
    assert SPACEMOUSE.gripper(-1.0, pressed(button), pressed(button)) == -1.0, "still held"
    assert SPACEMOUSE.gripper(-1.0, pressed(), pressed(button)) == 1.0


@pytest.mark.parametrize(
    ("axes", "buttons", "said"),
    [
        ([0.0] * 2, pressed(), "2 axes"),
        ([0.0] * AXES, [0] * 3, "3 buttons"),
        ([float("nan")] * AXES, pressed(), "finite"),
        ([0, float("inf"), 0, 0, 0, 0], pressed(), "finite"),
    ],
)
def test_a_message_that_cannot_be_meant_is_refused(axes, buttons, said):
    with pytest.raises(JoystickError, match=said):
        GAMEPAD.check(axes, buttons)
    GAMEPAD.check([0.0] * AXES, pressed())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"axes": [0, 1]}, "axes must be 3"),
        ({"axes": [0, 1, -2]}, "whole number"),
        ({"axes": [0, 1, 10**9]}, "whole number"),
        ({"signs": [1, 1, 0.5]}, "1 or -1"),
        ({"deadband": 1.0}, "below 1"),
        ({"deadband": "wide"}, "deadband must be a number"),
        ({"dead_man": None}, "dead_man"),
        ({"open": True}, "open"),
    ],
)
def test_a_file_with_an_impossible_field_is_named_with_it(tmp_path, change, said):
    values = {
        "axes": [0, 1, 2],
        "signs": [1, 1, 1],
        "deadband": 0.1,
        "dead_man": 0,
        "open": 1,
        "close": 2,
    }
    path = tmp_path / "mine.yaml"
    path.write_text("\n".join(f"{k}: {v}" for k, v in values.items()))
    assert load_joystick(path).name == "mine"
    lines = [f"{k}: {'null' if v is None else v}" for k, v in (values | change).items()]
    path.write_text("\n".join(lines))
    with pytest.raises(JoystickError, match=said) as error:
        load_joystick(path)
    assert "mine.yaml" in str(error.value)


def test_an_unknown_joystick_is_named():
    with pytest.raises(JoystickError, match="wheel"):
        load_joystick("wheel")
