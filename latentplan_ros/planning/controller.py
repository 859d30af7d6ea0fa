"""Receding-horizon control: plan, execute the first actions, look again, plan again."""

from collections.abc import Sequence

import numpy as np
import torch

from latentplan_ros.models.world_model import WorldModel
from latentplan_ros.planning.errors import PlanningError
from latentplan_ros.planning.plan import Plan
from latentplan_ros.planning.planner import Planner


class BatchController:
    """Controls E robots (or simulated episodes) in lockstep, planning for all in one batch.

    replan_every: actions executed of each plan: 1 for real time, 6 in MBOLD's Table 3. Each new
    plan's search starts from the rest of the last one, followed by zero actions.
    """

    def __init__(
        self,
        model: WorldModel,
        planner: Planner,
        replan_every: int = 1,
        device: str | torch.device = "cpu",
    ) -> None:
        if replan_every < 1:
            raise PlanningError(f"replan_every must be at least 1, not {replan_every}")
        self.model, self.planner, self.replan_every = model, planner, replan_every
        self.device = torch.device(device)
        self.plans: list[Plan] = []
        self._goals: torch.Tensor | None = None

    def reset(self, goals: np.ndarray, seeds: Sequence[int] | None = None) -> None:
        """New goals, ``uint8 [E,S,S,3]``; forgets the last plans. seeds: one a goal's search."""
        self._goals = self.encode(goals)
        self._generators = [
            torch.Generator().manual_seed(seed) for seed in (seeds or range(len(goals)))
        ]
        self.plans, self._executed = [], 0
        self._last: torch.Tensor | None = None

    def act(self, images: np.ndarray) -> np.ndarray:
        """Pictures of now ``uint8 [E,S,S,3]`` to actions ``float32 [E,4]``, or PlanningError."""
        if self._goals is None:
            raise PlanningError("there is no goal yet: set one before asking for an action")
        if not self.plans or self._executed >= self.replan_every or self._executed >= self._horizon:
            latents = self.encode(images, self._last)
            self.plans = self.planner.plan_batch(
                self.model, latents, self._goals, self._remainders(), self._generators
            )
            self._executed = 0
        actions = np.stack([plan.actions[self._executed] for plan in self.plans])
        self._executed += 1
        self._last = torch.from_numpy(actions).to(self.device)
        return actions

    @torch.inference_mode()
    def encode(self, images: np.ndarray, last: torch.Tensor | None = None) -> torch.Tensor:
        images = np.asarray(images)
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3:
            raise PlanningError(
                f"expected uint8 [E,S,S,3] RGB pictures, got {images.dtype} {list(images.shape)}"
            )
        batch = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
        return self.model.encode(batch.to(self.device), last)

    @property
    def _horizon(self) -> int:
        return len(self.plans[0].actions)

    def _remainders(self) -> np.ndarray | None:
        if not self.plans:
            return None
        warms = np.zeros((len(self.plans), *self.plans[0].actions.shape), np.float32)
        for warm, plan in zip(warms, self.plans, strict=True):
            rest = plan.actions[self._executed :]
            warm[: len(rest)] = rest
        return warms


class Controller:
    """One robot: ``set_goal`` a picture, then ``act`` on each new one."""

    def __init__(
        self,
        model: WorldModel,
        planner: Planner,
        replan_every: int = 1,
        device: str | torch.device = "cpu",
        seed: int = 0,
    ) -> None:
        self._batch = BatchController(model, planner, replan_every, device)
        self._seed = seed

    def set_goal(self, image: np.ndarray) -> None:
        """``uint8 [S,S,3]``, the network's size. Forgets the last plan. Raises PlanningError."""
        self._batch.reset(np.asarray(image)[None], [self._seed])

    def use(self, planner: Planner) -> None:
        """Plan with another planner from now on; its horizon must be that of the last."""
        self._batch.planner = planner

    def act(self, image: np.ndarray) -> tuple[np.ndarray, Plan]:
        """``uint8 [S,S,3]`` of now to the next action ``float32 [4]`` and the plan that it is from.

        Raises PlanningError where no goal is set, or the model's numbers are not finite.
        """
        action = self._batch.act(np.asarray(image)[None])[0]
        return action, self._batch.plans[0]
