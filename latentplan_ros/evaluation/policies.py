"""Who acts: what evaluation asks of a policy, and the two that need no training of their own."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch

from latentplan_ros.control.exploration import SmoothedRandomPolicy
from latentplan_ros.planning import BatchController


class Policy(Protocol):
    """Acts in E episodes at once."""

    def reset(self, goals: np.ndarray, seeds: Sequence[int]) -> None:
        """New episodes with these goal pictures, ``uint8 [E,S,S,3]``, and one seed each."""

    def act(self, images: np.ndarray) -> np.ndarray:
        """``uint8 [E,S,S,3]`` of now to actions ``float32 [E,4]``."""

    def imagined(self) -> np.ndarray | None:
        """What each plan expects to see at its end, ``uint8 [E,S,S,3]``; None without plans."""

    def plan_milliseconds(self) -> float | None:
        """Time of the last plan, an episode; None where the last action needed none."""


class PlanningPolicy:
    """Receding-horizon planning in a world model."""

    def __init__(self, controller: BatchController) -> None:
        self.controller = controller
        self._fresh = False

    def reset(self, goals: np.ndarray, seeds: Sequence[int]) -> None:
        self.controller.reset(goals, seeds)

    def act(self, images: np.ndarray) -> np.ndarray:
        before = self.controller.plans
        actions = self.controller.act(images)
        self._fresh = self.controller.plans is not before
        return actions

    @torch.inference_mode()
    def imagined(self) -> np.ndarray | None:
        ends = torch.stack([plan.latents[-1] for plan in self.controller.plans])
        pictures = self.controller.model.decode(ends).clamp(0.0, 1.0) * 255.0
        return pictures.round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()

    def plan_milliseconds(self) -> float | None:
        return self.controller.plans[0].stats["milliseconds"] if self._fresh else None


class RandomPolicy:
    """The policy that collected the data; what reaching a goal by chance looks like."""

    def __init__(self, std: Sequence[float], beta: float = 0.5) -> None:
        self.std, self.beta = std, beta

    def reset(self, goals: np.ndarray, seeds: Sequence[int]) -> None:
        self._policies = [SmoothedRandomPolicy(self.std, self.beta) for _ in seeds]
        for policy, seed in zip(self._policies, seeds, strict=True):
            policy.reset(np.random.default_rng(seed))

    def act(self, images: np.ndarray) -> np.ndarray:
        return np.stack([policy.act() for policy in self._policies])

    def imagined(self) -> np.ndarray | None:
        return None

    def plan_milliseconds(self) -> float | None:
        return None
