"""Franka reaching above an empty table."""

import mujoco

from latentplan_ros.sim.scene import new_scene
from latentplan_ros.sim.tasks.reach import Reach


class FrankaReach(Reach):
    name = "franka_reach"
    profile = "franka"
    start_min, start_max = (0.42, -0.12, 0.07), (0.72, 0.12, 0.16)

    def scene(self) -> mujoco.MjSpec:
        return new_scene((0.57, -0.80, 0.56), (0.57, 0.0, 0.12), 40.0)
