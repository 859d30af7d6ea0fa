"""Cross-entropy method over action sequences (MBOLD section 4.3, A.2, Table 3)."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from latentplan_ros.models.world_model import WorldModel
from latentplan_ros.planning.errors import PlanningError
from latentplan_ros.planning.noise import filter_matrix, smoothed_noise
from latentplan_ros.planning.plan import Plan


@dataclass(frozen=True)
class CEM:
    """Sample, imagine, keep the elites, shift the mean to them, again; return the best ever seen.

    std: of the noise before smoothing, per action dimension: that of the policy which collected the
    data (checkpoint header), so that the search stays where the model has been trained.
    temperature: time steps; elites are averaged with weights softmax(-cost / temperature). The
    spread stays that of the data from one iteration to the next, as in MBOLD's released code.
    Candidate 0 of every iteration is the mean itself and candidate 1 keeps still.
    moments: at how many evenly spaced moments of an imagined future, the last among them, the
    distance to the goal is taken; their mean is the cost. 1 is MBOLD's. More make the arm go there
    soon and stay there, instead of being there when the horizon ends.
    reluctance: time steps that a plan must save, by that mean, to be preferred to keeping still.
    The best of many imagined futures looks better than it is; without this the arm leaves a goal
    that it has reached.
    time_limit_s: of one call. Once another iteration would not end in time, judged by the slowest
    so far, the best sequence yet is the plan; the first iteration is always made.
    """

    std: Sequence[float]
    samples: int = 200
    iterations: int = 3
    elites: int = 10
    horizon: int = 13
    beta: float = 0.5
    temperature: float = 1.0
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
        if not self.temperature > 0 or not 0 < self.beta <= 1:
            raise PlanningError(
                f"temperature must exceed 0 and beta lie in (0, 1], not "
                f"{self.temperature} and {self.beta}"
            )

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
        for name, value in (("present", latents), ("goal", goals)):
            if not torch.isfinite(value).all():
                raise PlanningError(f"the model's encoding of the {name} picture is not finite")
        std = torch.as_tensor(self.std, dtype=torch.float32, device=device)
        mean = self._first_mean(warms, count, len(std), device)
        matrix = filter_matrix(self.horizon, self.beta).to(device)
        # One latent row serves all candidates of one situation where the model may broadcast it.
        start = latents if count == 1 else latents.repeat_interleave(self.samples, dim=0)
        judged = self.samples * self.moments
        target = goals if count == 1 else goals.repeat_interleave(judged, dim=0)
        rows = torch.arange(count, device=device)
        moments = [self.horizon * (i + 1) // self.moments - 1 for i in range(self.moments)]

        best = best_cost = torch.full((count,), torch.inf, device=device)
        best_actions = mean
        best_latents: torch.Tensor | None = None
        history: list[torch.Tensor] = []
        slowest, ended = 0.0, begin
        for iteration in range(self.iterations):
            if ended + slowest > begin + self.time_limit_s and history:
                break
            noise = torch.stack([smoothed_noise(self.samples, matrix, std, g) for g in generators])
            noise[:, 0] = 0.0
            actions = (mean[:, None] + noise).clamp_(-1.0, 1.0)
            actions[:, 1:2] = 0.0
            imagined = model.rollout(start, actions.flatten(0, 1))
            distances = model.distance(imagined[:, moments].flatten(0, 1), target)
            cost = distances.reshape(count, self.samples, self.moments).mean(dim=2)
            self._require_finite(cost, iteration)
            ranked = cost.clone()
            ranked[:, 1:2] -= self.reluctance
            top_cost, top = ranked.topk(self.elites, dim=1, largest=False, sorted=True)
            elites = actions[rows[:, None], top]
            weights = torch.softmax(-top_cost / self.temperature, dim=1)
            mean = (weights[:, :, None, None] * elites).sum(dim=1)

            futures = imagined.unflatten(0, (count, self.samples))[rows, top[:, 0]]
            better = top_cost[:, 0] < best
            best = torch.where(better, top_cost[:, 0], best)
            best_cost = torch.where(better, cost[rows, top[:, 0]], best_cost)
            best_actions = torch.where(better[:, None, None], elites[:, 0], best_actions)
            if best_latents is None:
                best_latents = futures
            else:
                wide = better.reshape(-1, *[1] * (futures.ndim - 1))
                best_latents = torch.where(wide, futures, best_latents)
            history.append(cost)
            slowest, ended = max(slowest, time.perf_counter() - ended), time.perf_counter()

        assert best_latents is not None
        costs, elite_actions = torch.stack(history, dim=1).cpu().numpy(), elites.cpu().numpy()
        elite_costs = cost[rows[:, None], top].cpu().numpy()
        chosen, final = best_actions.cpu().numpy(), best_cost.tolist()
        milliseconds = (time.perf_counter() - begin) * 1e3 / count
        return [
            Plan(
                actions=chosen[i],
                latents=best_latents[i],
                cost=final[i],
                stats={
                    "costs": costs[i],
                    "elite_actions": elite_actions[i],
                    "elite_costs": elite_costs[i],
                    "milliseconds": milliseconds,
                },
            )
            for i in range(count)
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

    def _require_finite(self, cost: torch.Tensor, iteration: int) -> None:
        bad = int((~torch.isfinite(cost)).sum())
        if bad:
            raise PlanningError(
                f"the model's distance is not finite for {bad} of {cost.numel()} candidates in "
                f"iteration {iteration + 1} of {self.iterations}; the checkpoint may be damaged or "
                "the picture unlike any it was trained on"
            )
