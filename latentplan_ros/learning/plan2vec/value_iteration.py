"""Plan2vec by value iteration: short greedy plans and a bootstrapped rest (Algorithm 2)."""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from latentplan_ros.graph.frame_graph import FrameGraph
from latentplan_ros.graph.neighbourhood import neighbourhood
from latentplan_ros.learning.stage import Batch, Stage
from latentplan_ros.models.global_metric import GlobalMetric, lp_distance
from latentplan_ros.models.picture_map import encoded


@dataclass(frozen=True)
class ValueIterationRecipe:
    updates: int = 600
    batch_size: int = 64  # starts, each with a goal
    learning_rate: float = 1e-3
    lookahead: int = 2  # k: hops that each choice looks ahead
    step_limit: int = 20  # h: hops of a plan (B.1)
    renewed_every: int = 50  # updates that a target network stays


class ValueIterationStage(Stage):
    """D(x_s, x_g) regressed onto l + D'(x_v, x_g), where v is where greedy hops of length l lead.

    The target network D' chooses the hops too: its points of all frames are known, those of the
    network that learns change with every update.
    """

    name = "plan2vec_value_iteration"

    def __init__(
        self,
        metric: GlobalMetric,
        pictures: np.ndarray,
        graph: FrameGraph,
        recipe: ValueIterationRecipe,
    ) -> None:
        super().__init__()
        self.metric, self.recipe = metric, recipe
        self.target = copy.deepcopy(metric).requires_grad_(False)
        self.updates, self.batch_size = recipe.updates, recipe.batch_size
        self._pictures, self._edges = pictures, graph.edges
        self._points = encoded(self.target.encoder, pictures)
        self._age = 0

    def parameter_groups(self) -> list[dict[str, Any]]:
        return [{"params": list(self.metric.parameters()), "lr": self.recipe.learning_rate}]

    def rate(self, progress: float) -> float:
        return 1.0 - progress

    def sample(self, rng: np.random.Generator, count: int) -> Batch:
        starts, goals = rng.integers(len(self._pictures), size=(2, count))
        wanted = [self._target(*pair) for pair in zip(starts.tolist(), goals.tolist(), strict=True)]
        return {
            "pictures": torch.from_numpy(self._pictures[np.concatenate([starts, goals])]),
            "wanted": torch.tensor(wanted, dtype=torch.float32),
        }

    def forward(self, batch: Batch) -> Batch:
        starts, goals = self.metric.encoder(batch["pictures"]).chunk(2)
        apart = lp_distance(starts, goals, self.metric.p)
        return {
            "loss": F.smooth_l1_loss(apart, batch["wanted"]),
            "wanted": batch["wanted"].mean(),
        }

    def after_update(self, batch: Batch, losses: Batch) -> None:
        self._age += 1
        if self._age == self.recipe.renewed_every:
            self.target.load_state_dict(self.metric.state_dict())
            self._points, self._age = encoded(self.target.encoder, self._pictures), 0

    def extra_state(self) -> dict[str, torch.Tensor]:
        return {"age": torch.tensor(self._age)}

    def load_extra_state(self, state: dict[str, torch.Tensor]) -> None:
        self._age = int(state["age"])
        self._points = encoded(self.target.encoder, self._pictures)

    def _target(self, frame: int, goal: int) -> float:
        """Length of a greedy plan, and how far the target network says is left from its end."""
        length, hops = 0.0, 0
        while frame != goal and hops < self.recipe.step_limit:
            frames, lengths, depths = neighbourhood(self._edges, frame, self.recipe.lookahead)
            if not len(frames):
                break
            best = int(self._left(frames, goal).argmin())
            frame, length = int(frames[best]), length + float(lengths[best])
            hops += int(depths[best])
        return length + float(self._left(np.array([frame]), goal)[0]) * (frame != goal)

    def _left(self, frames: np.ndarray, goal: int) -> np.ndarray:
        apart = np.abs(self._points[frames] - self._points[goal]) ** self.metric.p
        return np.asarray(apart.sum(1) ** (1.0 / self.metric.p))
