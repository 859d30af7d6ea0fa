"""What a robot profile says about the controllers behind an arm and its gripper."""

import math
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, TypeAlias


class BackendError(ValueError):
    """A profile's ``backend`` section is incomplete or impossible; the message names the field."""


def _number(low: float = 0.0, open_end: bool = True) -> Any:
    """A field for a finite number above ``low``, or from it on where ``open_end`` is False."""
    return field(metadata={"low": low, "open": open_end})


@dataclass(frozen=True)
class Crisp:
    """crisp_controllers, and the simulated arm: an end-effector pose to go to."""

    kind: ClassVar[str] = "crisp"


@dataclass(frozen=True)
class MoveitServo:
    """MoveIt Servo: an end-effector velocity.

    command_in_type, linear_scale (m/s), rotational_scale (rad/s): what Servo's own parameters
    ``command_in_type``, ``scale.linear`` and ``scale.rotational`` are set to; no faster twist is
    sent in either form. gain_per_s: speed for each metre (radian) that is left to the target.
    """

    kind: ClassVar[str] = "moveit_servo"
    command_in_type: str = field(metadata={"choices": ("unitless", "speed_units")})
    linear_scale: float = _number()
    rotational_scale: float = _number()
    gain_per_s: float = _number()


@dataclass(frozen=True)
class Intera:
    """Rethink Sawyer over ros1_bridge: joint positions from the robot's own inverse kinematics.

    limb, tip: as the robot names them, e.g. ``right`` and ``right_gripper_tip``; the tip is what
    poses and targets are of. max_joint_step_rad: an answer further from the present joint angles
    than this is another configuration of the arm, and is not sent.
    """

    kind: ClassVar[str] = "intera"
    limb: str
    tip: str
    max_joint_step_rad: float = _number()


@dataclass(frozen=True)
class PositionGripper:
    """A number on ``gripper_position_controller/commands``: ``closed`` and ``open`` are what it is
    at the two ends of ``action.gripper_m``."""

    kind: ClassVar[str] = "position"
    closed: float = _number(-math.inf)
    open: float = _number(-math.inf)


@dataclass(frozen=True)
class CommandGripper:
    """A control_msgs GripperCommand action: ``closed`` and ``open`` are its positions at the two
    ends of ``action.gripper_m``; max_effort: in the controller's unit; tolerance_m: smaller changes
    of the opening are not sent."""

    kind: ClassVar[str] = "gripper_command"
    action: str
    closed: float = _number(-math.inf)
    open: float = _number(-math.inf)
    max_effort: float = _number(0.0, open_end=False)
    tolerance_m: float = _number()


@dataclass(frozen=True)
class FrankaGripper:
    """franka_ros2's gripper node: below ``grasp_below_m`` an opening means Grasp with ``force_n``,
    above it Move; 0 never grasps. tolerance_m: smaller changes of the opening are not sent."""

    kind: ClassVar[str] = "franka"
    node: str
    speed_m_s: float = _number()
    force_n: float = _number()
    grasp_below_m: float = _number(0.0, open_end=False)
    tolerance_m: float = _number()


@dataclass(frozen=True)
class InteraGripper:
    """Sawyer's electric gripper over ros1_bridge: its ``position_m`` signal, metres between the
    fingers. device: its name under ``/io/end_effector``; tolerance_m: smaller changes of the
    opening are not sent."""

    kind: ClassVar[str] = "intera"
    device: str
    tolerance_m: float = _number()


ArmSettings: TypeAlias = Crisp | MoveitServo | Intera
GripperSettings: TypeAlias = PositionGripper | CommandGripper | FrankaGripper | InteraGripper
_ARMS: tuple[type, ...] = (Crisp, MoveitServo, Intera)
_GRIPPERS: tuple[type, ...] = (PositionGripper, CommandGripper, FrankaGripper, InteraGripper)


@dataclass(frozen=True)
class BackendSettings:
    """The two halves of a robot's drivers. gripper is None where there are no fingers to move."""

    arm: ArmSettings
    gripper: GripperSettings | None


def parse_backend(value: Any, gripper_m: tuple[float, float]) -> BackendSettings:
    """Check a profile's ``backend`` field.

    The text ``crisp`` is short for an arm and a gripper that both take metres, as the simulated
    ones do; gripper_m are the openings at action -1 and +1. Raises BackendError.
    """
    if value == "crisp":
        return BackendSettings(Crisp(), PositionGripper(*gripper_m))
    if not isinstance(value, dict):
        raise BackendError(
            f"backend must be 'crisp' or a mapping of arm and gripper, not {value!r}"
        )
    _refuse_unknown(value, ("arm", "gripper"), "backend")
    if "arm" not in value:
        raise BackendError("backend.arm is missing")
    arm = _section(value["arm"], _ARMS, "backend.arm")
    gripper = None
    if "gripper" in value:
        gripper = _section(value["gripper"], _GRIPPERS, "backend.gripper")
        if isinstance(gripper, PositionGripper | CommandGripper) and gripper.closed == gripper.open:
            raise BackendError(f"backend.gripper: closed and open are both {gripper.open}")
    return BackendSettings(arm, gripper)


def _section(value: Any, kinds: tuple[type, ...], where: str) -> Any:
    if not isinstance(value, dict):
        raise BackendError(f"{where} must be a mapping with a kind, not {value!r}")
    known: dict[str, Any] = {kind.kind: kind for kind in kinds}  # type: ignore[attr-defined]
    kind = value.get("kind")
    if not isinstance(kind, str) or kind not in known:
        raise BackendError(f"{where}.kind must be one of {', '.join(known)}, not {kind!r}")
    entries = fields(known[kind])
    _refuse_unknown(value, ("kind", *(f.name for f in entries)), where)
    checked = {}
    for entry in entries:
        name = f"{where}.{entry.name}"
        if entry.name not in value:
            raise BackendError(f"{name} is missing")
        given, rule = value[entry.name], entry.metadata
        checked[entry.name] = _as_number(given, rule, name) if "low" in rule else given
        if "low" not in rule and (not isinstance(given, str) or not given):
            raise BackendError(f"{name} must be a name, not {given!r}")
        if "choices" in rule and given not in rule["choices"]:
            raise BackendError(f"{name} must be one of {', '.join(rule['choices'])}, not {given!r}")
    return known[kind](**checked)


def _as_number(value: Any, rule: Any, name: str) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not -math.inf < value < math.inf:  # an int may be too large for isfinite
        raise BackendError(f"{name} must be a finite number, not {value!r}")
    low, above = rule["low"], "above" if rule["open"] else "at least"
    if value < low or (rule["open"] and value == low):
        raise BackendError(f"{name} must be {above} {low:g}, not {value!r}")
    if abs(value) > 1e6:  # no length, speed or force of a robot
        raise BackendError(f"{name} must be at most 1e6, not {value!r}")
    return float(value)


def _refuse_unknown(value: dict[Any, Any], known: tuple[str, ...], where: str) -> None:
    for key in value:
        if key not in known:
            raise BackendError(f"{where} has no field {key!r}; it has {', '.join(known)}")
