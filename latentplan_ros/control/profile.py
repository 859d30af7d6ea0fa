"""Robot profiles: one YAML an arm, read once, checked, and immutable afterwards."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from latentplan_ros.control.action_space import ActionSpace
from latentplan_ros.control.backend import BackendError, BackendSettings, parse_backend
from latentplan_ros.resources import ResourceError, resource


class ProfileError(ValueError):
    """A robot profile is missing, incomplete or inconsistent; the message names file and field."""


@dataclass(frozen=True)
class Box:
    """Axis-aligned box, metres in the base frame."""

    min: tuple[float, float, float]
    max: tuple[float, float, float]

    def clip(self, position: np.ndarray) -> np.ndarray:
        return np.clip(position, self.min, self.max)

    def contains(self, position: np.ndarray, tolerance: float = 0.0) -> bool:
        low, high = np.asarray(self.min) - tolerance, np.asarray(self.max) + tolerance
        return bool(np.all(position >= low) and np.all(position <= high))


@dataclass(frozen=True)
class RobotProfile:
    """All that differs from one arm to another. Lengths in metres, times in seconds."""

    name: str
    arm: str
    base_frame: str
    end_effector_frame: str
    joints: tuple[str, ...]
    action: ActionSpace
    workspace: Box
    max_speed_m_s: float
    max_lead_m: float
    orientation_xyzw: tuple[float, float, float, float]
    image_timeout_s: float
    pose_timeout_s: float
    action_timeout_s: float
    backend: BackendSettings


def load_profile(name_or_path: str | Path) -> RobotProfile:
    """The profile shipped under this name, or the one in this YAML file.

    Raises ProfileError naming the file and the field that is missing or impossible.
    """
    path = Path(name_or_path)
    if path.suffix not in (".yaml", ".yml"):
        try:
            path = resource(f"config/robots/{name_or_path}.yaml")
        except ResourceError as error:
            raise ProfileError(f"no robot profile named {str(name_or_path)!r}: {error}") from None
    try:
        values = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise ProfileError(f"cannot read robot profile {path}: {error}") from None
    if not isinstance(values, dict):
        raise ProfileError(f"{path}: a robot profile is a mapping, this is {type(values).__name__}")
    return _parse(values, path)


def _parse(values: dict[str, Any], path: Path) -> RobotProfile:
    def number(key: str, source: dict[str, Any] = values) -> float:
        value = _field(source, key, path)
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            raise ProfileError(f"{path}: {key} must be a positive number, not {value!r}")
        return float(value)

    action = _mapping(values, "action", path)
    workspace = _mapping(values, "workspace", path)
    box = Box(_numbers(workspace, "min", 3, path), _numbers(workspace, "max", 3, path))
    if not all(low < high for low, high in zip(box.min, box.max, strict=True)):
        raise ProfileError(f"{path}: workspace min {box.min} is not below max {box.max}")
    gripper = _numbers(action, "gripper_m", 2, path)
    orientation = _numbers(values, "orientation_xyzw", 4, path)
    if abs(math.hypot(*orientation) - 1.0) > 1e-3:
        raise ProfileError(f"{path}: orientation_xyzw {orientation} is not a unit quaternion")
    joints = _field(values, "joints", path)
    if not isinstance(joints, list) or not joints or not all(isinstance(j, str) for j in joints):
        raise ProfileError(f"{path}: joints must be a list of joint names, not {joints!r}")
    return RobotProfile(
        name=_text(values, "name", path),
        arm=_text(values, "arm", path),
        base_frame=_text(values, "base_frame", path),
        end_effector_frame=_text(values, "end_effector_frame", path),
        joints=tuple(joints),
        action=ActionSpace(
            robot=_text(values, "name", path),
            translation_m=number("translation_m", action),
            rate_hz=number("rate_hz", action),
            gripper_m=(gripper[0], gripper[1]),
        ),
        workspace=box,
        max_speed_m_s=number("max_speed_m_s"),
        max_lead_m=number("max_lead_m"),
        orientation_xyzw=orientation,
        image_timeout_s=number("image_timeout_s"),
        pose_timeout_s=number("pose_timeout_s"),
        action_timeout_s=number("action_timeout_s"),
        backend=_backend(values, (gripper[0], gripper[1]), path),
    )


def _field(values: dict[str, Any], key: str, path: Path) -> Any:
    if key not in values:
        raise ProfileError(f"{path}: {key} is missing")
    return values[key]


def _mapping(values: dict[str, Any], key: str, path: Path) -> dict[str, Any]:
    value = _field(values, key, path)
    if not isinstance(value, dict):
        raise ProfileError(f"{path}: {key} must be a mapping, not {value!r}")
    return value


def _backend(
    values: dict[str, Any], gripper_m: tuple[float, float], path: Path
) -> BackendSettings:
    try:
        return parse_backend(_field(values, "backend", path), gripper_m)
    except BackendError as error:
        raise ProfileError(f"{path}: {error}") from None


def _text(values: dict[str, Any], key: str, path: Path) -> str:
    value = _field(values, key, path)
    if not isinstance(value, str) or not value:
        raise ProfileError(f"{path}: {key} must be a name, not {value!r}")
    return value


def _numbers(values: dict[str, Any], key: str, count: int, path: Path) -> Any:
    value = _field(values, key, path)
    valid = isinstance(value, list) and len(value) == count
    if not valid or not all(
        isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v) for v in value
    ):
        raise ProfileError(f"{path}: {key} must be {count} finite numbers, not {value!r}")
    return tuple(float(v) for v in value)
