"""What the envelope answers with: a command, or a typed reason why there is none."""

from dataclasses import dataclass
from enum import Enum

import numpy as np


class Reason(str, Enum):
    """Why nothing moves."""

    STOPPED = "stopped"
    NO_POSE = "no pose"
    STALE_POSE = "stale pose"
    BAD_POSE = "bad pose"
    POSE_JUMP = "pose jumped"
    TILTED = "orientation not kept"
    OUTSIDE_WORKSPACE = "outside workspace"
    KEEP_OUT = "keep-out box"
    TOO_FAR = "too far from its target"
    TOO_LARGE_STEP = "too large a step"
    BAD_JOINTS = "bad joints"
    NO_PICTURE = "no picture"
    STALE_PICTURE = "stale picture"
    NO_ACTION = "no action"
    STALE_ACTION = "stale action"
    BAD_ACTION = "bad action"
    TWO_SOURCES = "two sources of actions"
    CLOCK_JUMP = "clock jumped back"
    PAUSED = "nothing was looked at"
    TOO_SOON = "too soon"
    OUT_OF_ORDER = "out of order"


PASSING = frozenset({Reason.TOO_SOON, Reason.OUT_OF_ORDER})
"""Reasons to leave one message aside; the arm goes on with the one before."""


class Limit(str, Enum):
    """What shortened a command that did leave."""

    SPEED = "speed"
    SOFT_START = "soft start"
    ACCELERATION = "acceleration"
    STEP = "step"
    DISTANCE = "distance"
    KEEP_OUT = "keep-out box"
    GRIPPER_SPEED = "gripper speed"


@dataclass(frozen=True)
class Refusal:
    """One reason with what was seen, and what to do about it."""

    reason: Reason
    detail: str

    def __str__(self) -> str:
        return f"{self.reason.value}: {self.detail}"


@dataclass(frozen=True)
class Command:
    """What may leave: target position ``float64 [3]`` (m, base frame), and finger opening (m), None
    to leave the gripper as it is. ``hold`` marks one that keeps the arm where it is; ``limited``
    names what made the command smaller than its action asked for."""

    position: np.ndarray
    opening: float | None
    hold: bool = False
    limited: tuple[Limit, ...] = ()
