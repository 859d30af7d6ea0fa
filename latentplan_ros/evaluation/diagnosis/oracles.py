"""Planning with the truth in place of a learned part; for diagnosis alone."""

from collections.abc import Sequence

import numpy as np
import torch

from latentplan_ros.data.preprocess import Preprocess
from latentplan_ros.evaluation.diagnosis.probe import Probe
from latentplan_ros.models.world_model import WorldModel, nowhere
from latentplan_ros.planning import CEM
from latentplan_ros.sim.collect import observe
from latentplan_ros.sim.environment import Environment
from latentplan_ros.sim.goals import Goal


class OracleDistance:
    """A model's dynamics with the objects' distance to the goal, read from its latents."""

    def __init__(self, model: WorldModel, probe: Probe, env: Environment) -> None:
        self._model, self._probe, self._env = model, probe, env
        self.encode, self.rollout, self.decode = model.encode, model.rollout, model.decode

    def arrived(self, latent: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        return nowhere(latent)

    def distance(self, latent: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        goals = self._probe(goal).expand(len(latent), -1).double().numpy()
        return in_steps(self._env, self._probe(latent).double().numpy(), goals)


class OracleDynamics:
    """The simulator as the model: it starts from ``start`` and sees what would really follow.

    model: whose distance is used; None: the true one, in time steps of full actions.
    """

    def __init__(self, env: Environment, model: WorldModel | None) -> None:
        self._env, self._model, self._preprocess = env, model, Preprocess()
        self.start = env.save()

    def encode(self, images: torch.Tensor, last: torch.Tensor | None = None) -> torch.Tensor:
        """The model's latents; without one, the truth of ``start``."""
        if self._model is not None:
            return self._model.encode(images, last)
        self._env.restore(self.start)
        return torch.from_numpy(self._env.truth())[None].float()

    def rollout(self, latent: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        futures = [self._follow(sequence) for sequence in actions.double().numpy()]
        self._env.restore(self.start)
        return torch.stack(futures)

    def _follow(self, actions: np.ndarray) -> torch.Tensor:
        env, seen = self._env, []
        env.restore(self.start)
        for action in actions:
            env.step(np.clip(action, -1.0, 1.0))
            seen.append(env.truth() if self._model is None else observe(env, self._preprocess))
        if self._model is None:
            return torch.from_numpy(np.stack(seen)).float()
        pictures = torch.from_numpy(np.stack(seen).transpose(0, 3, 1, 2).copy())
        return self._model.encode(pictures, torch.from_numpy(actions).float())

    def distance(self, latent: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        if self._model is not None:
            return self._model.distance(latent, goal)
        goals = goal.expand(len(latent), -1).double().numpy()
        return in_steps(self._env, latent.double().numpy(), goals)

    def arrived(self, latent: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        return nowhere(latent) if self._model is None else self._model.arrived(latent, goal)

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        assert self._model is not None
        return self._model.decode(latents)


def in_steps(env: Environment, truths: np.ndarray, goals: np.ndarray) -> torch.Tensor:
    """The task's error in units of the longest step that one action makes, ``[N]``."""
    errors = [env.task.error_m(truth, goal) for truth, goal in zip(truths, goals, strict=True)]
    return torch.tensor(errors, dtype=torch.float32) / env.profile.action.translation_m


def success_with_oracle_dynamics(
    env: Environment,
    model: WorldModel | None,
    planner: CEM,
    goals: Sequence[Goal],
    steps: int,
    replan_every: int = 6,
) -> list[bool]:
    """Tries each goal once, planning in the simulator itself."""
    world, results = OracleDynamics(env, model), []
    preprocess = Preprocess()
    for goal in goals:
        env.restore(goal.start)
        world.start = goal.start
        picture = torch.from_numpy(preprocess.apply(goal.image).transpose(2, 0, 1).copy())[None]
        aim = (
            torch.from_numpy(goal.truth)[None].float()
            if model is None
            else model.encode(picture).clone()
        )
        generator, warm = torch.Generator().manual_seed(goal.index), None
        for _ in range(0, steps, replan_every):
            world.start = env.save()
            now = torch.from_numpy(observe(env, preprocess).transpose(2, 0, 1).copy())[None]
            plan = planner.plan(world, world.encode(now), aim, warm, generator)
            env.restore(world.start)
            for action in plan.actions[:replan_every]:
                env.step(action)
            warm = np.zeros_like(plan.actions)
            warm[:-replan_every] = plan.actions[replan_every:]
        results.append(bool(env.task.error_m(env.truth(), goal.truth) < env.task.threshold_m))
    return results
