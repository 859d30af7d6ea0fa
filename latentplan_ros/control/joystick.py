"""Joysticks: which of a device's axes and buttons mean what, and the action that they make."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from latentplan_ros.control.yaml_file import YamlFileError, read_yaml
from latentplan_ros.resources import ResourceError, resource

MOST = 64  # axes or buttons; more is a mistake in the file


class JoystickError(ValueError):
    """A joystick's file or message cannot be used; says which field, or which axis or button."""


@dataclass(frozen=True)
class Joystick:
    """Numbers are places in a Joy message's ``axes`` and ``buttons``, from 0.

    axes, signs: for x, y, z of the base frame; deadband: share of an axis around its middle that
    means rest; dead_man: the button that must be held to move. ``open`` and ``close`` are the
    gripper's buttons; where both are the same, each press changes between open and closed.
    """

    name: str
    axes: tuple[int, int, int]
    signs: tuple[float, float, float]
    deadband: float
    dead_man: int
    open: int
    close: int

    def check(self, axes: Sequence[float], buttons: Sequence[int]) -> None:
        """Raises JoystickError for a message without the mapped axes and buttons, or with an axis
        that is not finite."""
        wanted = max(self.dead_man, self.open, self.close)
        if len(axes) <= max(self.axes) or len(buttons) <= wanted:
            raise JoystickError(
                f"joy has {len(axes)} axes and {len(buttons)} buttons, but {self.name} uses axis "
                f"{max(self.axes)} and button {wanted}; choose another joystick, or map this one"
            )
        used = [float(axes[number]) for number in self.axes]
        if not all(math.isfinite(value) for value in used):
            raise JoystickError(f"joy's axes {list(self.axes)} are {used}, not all finite")

    def held(self, buttons: Sequence[int]) -> bool:
        return bool(buttons[self.dead_man])

    def motion(self, axes: Sequence[float], scale: float) -> np.ndarray:
        """``float32 [3]`` in [-scale, scale]: x, y, z of the action; 0 within the deadband, and
        growing from 0 outside of it, so that no motion begins with a jump."""
        values = np.clip([float(axes[number]) for number in self.axes], -1.0, 1.0)
        beyond = np.maximum(np.abs(values) - self.deadband, 0.0) / (1.0 - self.deadband)
        return (scale * np.sign(values) * np.asarray(self.signs) * beyond).astype(np.float32)

    def gripper(self, present: float, before: Sequence[int], buttons: Sequence[int]) -> float:
        """The gripper's part of the action, 1 open or -1 closed, after buttons were pressed that
        were not pressed ``before`` (empty at first); ``present`` where none was."""

        def pressed(button: int) -> bool:
            return bool(buttons[button]) and not (before and before[button])

        if self.open == self.close:
            return (-1.0 if present > 0 else 1.0) if pressed(self.open) else present
        if pressed(self.close):
            return -1.0
        return 1.0 if pressed(self.open) else present


def load_joystick(name_or_path: str | Path) -> Joystick:
    """The joystick shipped under this name, or the one in this YAML file.

    Raises JoystickError naming the file and the field that is missing or impossible.
    """
    path = Path(name_or_path)
    if path.suffix not in (".yaml", ".yml"):
        try:
            path = resource(f"config/joysticks/{name_or_path}.yaml")
        except ResourceError as error:
            raise JoystickError(f"no joystick named {str(name_or_path)!r}: {error}") from None
    try:
        values = read_yaml(path)
    except (OSError, YamlFileError) as error:
        raise JoystickError(f"cannot read joystick {path}: {error}") from None
    if not isinstance(values, dict):
        raise JoystickError(f"{path}: a joystick is a mapping, this is {type(values).__name__}")
    deadband = _number(values, "deadband", path)
    if not 0.0 <= deadband < 1.0:
        raise JoystickError(f"{path}: deadband must be at least 0 and below 1, not {deadband}")
    return Joystick(
        name=path.stem,
        axes=_three(values, "axes", path, _place),
        signs=_three(values, "signs", path, _sign),
        deadband=deadband,
        dead_man=_place(values.get("dead_man"), "dead_man", path),
        open=_place(values.get("open"), "open", path),
        close=_place(values.get("close"), "close", path),
    )


def _three(values: dict[str, Any], key: str, path: Path, read: Any) -> Any:
    value = values.get(key)
    if not isinstance(value, list) or len(value) != 3:
        raise JoystickError(f"{path}: {key} must be 3 numbers, for x, y and z, not {value!r}")
    return tuple(read(item, key, path) for item in value)


def _place(value: Any, key: str, path: Path) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < MOST:
        raise JoystickError(f"{path}: {key} must be a whole number from 0 on, not {value!r}")
    return value


def _sign(value: Any, key: str, path: Path) -> float:
    if value not in (-1, 1) or isinstance(value, bool):
        raise JoystickError(f"{path}: {key} must be 1 or -1 each, not {value!r}")
    return float(value)


def _number(values: dict[str, Any], key: str, path: Path) -> float:
    value = values.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise JoystickError(f"{path}: {key} must be a number, not {value!r}")
    return float(value)
