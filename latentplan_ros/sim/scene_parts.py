"""What a scene file says of the things in its MJCF: where they start, what counts, what goals."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

from latentplan_ros.sim.scene_fields import Fields
from latentplan_ros.sim.task import TaskError

_FREE, _HINGE = mujoco.mjtJoint.mjJNT_FREE, mujoco.mjtJoint.mjJNT_HINGE
_BALL = mujoco.mjtJoint.mjJNT_BALL


@dataclass(frozen=True)
class Start:
    """Where a joint starts, m or rad; a free one at a position, turned about the world's z."""

    joint: str
    low: tuple[float, ...]
    high: tuple[float, ...]
    yaw_rad: tuple[float, float]

    @classmethod
    def read(cls, name: str, fields: Fields, spec: mujoco.MjSpec) -> "Start":
        joint = spec.joint(name)
        if joint is None:
            raise TaskError(f"{fields.where}: {absent('joint', name, spec.joints)}")
        if joint.type == _BALL:
            raise TaskError(f"{fields.where}: a ball joint's start cannot be drawn")
        free = joint.type == _FREE
        fields.only("min", "max", *(["yaw_deg"] if free else []))
        low, high = fields.box(3 if free else 1)
        if joint.limited == mujoco.mjtLimited.mjLIMITED_TRUE or np.ptp(joint.range) > 0:
            scale = math.pi / 180 if joint.type == _HINGE and spec.compiler.degree else 1.0
            bottom, top = joint.range * scale
            if low[0] < bottom - 1e-9 or high[0] > top + 1e-9:
                raise TaskError(
                    f"{fields.where}: {low[0]:g} to {high[0]:g} leaves the joint's range, "
                    f"{bottom:g} to {top:g}"
                )
        yaw = fields.numbers("yaw_deg", 2) if fields.has("yaw_deg") else (0.0, 0.0)
        return cls(name, low, high, (math.radians(yaw[0]), math.radians(yaw[1])))

    def draw(self, data: mujoco.MjData, rng: np.random.Generator) -> None:
        joint = data.joint(self.joint)
        joint.qpos[: len(self.low)] = rng.uniform(self.low, self.high)
        if len(self.low) == 3:
            half = rng.uniform(*self.yaw_rad) / 2.0
            turn = np.array([np.cos(half), 0.0, 0.0, np.sin(half)])
            mujoco.mju_mulQuat(joint.qpos[3:], turn, joint.qpos[3:].copy())


@dataclass(frozen=True)
class Thing:
    """What counts as the object: a body, by where it is, or a sliding joint, by how far it is."""

    name: str
    body: str | None
    joint: str | None

    @classmethod
    def read(cls, name: str, fields: Fields, spec: mujoco.MjSpec) -> "Thing":
        fields.only("body", "joint")
        if fields.has("body") == fields.has("joint"):
            raise TaskError(f"{fields.where} must name either a body or a joint")
        if fields.has("body"):
            body = fields.text("body")
            if spec.body(body) is None:
                raise TaskError(f"{fields.where}: {absent('body', body, spec.bodies)}")
            return cls(name, body, None)
        joint = fields.text("joint")
        if spec.joint(joint) is None:
            raise TaskError(f"{fields.where}: {absent('joint', joint, spec.joints)}")
        if spec.joint(joint).type != mujoco.mjtJoint.mjJNT_SLIDE:
            raise TaskError(
                f"{fields.where}: joint {joint!r} does not slide; name a body that it moves "
                "instead, so that distances are metres"
            )
        return cls(name, None, joint)

    @property
    def truth_names(self) -> tuple[str, ...]:
        return (self.name,) if self.joint else tuple(f"{self.name}_{axis}" for axis in "xyz")

    def place(self, data: mujoco.MjData) -> np.ndarray:
        """Metres, ``float64 [3]`` of a body or ``[1]`` of a joint."""
        return np.array(data.joint(self.joint).qpos if self.joint else data.body(self.body).xpos)


@dataclass(frozen=True)
class GoalKind:
    """moved_m: how far some object has gone; sign: which way along its joint, 0 for either;
    apart_m: how far the hand is from all that moved."""

    moved_m: float
    sign: int
    apart_m: float

    @classmethod
    def read(cls, fields: Fields, things: list[Thing], threshold_m: float) -> "GoalKind":
        fields.only("moved_m", "direction", "apart_m")
        moved = fields.positive("moved_m")
        if moved <= threshold_m:
            raise fields.wrong(
                "moved_m", f"more than threshold_m, {threshold_m:g}, or doing nothing reaches it"
            )
        sign = 0
        if fields.has("direction"):
            if not things or not all(thing.joint for thing in things):
                raise TaskError(f"{fields.where}: only goals of joints have a direction")
            if fields.text("direction") not in ("increase", "decrease"):
                raise fields.wrong("direction", "increase or decrease")
            sign = 1 if fields.text("direction") == "increase" else -1
        apart = 0.0
        if fields.has("apart_m"):
            if not things or not all(thing.body for thing in things):
                raise TaskError(f"{fields.where}: only from bodies can the hand be apart_m away")
            apart = fields.positive("apart_m")
        return cls(moved, sign, apart)

    def met(self, shift: np.ndarray) -> bool:
        """Whether an object that went this way has gone far enough."""
        way = float(shift[0]) * self.sign if self.sign else float(np.linalg.norm(shift))
        return way > self.moved_m


def absent(kind: str, name: str, elements: Iterable[Any]) -> str:
    names = sorted(element.name for element in elements if element.name)
    return f"the MJCF has no {kind} named {name!r}; it has {', '.join(names) or 'none'}"
