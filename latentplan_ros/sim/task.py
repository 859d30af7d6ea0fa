"""What a task is: a scene, where its episodes start, what counts as having reached a goal."""

from abc import ABC, abstractmethod
from typing import ClassVar

import mujoco
import numpy as np


class TaskError(ValueError):
    """A task, or a kind of goal, that does not exist."""


class Task(ABC):
    """One file a task. Positions in metres in the base frame, which is the world frame here.

    profile: robot profile that it runs with; start_min, start_max: box the hand starts in;
    exploration_std: standard deviation of random actions (MBOLD Table 4); truth_names: one name a
    number of ``truth``; goal_kinds: kinds of goal picture; threshold_m: success (Table 4).
    """

    name: ClassVar[str]
    profile: ClassVar[str]
    start_min: ClassVar[tuple[float, float, float]]
    start_max: ClassVar[tuple[float, float, float]]
    exploration_std: ClassVar[tuple[float, float, float, float]]
    truth_names: ClassVar[tuple[str, ...]]
    goal_kinds: ClassVar[tuple[str, ...]]
    threshold_m: ClassVar[float] = 0.05
    episode_steps: ClassVar[int] = 30

    @abstractmethod
    def scene(self) -> mujoco.MjSpec:
        """Everything but the arm."""

    def place_objects(  # noqa: B027  # a task without objects has none to place
        self, model: mujoco.MjModel, data: mujoco.MjData, rng: np.random.Generator
    ) -> None:
        """Draws the objects' start; the hand's is drawn from the start box."""

    @abstractmethod
    def truth(self, model: mujoco.MjModel, data: mujoco.MjData) -> np.ndarray:
        """Ground truth ``float64 [K]``; read by evaluation and nothing else."""

    @abstractmethod
    def error_m(self, truth: np.ndarray, goal: np.ndarray) -> float:
        """Distance to the goal that decides success, metres."""

    @abstractmethod
    def is_goal(self, kind: str, start: np.ndarray, end: np.ndarray) -> bool:
        """Whether a random rollout from start to end gives a goal of this kind worth reaching."""
