"""Sawyer reaching above an empty table (MBOLD's reaching task)."""

import mujoco

from latentplan_ros.sim.scene import new_scene
from latentplan_ros.sim.tasks.reach import Reach


class SawyerReach(Reach):
    name = "sawyer_reach"
    profile = "sawyer"
    start_min, start_max = (-0.18, 0.45, 0.07), (0.18, 0.78, 0.25)

    def scene(self) -> mujoco.MjSpec:
        # The hand is in the picture wherever it may go: a goal that cuts it off shows no place.
        return new_scene((0.0, 1.42, 0.72), (0.0, 0.60, 0.16), 44.0)
