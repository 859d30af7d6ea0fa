"""Franka sliding a door sideways (MBOLD's hardest simulated task)."""

import mujoco
import numpy as np

from latentplan_ros.sim.arm import TCP
from latentplan_ros.sim.scene import new_scene
from latentplan_ros.sim.task import Task, TaskError

TRAVEL_M = 0.30
MOVED_M = 0.1125  # the threshold's share that MBOLD's blocks have to move
APART_M = 0.125
_FRAME = [0.30, 0.38, 0.48, 1]
_WOOD = [0.80, 0.62, 0.38, 1]
_HANDLE = [0.85, 0.16, 0.12, 1]


class FrankaDoor(Task):
    """A door on rails along y with a bar to push from either side; truth: its y, then the tool's.

    ``regular`` goals move it by more than 11.25 cm; in ``hard`` ones the hand has left the handle.
    """

    name = "franka_door"
    profile = "franka_table"
    start_min, start_max = (0.58, -0.20, 0.06), (0.70, 0.20, 0.12)
    exploration_std = (0.3, 0.3, 0.3, 0.15)
    truth_names = ("door_y", "tcp_x", "tcp_y", "tcp_z")
    goal_kinds = ("regular", "hard")
    threshold_m = 0.075

    def scene(self) -> mujoco.MjSpec:
        spec = new_scene((0.10, -0.55, 0.80), (0.63, 0.0, 0.14), 42.0)
        box = mujoco.mjtGeom.mjGEOM_BOX
        frame = spec.worldbody.add_body(name="frame", pos=[0.78, 0, 0])
        for name, pos, size in (
            ("top", [0, 0, 0.235], [0.03, 0.33, 0.012]),
            ("bottom", [0, 0, 0.012], [0.03, 0.33, 0.012]),
            ("left", [0, 0.33, 0.12], [0.03, 0.012, 0.12]),
            ("right", [0, -0.33, 0.12], [0.03, 0.012, 0.12]),
            ("back", [0.025, 0, 0.12], [0.005, 0.33, 0.11]),
        ):
            frame.add_geom(name=f"frame_{name}", type=box, pos=pos, size=size, rgba=_FRAME)
        door = spec.worldbody.add_body(name="door", pos=[0.76, 0, 0])
        door.add_joint(
            name="door",
            type=mujoco.mjtJoint.mjJNT_SLIDE,
            axis=[0, 1, 0],
            range=[-TRAVEL_M / 2, TRAVEL_M / 2],
            limited=mujoco.mjtLimited.mjLIMITED_TRUE,
            damping=3.0,
            frictionloss=0.7,
            armature=0.2,
        )
        for name, pos, size, colour in (
            ("panel", [0, 0, 0.125], [0.008, 0.15, 0.095], _WOOD),
            ("handle", [-0.095, 0, 0.10], [0.085, 0.012, 0.06], _HANDLE),
        ):
            door.add_geom(name=f"door_{name}", type=box, pos=pos, size=size, rgba=colour, mass=0.3)
        for other in ("frame", "world"):
            spec.add_exclude(bodyname1="door", bodyname2=other)
        return spec

    def place_objects(
        self, model: mujoco.MjModel, data: mujoco.MjData, rng: np.random.Generator
    ) -> None:
        data.joint("door").qpos[0] = rng.uniform(-TRAVEL_M / 2, TRAVEL_M / 2)

    def truth(self, model: mujoco.MjModel, data: mujoco.MjData) -> np.ndarray:
        return np.concatenate([data.joint("door").qpos, data.site(TCP).xpos])

    def error_m(self, truth: np.ndarray, goal: np.ndarray) -> float:
        return float(abs(truth[0] - goal[0]))

    def is_goal(self, kind: str, start: np.ndarray, end: np.ndarray) -> bool:
        if kind not in self.goal_kinds:
            raise TaskError(f"{self.name} has goals of kind {self.goal_kinds}, not {kind!r}")
        moved = bool(self.error_m(start, end) > MOVED_M)
        return moved and (kind == "regular" or abs(end[2] - end[0]) > APART_M)
