"""Deep Q-learning towards goal pictures on recorded steps alone: Plan2vec's rival (Figure 6)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from latentplan_ros.data.sequences import Sequences
from latentplan_ros.learning.stage import Batch, Stage
from latentplan_ros.learning.target_network import TargetNetwork
from latentplan_ros.models.networks import mlp
from latentplan_ros.models.picture_encoder import PictureEncoder


@dataclass(frozen=True)
class FittedQRecipe:
    updates: int = 6000
    batch_size: int = 128
    learning_rate: float = 5e-4
    discount: float = 0.97
    future: float = 0.5  # share of goals from later in the same sequence; the rest are any picture
    polyak: float = 0.99


class PictureQ(nn.Module):
    """Q(s, g) of each of a few moves, ``uint8 [B,64,64]`` twice to ``[B,moves]``."""

    def __init__(self, moves: int) -> None:
        super().__init__()
        self.encoder = PictureEncoder(64)
        self.value = mlp(128, 256, 2, moves)

    def forward(self, state: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        return self.of(self.encoder(state), self.encoder(goal))

    def of(self, state: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        """The same from what the encoder made of both, ``[B,64]``."""
        return self.value(torch.cat([state, goal], dim=-1))


class FittedQStage(Stage):
    """-1 a step until the goal; double Q-learning with a slow target (fitted Q-iteration).

    moves: which move each recorded step was, ``int64 [E]``. Sequences must be in a row.
    """

    name = "fitted_q"

    def __init__(
        self, q: PictureQ, sequences: Sequences, moves: np.ndarray, recipe: FittedQRecipe
    ) -> None:
        super().__init__()
        self.q, self.recipe = q, recipe
        self.target = TargetNetwork(q)
        self.updates, self.batch_size = recipe.updates, recipe.batch_size
        self._pictures = torch.from_numpy(sequences.pictures)
        self._steps, self._moves = sequences.steps, torch.from_numpy(moves)
        # The last picture of each step's sequence.
        last = np.searchsorted(sequences.sequence, sequences.sequence, side="right") - 1
        self._last = last[sequences.steps[:, 0]]

    def parameter_groups(self) -> list[dict[str, Any]]:
        return [{"params": list(self.q.parameters()), "lr": self.recipe.learning_rate}]

    def sample(self, rng: np.random.Generator, count: int) -> Batch:
        rows = rng.integers(len(self._steps), size=count)
        state, following = self._steps[rows].T
        future = rng.integers(following, self._last[rows], endpoint=True)
        other = rng.integers(len(self._pictures), size=count)
        goal = np.where(rng.random(count) < self.recipe.future, future, other)
        frames = torch.from_numpy
        return {
            "state": self._pictures[frames(state)],
            "following": self._pictures[frames(following)],
            "goal": self._pictures[frames(goal)],
            "move": self._moves[frames(rows)],
            "done": frames(following == goal),
        }

    def forward(self, batch: Batch) -> Batch:
        goal, following = batch["goal"], batch["following"]
        now = self.q(batch["state"], goal)
        with torch.no_grad():
            best = self.q(following, goal).argmax(1, keepdim=True)
            future = self.target(following, goal).gather(1, best).squeeze(1)
            # No way is longer than for ever.
            future = future.clamp(-1.0 / (1.0 - self.recipe.discount), 0.0)
            wanted = torch.where(batch["done"], -1.0, -1.0 + self.recipe.discount * future)
        chosen = now.gather(1, batch["move"][:, None]).squeeze(1)
        loss = nn.functional.smooth_l1_loss(chosen, wanted)
        return {"loss": loss, "value": now.amax(1).mean().detach()}

    def after_update(self, batch: Batch, losses: Batch) -> None:
        self.target.follow(self.q, 1.0 - self.recipe.polyak)
