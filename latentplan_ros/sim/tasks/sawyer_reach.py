"""Sawyer reaching above an empty table (MBOLD's reaching task)."""

import mujoco

from latentplan_ros.sim.scene import new_scene
from latentplan_ros.sim.tasks.reach import Reach


class SawyerReach(Reach):
    name = "sawyer_reach"
    profile = "sawyer"
    start_min, start_max = (-0.18, 0.45, 0.07), (0.18, 0.78, 0.25)

    def scene(self) -> mujoco.MjSpec:
        return new_scene((0.0, 1.30, 0.62), (0.0, 0.62, 0.08), 40.0)
