"""Who acts: what evaluation asks of a policy, and those that there are."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import torch

from latentplan_ros.control.exploration import SmoothedRandomPolicy
from latentplan_ros.models.latent_world_model import LatentWorldModel
from latentplan_ros.models.q_policy import QPolicy
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


class ActingPolicy:
    """A trained policy: looks at now and at the goal and acts, without a plan.

    choose: the model's latents of both, ``[E,D]``, to actions ``[E,4]``.
    """

    def __init__(
        self,
        model: LatentWorldModel,
        choose: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
        device: str = "cpu",
    ) -> None:
        self.model, self.choose, self.device = model, choose, device

    @torch.inference_mode()
    def reset(self, goals: np.ndarray, seeds: Sequence[int]) -> None:
        self._goals = self._see(goals)

    @torch.inference_mode()
    def act(self, images: np.ndarray) -> np.ndarray:
        return self.choose(self._see(images), self._goals).float().cpu().numpy()

    def imagined(self) -> np.ndarray | None:
        return None

    def plan_milliseconds(self) -> float | None:
        return None

    def _see(self, images: np.ndarray) -> torch.Tensor:
        # What follows the encoded picture in a latent is the last action; policies go without it.
        return self.model.encode(self._batch(images))[:, : self.model.spec["latent"]]

    def _batch(self, images: np.ndarray) -> torch.Tensor:
        batch = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
        return batch.to(self.device)


class CodePolicy(ActingPolicy):
    """One that looks at the pictures themselves, ``float32 [E,3,64,64]`` in [0, 1]."""

    def _see(self, images: np.ndarray) -> torch.Tensor:
        return self._batch(images).float() / 255.0


class ShootingPolicy(ActingPolicy):
    """The best of random actions by a Q-function, drawn anew each time, by each episode's seed."""

    def __init__(self, model: LatentWorldModel, head: QPolicy, device: str = "cpu") -> None:
        super().__init__(model, self._best, device)
        self.head = head

    def reset(self, goals: np.ndarray, seeds: Sequence[int]) -> None:
        super().reset(goals, seeds)
        self._generators = [torch.Generator().manual_seed(seed) for seed in seeds]

    def _best(self, state: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        drawn = [torch.rand(self.head.candidates, 4, generator=g) for g in self._generators]
        return self.head.act(state, goal, torch.stack(drawn).to(state.device) * 2.0 - 1.0)
