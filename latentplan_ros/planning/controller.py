"""Receding-horizon control: plan, execute the first actions, look again, plan again."""

from collections.abc import Sequence

import numpy as np
import torch

from latentplan_ros.models.world_model import WorldModel
from latentplan_ros.planning.errors import PlanningError
from latentplan_ros.planning.plan import Plan
from latentplan_ros.planning.planner import Planner
from latentplan_ros.planning.under_way import Situation


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
        self.seen: torch.Tensor | None = None  # encodings [E,...] of the pictures planned on last
        self._goals: torch.Tensor | None = None

    def reset(self, goals: np.ndarray, seeds: Sequence[int] | None = None) -> None:
        """New goals, ``uint8 [E,S,S,3]``; forgets the last plans. seeds: one a goal's search."""
        self._goals = self.encode(goals)
        self._generators = [
            torch.Generator().manual_seed(seed) for seed in (seeds or range(len(goals)))
        ]
        self.plans, self._executed = [], 0
        self._last: torch.Tensor | None = None

    def act(self, images: np.ndarray, situations: Sequence[Situation] | None = None) -> np.ndarray:
        """Pictures of now ``uint8 [E,S,S,3]`` to actions ``float32 [E,4]``, or PlanningError.

        situations: one a picture, all as many periods ahead; without them each picture is of the
        moment at which the last action has had its control period and the next one begins.
        """
        if self._goals is None:
            raise PlanningError("there is no goal yet: set one before asking for an action")
        if not self.plans or self._executed >= self.replan_every or self._executed >= self._horizon:
            starts = self._starts(images, situations)
            self.plans = self.planner.plan_batch(
                self.model, starts, self._goals, self._remainders(), self._generators
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

    @torch.inference_mode()
    def _starts(self, images: np.ndarray, situations: Sequence[Situation] | None) -> torch.Tensor:
        """Where the plans begin: what is seen, or what follows from it by what is under way."""
        if situations is None:
            self.seen = self.encode(images, self._last)
            return self.seen
        last, ahead = (
            torch.from_numpy(np.stack([getattr(s, name) for s in situations])).to(self.device)
            for name in ("last", "ahead")
        )
        self.seen = self.encode(images, last)
        return self.model.rollout(self.seen, ahead)[:, -1] if ahead.shape[1] else self.seen

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

    def act(self, image: np.ndarray, situation: Situation | None = None) -> tuple[np.ndarray, Plan]:
        """``uint8 [S,S,3]`` of now to the next action ``float32 [4]`` and the plan that it is from.

        situation: what is under way on a real arm; see ``BatchController.act``.
        Raises PlanningError where no goal is set, or the model's numbers are not finite.
        """
        situations = None if situation is None else [situation]
        action = self._batch.act(np.asarray(image)[None], situations)[0]
        return action, self._batch.plans[0]

    @property
    def seen(self) -> torch.Tensor:
        """Encoding ``[...]`` of the picture that the last plan was made on."""
        assert self._batch.seen is not None, "nothing has been planned on yet"
        return self._batch.seen[0]
