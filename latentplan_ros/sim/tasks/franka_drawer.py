"""Franka opening and closing a drawer (MBOLD section 5, the paper's real-robot task)."""

import mujoco
import numpy as np

from latentplan_ros.sim.scene import new_scene
from latentplan_ros.sim.task import Task, TaskError

TRAVEL_M = 0.20
_WOOD = [0.80, 0.62, 0.38, 1]
_CABINET = [0.30, 0.38, 0.48, 1]
_HANDLE = [0.85, 0.16, 0.12, 1]


class FrankaDrawer(Task):
    """The drawer slides along x, towards the arm when it opens; truth is its opening in metres.

    The handle is a bar that the closed or open fingers hook from behind to pull and push from the
    front to close; an open drawer can be moved by its walls too.
    """

    name = "franka_drawer"
    profile = "franka"
    start_min, start_max = (0.42, -0.08, 0.065), (0.74, 0.08, 0.13)
    exploration_std = (0.35, 0.3, 0.25, 0.15)
    truth_names = ("drawer_opening",)
    goal_kinds = ("open", "close")

    def scene(self) -> mujoco.MjSpec:
        spec = new_scene((0.57, -0.80, 0.56), (0.57, 0.0, 0.11), 38.0)
        box = mujoco.mjtGeom.mjGEOM_BOX
        cabinet = spec.worldbody.add_body(name="cabinet", pos=[0.81, 0, 0])
        for name, pos, size in (
            ("top", [0, 0, 0.135], [0.11, 0.13, 0.005]),
            ("left", [0, 0.125, 0.07], [0.11, 0.005, 0.06]),
            ("right", [0, -0.125, 0.07], [0.11, 0.005, 0.06]),
            ("back", [0.105, 0, 0.07], [0.005, 0.12, 0.06]),
        ):
            cabinet.add_geom(name=f"cabinet_{name}", type=box, pos=pos, size=size, rgba=_CABINET)
        drawer = spec.worldbody.add_body(name="drawer", pos=[0.70, 0, 0])
        drawer.add_joint(
            name="drawer",
            type=mujoco.mjtJoint.mjJNT_SLIDE,
            axis=[-1, 0, 0],
            range=[0, TRAVEL_M],
            limited=mujoco.mjtLimited.mjLIMITED_TRUE,
            damping=3.0,
            frictionloss=0.7,
            armature=0.2,
        )
        for name, pos, size, colour in (
            ("front", [0.0, 0, 0.07], [0.008, 0.115, 0.055], _WOOD),
            ("floor", [0.10, 0, 0.025], [0.10, 0.10, 0.005], _WOOD),
            ("left", [0.10, 0.10, 0.055], [0.10, 0.006, 0.035], _WOOD),
            ("right", [0.10, -0.10, 0.055], [0.10, 0.006, 0.035], _WOOD),
            ("handle", [-0.062, 0, 0.085], [0.008, 0.10, 0.022], _HANDLE),
            ("post_left", [-0.03, 0.092, 0.085], [0.025, 0.006, 0.012], _HANDLE),
            ("post_right", [-0.03, -0.092, 0.085], [0.025, 0.006, 0.012], _HANDLE),
        ):
            drawer.add_geom(
                name=f"drawer_{name}", type=box, pos=pos, size=size, rgba=colour, mass=0.15
            )
        for pair in ("drawer", "cabinet"):
            # The rail guides the drawer; its sides never touch the cabinet or the floor.
            spec.add_exclude(
                bodyname1="drawer", bodyname2="cabinet" if pair == "cabinet" else "world"
            )
        return spec

    def place_objects(
        self, model: mujoco.MjModel, data: mujoco.MjData, rng: np.random.Generator
    ) -> None:
        data.joint("drawer").qpos[0] = rng.uniform(0.0, TRAVEL_M)

    def truth(self, model: mujoco.MjModel, data: mujoco.MjData) -> np.ndarray:
        return data.joint("drawer").qpos.copy()

    def error_m(self, truth: np.ndarray, goal: np.ndarray) -> float:
        return float(abs(truth[0] - goal[0]))

    def is_goal(self, kind: str, start: np.ndarray, end: np.ndarray) -> bool:
        if kind not in self.goal_kinds:
            raise TaskError(f"{self.name} has goals of kind {self.goal_kinds}, not {kind!r}")
        moved = float(end[0] - start[0])
        return moved > 0.075 if kind == "open" else moved < -0.075
