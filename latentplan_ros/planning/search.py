"""What every sampling planner shares: imagine candidates, judge them, improve the next ones."""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from latentplan_ros.models.world_model import WorldModel
from latentplan_ros.planning.errors import PlanningError
from latentplan_ros.planning.plan import Plan

_FOR_GOOD = 1e6  # time steps that no plan saves


@dataclass
class Search:
    """What one call of a planner has found so far, for E situations.

    mean, spread: ``[E,H,A]`` of the next candidates; reluctance: to leave, ``[E,1]``; elites
    ``[E,K,H,A]``, best first, with their ranks and costs ``[E,K]``: of the last iteration; best:
    the best sequences yet.
    """

    mean: torch.Tensor
    spread: torch.Tensor
    generators: Sequence[torch.Generator | None]
    reluctance: torch.Tensor
    iteration: int = 0
    elites: torch.Tensor | None = None
    elite_ranks: torch.Tensor | None = None
    elite_costs: torch.Tensor | None = None
    best: "Best | None" = None


@dataclass
class Best:
    """Of each situation: rank and cost ``[E]`` (a rank below its cost favours keeping still),
    actions ``[E,H,A]`` and what they lead to, ``[E,H,...]``."""

    rank: torch.Tensor
    cost: torch.Tensor
    actions: torch.Tensor
    latents: torch.Tensor

    def over(self, other: "Best | None") -> "Best":
        """The better of the two in each situation."""
        if other is None:
            return self
        better = self.rank < other.rank

        def choose(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
            return torch.where(better.reshape(-1, *[1] * (a.ndim - 1)), a, b)

        return Best(
            choose(self.rank, other.rank),
            choose(self.cost, other.cost),
            choose(self.actions, other.actions),
            choose(self.latents, other.latents),
        )


@dataclass(frozen=True)
class SamplingPlanner(ABC):
    """Sample, imagine, learn from the costs, again; return the best sequence ever seen.

    std: of the noise before smoothing, per action dimension: that of the policy which collected the
    data (checkpoint header), so that the search stays where the model has been trained.
    Candidate 0 of every iteration is the mean itself and candidate 1 keeps still.
    moments: at how many evenly spaced moments of an imagined future, the last among them, the
    distance to the goal is taken; their mean is the cost. 1 is MBOLD's. More make the arm go there
    soon and stay there, instead of being there when the horizon ends.
    reluctance: time steps that a plan must save, by that mean, to be preferred to keeping still.
    The best of many imagined futures looks better than it is; without this the arm leaves a goal
    that it has reached. Where the model says that it has arrived, no plan saves enough.
    time_limit_s: of one call. Once another iteration would not end in time, judged by the slowest
    so far, the best sequence yet is the plan; the first iteration is always made.
    """

    std: Sequence[float]
    samples: int = 200
    iterations: int = 3
    elites: int = 10
    horizon: int = 13
    moments: int = 4
    reluctance: float = 0.8
    time_limit_s: float = math.inf

    def __post_init__(self) -> None:
        if not 1 <= self.elites <= self.samples:
            raise PlanningError(
                f"elites must be between 1 and samples={self.samples}, not {self.elites}"
            )
        if self.iterations < 1 or self.horizon < 1:
            raise PlanningError(
                f"iterations and horizon must be at least 1, not {self.iterations}, {self.horizon}"
            )
        if not 1 <= self.moments <= self.horizon:
            raise PlanningError(
                f"moments must be between 1 and horizon={self.horizon}, not {self.moments}"
            )
        if not self.reluctance >= 0:
            raise PlanningError(f"reluctance must be at least 0, not {self.reluctance}")
        if not self.time_limit_s > 0:
            raise PlanningError(f"time_limit_s must exceed 0, not {self.time_limit_s}")

    # What makes one planner differ from another ----------------------------------------------
    @abstractmethod
    def candidates(self, search: Search) -> torch.Tensor:
        """Action sequences to imagine next, ``[E,N,H,A]``; they are clipped to [-1, 1]."""

    @abstractmethod
    def improve(self, search: Search, actions: torch.Tensor, ranked: torch.Tensor) -> None:
        """Move the search's mean and spread by what was imagined, ``[E,N,H,A]`` and ``[E,N]``."""

    def refine(
        self, model: WorldModel, latents: torch.Tensor, goals: torch.Tensor, search: Search
    ) -> list[torch.Tensor]:
        """What follows the last iteration where there is time; the costs of what it looked at."""
        return []

    # What all have in common -----------------------------------------------------------------
    def plan(
        self,
        model: WorldModel,
        latent: torch.Tensor,
        goal: torch.Tensor,
        warm: np.ndarray | None = None,
        generator: torch.Generator | None = None,
    ) -> Plan:
        """Plan from one situation. latent, goal: ``[1,...]``; warm: first mean ``[H,4]``.

        Raises PlanningError where a shape does not fit or the model yields non-finite numbers.
        """
        warms = None if warm is None else np.asarray(warm)[None]
        return self.plan_batch(model, latent, goal, warms, [generator])[0]

    @torch.inference_mode()
    def plan_batch(
        self,
        model: WorldModel,
        latents: torch.Tensor,
        goals: torch.Tensor,
        warms: np.ndarray | None = None,
        generators: Sequence[torch.Generator | None] | None = None,
    ) -> list[Plan]:
        """Plan from E situations in one batch of E x N imagined futures.

        latents, goals: ``[E,...]``; warms: ``[E,H,4]``. One generator a situation, so that a plan
        does not depend on which others are made beside it. Raises as ``plan``.
        """
        begin = time.perf_counter()
        count, device = len(latents), latents.device
        generators = [None] * count if generators is None else generators
        if len(goals) != count or len(generators) != count:
            raise PlanningError(
                f"{count} situations, but {len(goals)} goals and {len(generators)} generators"
            )
        _require_finite_pictures(latents, goals)
        std = torch.as_tensor(self.std, dtype=torch.float32, device=device)
        mean = self._first_mean(warms, count, len(std), device)
        # Where the goal is reached, nothing that is imagined is worth a move.
        reluctance = torch.where(model.arrived(latents, goals), _FOR_GOOD, self.reluctance)
        search = Search(mean, std.expand_as(mean), generators, reluctance[:, None])
        history: list[torch.Tensor] = []
        slowest, ended = 0.0, begin
        for iteration in range(self.iterations):
            if ended + slowest > begin + self.time_limit_s and history:
                break
            search.iteration = iteration
            actions = self.candidates(search)
            actions[:, 0], actions[:, 1:2] = search.mean, 0.0
            actions.clamp_(-1.0, 1.0)
            history.append(self.look(model, latents, goals, search, actions))
            now = self._time(device)
            slowest, ended = max(slowest, now - ended), now
        if ended + slowest <= begin + self.time_limit_s:
            history += self.refine(model, latents, goals, search)
        return self._plans(search, history, begin)

    def look(
        self,
        model: WorldModel,
        latents: torch.Tensor,
        goals: torch.Tensor,
        search: Search,
        actions: torch.Tensor,
    ) -> torch.Tensor:
        """Imagine these, keep the best, improve; the cost of each, ``[E,N]``."""
        count, samples = actions.shape[:2]
        rows = torch.arange(count, device=actions.device)
        imagined, cost = self.judge(model, latents, goals, actions)
        ranked = cost.clone()
        ranked[:, 1:2] -= search.reluctance
        rank, top = ranked.topk(self.elites, dim=1, largest=False, sorted=True)
        elites, elite_costs = actions[rows[:, None], top], cost[rows[:, None], top]
        futures = imagined.unflatten(0, (count, samples))[rows, top[:, 0]]
        found = Best(rank[:, 0], elite_costs[:, 0], elites[:, 0], futures)
        search.elites, search.elite_ranks, search.elite_costs = elites, rank, elite_costs
        search.best = found.over(search.best)
        self.improve(search, actions, ranked)
        return cost

    def judge(
        self, model: WorldModel, latents: torch.Tensor, goals: torch.Tensor, actions: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Sequences ``[E,N,H,A]`` to what they lead to, ``[E * N,H,...]``, and costs ``[E,N]``."""
        count, samples = actions.shape[:2]
        moments = _moments(self.horizon, self.moments, actions.device)
        # One row serves all candidates of one situation where the model may broadcast it.
        start = latents if count == 1 else latents.repeat_interleave(samples, dim=0)
        target = goals if count == 1 else goals.repeat_interleave(samples * self.moments, dim=0)
        imagined = model.rollout(start, actions.flatten(0, 1))
        distances = model.distance(imagined.index_select(1, moments).flatten(0, 1), target)
        return imagined, distances.reshape(count, samples, self.moments).mean(dim=2)

    def _time(self, device: torch.device) -> float:
        """Of the clock, with all done that was asked of the device where time is short.

        Without a limit nothing is waited for until the plan is complete, so that a GPU always has
        its next work at hand.
        """
        if device.type == "cuda" and math.isfinite(self.time_limit_s):
            torch.cuda.synchronize(device)
        return time.perf_counter()

    def _plans(self, search: Search, history: Sequence[torch.Tensor], begin: float) -> list[Plan]:
        best = search.best
        assert best is not None
        assert search.elites is not None
        assert search.elite_costs is not None
        widths = [cost.shape[1] for cost in history]
        costs = np.full((len(history), *best.cost.shape, max(widths)), np.nan, np.float32)
        fetched = torch.cat(list(history), dim=1).cpu().numpy()
        for iteration, here in enumerate(np.split(fetched, np.cumsum(widths)[:-1], axis=1)):
            self._require_finite(here, iteration)
            costs[iteration, :, : here.shape[1]] = here
        elites, elite_costs = search.elites.cpu().numpy(), search.elite_costs.cpu().numpy()
        chosen, final = best.actions.cpu().numpy(), best.cost.tolist()
        milliseconds = (time.perf_counter() - begin) * 1e3 / len(chosen)
        return [
            Plan(
                actions=chosen[i],
                latents=best.latents[i],
                cost=final[i],
                stats={
                    "costs": costs[:, i],
                    "elite_actions": elites[i],
                    "elite_costs": elite_costs[i],
                    "milliseconds": milliseconds,
                },
            )
            for i in range(len(chosen))
        ]

    def _first_mean(
        self, warms: np.ndarray | None, count: int, width: int, device: torch.device
    ) -> torch.Tensor:
        shape = (count, self.horizon, width)
        if warms is None:
            return torch.zeros(shape, device=device)
        if np.shape(warms) != shape or not np.isfinite(warms).all():
            raise PlanningError(
                f"the plan to start from must be finite and {shape}, this one has {np.shape(warms)}"
            )
        return torch.as_tensor(warms, dtype=torch.float32, device=device)

    def _require_finite(self, cost: np.ndarray, iteration: int) -> None:
        bad = int((~np.isfinite(cost)).sum())
        if bad:
            raise PlanningError(
                f"the model's distance is not finite for {bad} of {cost.size} candidates in "
                f"iteration {iteration + 1} of {self.iterations}; the checkpoint may be damaged or "
                "the picture unlike any it was trained on"
            )


@lru_cache(maxsize=8)  # it is asked for in every iteration of every plan
def _moments(horizon: int, count: int, device: torch.device) -> torch.Tensor:
    """``int64 [count]``: evenly spaced steps of a future, the last among them."""
    steps = [horizon * (i + 1) // count - 1 for i in range(count)]
    with torch.inference_mode(False):  # gradients pass through what it selects, too
        return torch.tensor(steps, device=device)


def _require_finite_pictures(latents: torch.Tensor, goals: torch.Tensor) -> None:
    if (latents.sum() + goals.sum()).isfinite():  # a GPU is waited for once
        return
    for name, value in (("present", latents), ("goal", goals)):
        if not torch.isfinite(value).all():
            raise PlanningError(f"the model's encoding of the {name} picture is not finite")
