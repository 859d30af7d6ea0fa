"""Pushing blocks to where a picture shows them (MBOLD's object repositioning tasks)."""

from typing import ClassVar

import mujoco
import numpy as np

from latentplan_ros.sim.arm import TCP
from latentplan_ros.sim.scene import new_scene
from latentplan_ros.sim.task import Task, TaskError

HALF_M = 0.035
MOVED_M = 0.075  # how far a goal's block has moved; the released code's
APART_M = 0.125  # hand from the block in hard goals; the released code's
_COLOURS = ([0.93, 0.72, 0.10, 1], [0.13, 0.42, 0.80, 1], [0.16, 0.62, 0.26, 1])
# Where blocks start, x and y, and the walls around the table, all within reach from both sides.
_START = np.array([[-0.13, 0.50], [0.13, 0.74]])
_WALLS = np.array([[-0.25, 0.39], [0.25, 0.85]])


class Push(Task):
    """Truth: x and y of each block, then the tool centre point.

    Success is decided by the block that ends furthest from its place. ``regular`` goals move a
    block by more than 7.5 cm; in ``hard`` ones the hand has withdrawn from every block it moved.
    """

    profile = "sawyer_table"
    start_min, start_max = (-0.14, 0.49, 0.06), (0.14, 0.75, 0.08)
    exploration_std = (0.6, 0.6, 0.3, 0.3)
    goal_kinds = ("regular", "hard")
    blocks: ClassVar[int]
    block_start: ClassVar[np.ndarray] = _START  # lowest and highest x and y

    def scene(self) -> mujoco.MjSpec:
        spec = new_scene((0.0, 1.22, 0.58), (0.0, 0.625, 0.03), 40.0)
        box = mujoco.mjtGeom.mjGEOM_BOX
        (left, near), (right, far) = _WALLS
        for index, (x, y, sx, sy) in enumerate(
            (
                (left, (near + far) / 2, 0.01, (far - near) / 2),
                (right, (near + far) / 2, 0.01, (far - near) / 2),
                ((left + right) / 2, near, (right - left) / 2, 0.01),
                ((left + right) / 2, far, (right - left) / 2, 0.01),
            )
        ):
            # They stop blocks and not the arm.
            spec.worldbody.add_geom(
                name=f"wall{index}",
                type=box,
                pos=[x, y, 0.01],
                size=[sx, sy, 0.01],
                rgba=[0.45, 0.40, 0.36, 1],
                contype=2,
                conaffinity=0,
            )
        for index in range(self.blocks):
            body = spec.worldbody.add_body(name=f"block{index}", pos=[0, 0.6, HALF_M])
            body.add_freejoint(name=f"block{index}")
            body.add_geom(
                name=f"block{index}",
                type=box,
                size=[HALF_M] * 3,
                rgba=_COLOURS[index],
                mass=0.15,
                friction=[0.5, 0.005, 0.0001],
                conaffinity=3,
            )
        return spec

    def place_objects(
        self, model: mujoco.MjModel, data: mujoco.MjData, rng: np.random.Generator
    ) -> None:
        placed: list[np.ndarray] = []
        while len(placed) < self.blocks:
            spot = rng.uniform(*self.block_start)
            if all(np.linalg.norm(spot - other) > 3.0 * HALF_M for other in placed):
                placed.append(spot)
        for index, spot in enumerate(placed):
            joint = data.joint(f"block{index}")
            yaw = rng.uniform(-np.pi / 4, np.pi / 4)
            joint.qpos[:] = [*spot, HALF_M, np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)]

    def truth(self, model: mujoco.MjModel, data: mujoco.MjData) -> np.ndarray:
        places = [data.joint(f"block{index}").qpos[:2] for index in range(self.blocks)]
        return np.concatenate([*places, data.site(TCP).xpos])

    def error_m(self, truth: np.ndarray, goal: np.ndarray) -> float:
        return float(self._distances(truth, goal).max())

    def is_goal(self, kind: str, start: np.ndarray, end: np.ndarray) -> bool:
        if kind not in self.goal_kinds:
            raise TaskError(f"{self.name} has goals of kind {self.goal_kinds}, not {kind!r}")
        moved = self._distances(start, end) > MOVED_M
        if kind == "regular":
            return bool(moved.any())
        hand = end[-3:-1]
        apart = np.linalg.norm(self._places(end) - hand, axis=1) > APART_M
        return bool(moved.any() and apart[moved].all())

    def _places(self, truth: np.ndarray) -> np.ndarray:
        return truth[: 2 * self.blocks].reshape(self.blocks, 2)

    def _distances(self, truth: np.ndarray, other: np.ndarray) -> np.ndarray:
        return np.asarray(np.linalg.norm(self._places(truth) - self._places(other), axis=1))


class SawyerPush1(Push):
    """One block."""

    name = "sawyer_push1"
    blocks = 1
    truth_names = ("block_x", "block_y", "tcp_x", "tcp_y", "tcp_z")


class SawyerPush1Near(SawyerPush1):
    """One block that starts in a sixteenth of the area, to learn from (MBOLD E.3, Table 5)."""

    name = "sawyer_push1_near"
    block_start = _START.mean(0) + (_START - _START.mean(0)) / 4.0


class SawyerPush3(Push):
    """Three blocks, told apart by colour."""

    name = "sawyer_push3"
    blocks = 3
    truth_names = (
        "yellow_x",
        "yellow_y",
        "blue_x",
        "blue_y",
        "green_x",
        "green_y",
        "tcp_x",
        "tcp_y",
        "tcp_z",
    )
