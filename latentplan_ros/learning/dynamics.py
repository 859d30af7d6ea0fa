"""Open-loop dynamics on cached latents, as long as the planner looks, more often where wrong."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from latentplan_ros.data.dataset import Dataset
from latentplan_ros.data.windows import Windows
from latentplan_ros.learning.stage import Batch, Stage
from latentplan_ros.models.latent_world_model import LatentWorldModel
from latentplan_ros.models.networks import imagine

_LEAST_SPREAD = 0.1  # of all numbers' root mean square
_UNUSUAL, _SAMPLES = 3.0, 20_000  # times the median, over that many windows
_RESTING = 4  # one window in so many is also imagined at rest


@dataclass(frozen=True)
class DynamicsRecipe:
    updates: int = 20_000
    batch_size: int = 256
    learning_rate: float = 1e-3
    horizon: int = 13
    # Weight, above others, of a number that has moved further than it mostly does: contact is rare,
    # an arm moves in every step, and a plain mean learns the arm.
    motion_weight: float = 0.0
    # Weight of staying where one is without an action. Random policies never rest, so that nothing
    # in the data says it, and a planner compares every plan with keeping still.
    stillness: float = 0.0
    # Share of each batch that is drawn where the last error was large, the rest evenly. It finds
    # contact early on, and learns a few recordings by heart later.
    favoured: float = 0.5
    dropout: float = 0.0  # of hidden units, against learning by heart


class DynamicsStage(Stage):
    """Mean squared error of imagined latents, each dimension scaled by its spread over the data.

    Members of an ensemble see the same data and differ by what they began with, the first by what
    it has learned with the encoder.
    """

    name = "dynamics"
    recordable = True
    spread: torch.Tensor
    unusual: torch.Tensor

    def __init__(
        self,
        model: LatentWorldModel,
        latents: torch.Tensor,
        dataset: Dataset,
        episodes: np.ndarray,
        recipe: DynamicsRecipe,
    ) -> None:
        super().__init__()
        self.dynamics, self.other_dynamics = model.dynamics, model.other_dynamics
        self.recipe = recipe
        self.updates, self.batch_size = recipe.updates, recipe.batch_size
        self._latents = latents
        self._windows = Windows(dataset, episodes, recipe.horizon, recipe.favoured)
        spread = latents.std(0)
        # What hardly ever changes is not worth being foretold to a share of its change.
        least = _LEAST_SPREAD * spread.square().mean().sqrt()
        self.register_buffer("spread", spread.clamp_min(least.item()), persistent=False)
        if recipe.motion_weight:
            unusual = self._unusual().clamp_min(least.item())
            self.register_buffer("unusual", unusual, persistent=False)

    def _unusual(self) -> torch.Tensor:
        """How far each number must move in 1, 2, ... steps to count as moving, ``[H,D]``."""
        starts = self._windows.starts
        rng = np.random.default_rng(0)
        some = starts[np.sort(rng.permutation(len(starts))[:_SAMPLES])]
        first = self._latents[torch.from_numpy(some)]
        moved = [
            (self._latents[torch.from_numpy(some + step)] - first).abs().median(0).values
            for step in range(1, self.recipe.horizon + 1)
        ]
        return _UNUSUAL * torch.stack(moved)

    def rate(self, progress: float) -> float:
        """Cosine decay: what is left of the error late in training is noise of the updates."""
        return 0.5 * (1.0 + math.cos(math.pi * progress))

    def parameter_groups(self) -> list[dict[str, Any]]:
        trained = [*self.dynamics.parameters(), *self.other_dynamics.parameters()]
        return [{"params": trained, "lr": self.recipe.learning_rate}]

    def sample(self, rng: np.random.Generator, count: int) -> Batch:
        rows = self._windows.draw(rng, count)
        starts = self._windows.starts[rows]
        indices = starts[:, None] + np.arange(self.recipe.horizon + 1)
        return {
            "latents": self._latents[torch.from_numpy(indices)],
            "actions": torch.from_numpy(self._windows.actions(rows)),
            "rows": torch.from_numpy(rows),
        }

    def forward(self, batch: Batch) -> Batch:
        latents, actions = batch["latents"], batch["actions"]
        members = [self.dynamics, *self.other_dynamics]
        futures = imagine(
            members, latents[:, 0], actions[:, 0], actions[:, 1:], self.recipe.dropout
        )
        errors = ((futures - latents[:, 1:]) / self.spread).square()
        if self.recipe.motion_weight:
            moving = (latents[:, 1:] - latents[:, :1]).abs() > self.unusual
            errors = errors * (1.0 + self.recipe.motion_weight * moving)
        by_step = errors.mean((0, -1))
        loss, logged = by_step.mean(), {}
        if self.recipe.stillness:
            drift = self._drift(members, latents[: math.ceil(len(latents) / _RESTING), 0])
            loss = loss + self.recipe.stillness * drift
            logged["drift"] = drift.detach()
        return {
            **logged,
            "loss": loss,
            "first_step": by_step[:, 0].mean().detach(),
            "last_step": by_step[:, -1].mean().detach(),
            "errors": by_step.mean(1).detach(),
        }

    def _drift(self, members: Sequence[nn.Module], latents: torch.Tensor) -> torch.Tensor:
        """Squared error of staying at rest for the whole horizon, the last action being zero."""
        nothing = latents.new_zeros(len(latents), self.recipe.horizon, 4)
        futures = imagine(members, latents, nothing[:, 0], nothing, self.recipe.dropout)
        return ((futures - latents[:, None]) / self.spread).square().mean()

    def after_update(self, batch: Batch, losses: Batch) -> None:
        self._windows.report(batch["rows"].cpu().numpy(), losses["errors"].cpu().numpy())

    def extra_state(self) -> dict[str, torch.Tensor]:
        return {"priority": torch.from_numpy(self._windows.priority)}

    def load_extra_state(self, state: dict[str, torch.Tensor]) -> None:
        self._windows.priority = state["priority"].cpu().numpy()


@dataclass(frozen=True)
class CalibrationRecipe(DynamicsRecipe):
    """More updates of dynamics that have learned; none unless a recipe asks for them.

    Weight on motion teaches contact from few examples, and promises more of it than comes; updates
    without that weight take it back, so that a planner no longer trusts pushes that miss.
    """

    updates: int = 0
    learning_rate: float = 3e-4


class CalibrationStage(DynamicsStage):
    """The same, beside the state of what was learned before."""

    name = "calibration"
