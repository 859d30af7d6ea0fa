"""One method on one task with one seed; a stopped training continues where it last saved."""

import json
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.dmc.environment import Environment
from benchmarks.dmc.evaluation import evaluate
from benchmarks.dmc.methods import METHODS
from benchmarks.dmc.plan import DmcError, Plan
from benchmarks.dmc.replay import Replay
from benchmarks.dmc.tasks import EPISODE, Task


class Training:
    """``run`` returns the learning curve. On a CPU a resumed run ends bit for bit as an
    uninterrupted one."""

    def __init__(
        self, task: Task, method: str, seed: int, plan: Plan, file: Path, device: torch.device
    ) -> None:
        """file: where the state is saved, and continued from if it exists."""
        self._plan, self._seed, self._file, self._device = plan, seed, file, device
        self._name = f"{task.title} {method} seed {seed}"
        torch.manual_seed(seed)
        self._rng = np.random.default_rng(seed)
        self._environment, self._method = Environment(task), METHODS[method]
        actions = self._environment.actions
        self.sac = self._method.agent(actions, plan.settings).to(device)
        self._optimizers = self.sac.optimizers()
        self._replay = Replay(plan.settings.replay, actions)
        self.done: dict[str, Any] = {"episodes": 0, "updates": 0, "seconds": 0.0, "curve": []}
        if file.exists():
            self._restore()

    def run(self) -> dict[str, Any]:
        """``{"curve": [{"step", "returns"}], "episodes", "updates", "seconds"}``."""
        done, first = self.done, self.done["episodes"]
        before, begun = done["seconds"], time.monotonic()
        saved = begun
        for episode in range(first, self._plan.steps // EPISODE):
            learned = self._episode(episode)
            done["episodes"] = episode + 1
            done["updates"] += learned
            step = done["episodes"] * EPISODE
            if step % self._plan.evaluate_every == 0 or step == self._plan.steps:
                returns = evaluate(self.sac, self._environment, self._seed, self._plan.episodes)
                done["curve"].append({"step": step, "returns": returns})
            done["seconds"] = before + time.monotonic() - begun
            self._report(step, done["seconds"])
            if time.monotonic() - saved > self._plan.save_every_s:
                self.save()
                saved = time.monotonic()
        return done

    def _episode(self, number: int) -> int:
        """Acts and learns for one episode; returns the number of updates."""
        environment, settings = self._environment, self._plan.settings
        acted = number * (EPISODE // environment.task.repeat)
        observation, over, learned = environment.reset([self._seed, 0, number]), False, 0
        self._replay.begin(observation[-1])
        while not over:
            learning = acted >= settings.initial_steps
            if learning:
                action = self.sac.act(observation, explore=True)
            else:
                action = self._rng.uniform(-1, 1, environment.actions).astype(np.float32)
            observation, reward, over = environment.step(action)
            self._replay.add(action, reward, observation[-1])
            acted += 1
            if learning:
                batch = self._method.batch(
                    self._replay, self._rng, settings.batch_size, self._device
                )
                losses = self.sac.update(batch, self._optimizers, self.done["updates"] + learned)
                learned += 1
        if learned:
            self._require_finite(losses)
        return learned

    def _report(self, step: int, seconds: float) -> None:
        if self.done["curve"] and self.done["curve"][-1]["step"] == step:
            value = float(np.mean(self.done["curve"][-1]["returns"]))
            hours = seconds / step * (self._plan.steps - step) / 3600.0
            print(
                f"{self._name}: step {step} of {self._plan.steps}, return {value:.0f}, about "
                f"{hours:.1f} h to go",
                flush=True,
            )

    def _require_finite(self, losses: dict[str, torch.Tensor]) -> None:
        wrong = ", ".join(name for name, value in losses.items() if not torch.isfinite(value))
        if wrong:
            raise DmcError(
                f"{self._name}: after {self.done['updates']} updates not finite: {wrong}. "
                f"The same command goes on from the last saved state, {self._file}, if there is one"
            )

    def save(self) -> None:
        """Everything, whole or not at all."""
        count, arrays = self._replay.state()
        state = {
            "settings": asdict(self._plan.settings),
            "done": self.done,
            "sac": self.sac.state_dict(),
            "optimizers": {name: o.state_dict() for name, o in self._optimizers.items()},
            "replay": {name: torch.from_numpy(array) for name, array in arrays.items()},
            "pictures_seen": count,
            "numpy": json.dumps(self._rng.bit_generator.state),
            "torch": torch.get_rng_state(),
        }
        self._file.parent.mkdir(parents=True, exist_ok=True)
        partial = self._file.with_suffix(".partial")
        torch.save(state, partial)
        os.replace(partial, self._file)

    def _restore(self) -> None:
        state = torch.load(self._file, map_location="cpu", weights_only=True)
        if state["settings"] != asdict(self._plan.settings):
            raise DmcError(
                f"{self._file} was trained with other settings: {state['settings']}; remove it, or "
                "put them back"
            )
        self.done = state["done"]
        self.sac.load_state_dict(state["sac"])
        for name, optimizer in self._optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        arrays = {name: array.numpy() for name, array in state["replay"].items()}
        self._replay.restore(state["pictures_seen"], arrays)
        self._rng.bit_generator.state = json.loads(state["numpy"])
        torch.set_rng_state(state["torch"])
