"""What a task is: a scene, where its episodes start, what counts as having reached a goal."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

import mujoco
import numpy as np

from latentplan_ros.control.profile import RobotProfile
from latentplan_ros.data.episode import Episode
from latentplan_ros.sim.arm import ARMS, Driven

if TYPE_CHECKING:
    from latentplan_ros.sim.environment import Environment


class TaskError(ValueError):
    """A task, or a kind of goal, that does not exist."""


class Task(ABC):
    """One file a task. Positions in metres in the base frame, which is the world frame here.

    profile: robot profile that it runs with, a name or a YAML file; camera: the one that is looked
    through; start_min, start_max: box the hand starts in;
    exploration_std: standard deviation of random actions (MBOLD Table 4); truth_names: one name a
    number of ``truth``; goal_kinds: kinds of goal picture, none where it is only recorded;
    threshold_m: success (Table 4).
    """

    name: str
    profile: str
    camera: str = "main"
    start_min: tuple[float, float, float]
    start_max: tuple[float, float, float]
    exploration_std: tuple[float, float, float, float]
    truth_names: tuple[str, ...]
    goal_kinds: tuple[str, ...]
    threshold_m: float = 0.05
    episode_steps: int = 30

    def arm(self, profile: RobotProfile) -> Driven:
        """The arm that the scene is built around: the baked one that the profile names."""
        if profile.arm not in ARMS:
            raise TaskError(
                f"{self.name}: robot profile {profile.name!r} is for arm {profile.arm!r}, of which "
                f"there is no model here; there are {', '.join(ARMS)}"
            )
        return ARMS[profile.arm]

    @abstractmethod
    def scene(self) -> mujoco.MjSpec:
        """Everything but the arm."""

    def place_objects(  # noqa: B027  # a task without objects has none to place
        self, model: mujoco.MjModel, data: mujoco.MjData, rng: np.random.Generator
    ) -> None:
        """Draws the objects' start; the hand's is drawn from the start box."""

    def record(
        self, env: "Environment", rng: np.random.Generator, look: Callable[[], np.ndarray]
    ) -> Episode | None:
        """An episode, where the task records another than one of random actions; None if not.

        look: gives the network's picture of the present moment.
        """
        return None

    @abstractmethod
    def truth(self, model: mujoco.MjModel, data: mujoco.MjData) -> np.ndarray:
        """Ground truth ``float64 [K]``; read by evaluation and nothing else."""

    @abstractmethod
    def error_m(self, truth: np.ndarray, goal: np.ndarray) -> float:
        """Distance to the goal that decides success, metres."""

    @abstractmethod
    def is_goal(self, kind: str, start: np.ndarray, end: np.ndarray) -> bool:
        """Whether a random rollout from start to end gives a goal of this kind worth reaching."""
