"""Moving the hand to where a picture shows it; the simplest task, common to both arms."""

import mujoco
import numpy as np

from latentplan_ros.sim.arm import TCP
from latentplan_ros.sim.task import Task


class Reach(Task):
    """Success: the tool centre point within 5 cm (MBOLD Table 4). Goals lie at least 15 cm away."""

    truth_names = ("tcp_x", "tcp_y", "tcp_z")
    goal_kinds = ("reach",)
    exploration_std = (0.6, 0.6, 0.3, 0.3)

    def truth(self, model: mujoco.MjModel, data: mujoco.MjData) -> np.ndarray:
        return data.site(TCP).xpos.copy()

    def error_m(self, truth: np.ndarray, goal: np.ndarray) -> float:
        return float(np.linalg.norm(truth - goal))

    def is_goal(self, kind: str, start: np.ndarray, end: np.ndarray) -> bool:
        return self.error_m(start, end) >= 0.15
