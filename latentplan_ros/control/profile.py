"""Robot profiles: one YAML an arm, read once, checked, and immutable afterwards."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latentplan_ros.control.action_space import ActionSpace
from latentplan_ros.control.backend import BackendError, BackendSettings, parse_backend
from latentplan_ros.control.box import Box, KeepOut
from latentplan_ros.control.yaml_file import YamlFileError, read_yaml
from latentplan_ros.resources import ResourceError, resource


class ProfileError(ValueError):
    """A robot profile is missing, incomplete or inconsistent; the message names file and field."""


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
    keep_out: tuple[KeepOut, ...]
    max_speed_m_s: float
    max_acceleration_m_s2: float
    max_step_m: float
    max_lead_m: float
    max_distance_m: float
    max_tilt_rad: float
    max_gripper_speed_m_s: float
    soft_start_s: float
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
        values = read_yaml(path)
    except (OSError, YamlFileError) as error:
        raise ProfileError(f"cannot read robot profile {path}: {error}") from None
    if not isinstance(values, dict):
        raise ProfileError(f"{path}: a robot profile is a mapping, this is {type(values).__name__}")
    return _parse(values, path)


def _parse(values: dict[str, Any], path: Path) -> RobotProfile:
    def number(key: str, source: dict[str, Any] = values) -> float:
        value = _field(source, key, path)
        valid = isinstance(value, int | float) and not isinstance(value, bool)
        if not valid or not 0 < value < math.inf:
            raise ProfileError(f"{path}: {key} must be a positive number, not {value!r}")
        return float(value)

    action = _mapping(values, "action", path)
    workspace = _mapping(values, "workspace", path)
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
        workspace=Box(*_corners(workspace, "workspace", path)),
        keep_out=_keep_out(values, path),
        max_speed_m_s=number("max_speed_m_s"),
        max_acceleration_m_s2=number("max_acceleration_m_s2"),
        max_step_m=number("max_step_m"),
        max_lead_m=number("max_lead_m"),
        max_distance_m=number("max_distance_m"),
        max_tilt_rad=number("max_tilt_rad"),
        max_gripper_speed_m_s=number("max_gripper_speed_m_s"),
        soft_start_s=number("soft_start_s"),
        orientation_xyzw=orientation,
        image_timeout_s=number("image_timeout_s"),
        pose_timeout_s=number("pose_timeout_s"),
        action_timeout_s=number("action_timeout_s"),
        backend=_backend(values, (gripper[0], gripper[1]), path),
    )


def _corners(values: dict[str, Any], owner: str, path: Path) -> tuple[Any, Any]:
    low, high = _numbers(values, "min", 3, path, owner), _numbers(values, "max", 3, path, owner)
    if not all(a < b for a, b in zip(low, high, strict=True)):
        raise ProfileError(f"{path}: {owner} min {low} is not below max {high}")
    return low, high


def _keep_out(values: dict[str, Any], path: Path) -> tuple[KeepOut, ...]:
    """Each box of ``keep_out``: a mapping with name, min and max; an empty list where none is."""
    boxes = _field(values, "keep_out", path)
    if not isinstance(boxes, list) or not all(isinstance(box, dict) for box in boxes):
        raise ProfileError(
            f"{path}: keep_out must be a list of boxes with name, min and max, not {boxes!r}"
        )
    names = [_text(box, "name", path, "keep_out") for box in boxes]
    return tuple(
        KeepOut(*_corners(box, f"keep_out {name!r}", path), name)
        for name, box in zip(names, boxes, strict=True)
    )


def _field(values: dict[str, Any], key: str, path: Path, owner: str = "") -> Any:
    if key not in values:
        raise ProfileError(f"{path}: {_of(owner, key)} is missing")
    return values[key]


def _mapping(values: dict[str, Any], key: str, path: Path) -> dict[str, Any]:
    value = _field(values, key, path)
    if not isinstance(value, dict):
        raise ProfileError(f"{path}: {key} must be a mapping, not {value!r}")
    return value


def _backend(values: dict[str, Any], gripper_m: tuple[float, float], path: Path) -> BackendSettings:
    try:
        return parse_backend(_field(values, "backend", path), gripper_m)
    except BackendError as error:
        raise ProfileError(f"{path}: {error}") from None


def _text(values: dict[str, Any], key: str, path: Path, owner: str = "") -> str:
    value = _field(values, key, path, owner)
    if not isinstance(value, str) or not value:
        raise ProfileError(f"{path}: {_of(owner, key)} must be a name, not {value!r}")
    return value


def _numbers(values: dict[str, Any], key: str, count: int, path: Path, owner: str = "") -> Any:
    value = _field(values, key, path, owner)
    valid = isinstance(value, list) and len(value) == count
    if not valid or not all(
        isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v) for v in value
    ):
        raise ProfileError(
            f"{path}: {_of(owner, key)} must be {count} finite numbers, not {value!r}"
        )
    return tuple(float(v) for v in value)


def _of(owner: str, key: str) -> str:
    return f"{owner} {key}" if owner else key
