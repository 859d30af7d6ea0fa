"""Plan2vec by amortized search: shortest paths distilled into a metric (Algorithm 1)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from latentplan_ros.graph.frame_graph import FrameGraph
from latentplan_ros.learning.stage import Batch, Stage
from latentplan_ros.models.global_metric import GlobalMetric, lp_distance


@dataclass(frozen=True)
class AmortizedRecipe:
    updates: int = 500
    batch_size: int = 512  # frames: starts, at most half of them, and goals
    learning_rate: float = 1e-3
    starts: int = 64
    searches: int = 512  # starts that are searched from; more than there are frames: all of them


class SearchStage(Stage):
    """D regressed onto the lengths of planned paths, without bootstrapping (eq. 6).

    One search from a start finds the shortest path to every goal, and every frame on the way to a
    goal is a goal itself: all pairs along the plan that begin at the start are targets. A batch is
    some starts against many goals, so that a frame that is encoded once serves many pairs.

    encoder: of ``inputs [N,...]``, the graph's frames, to points ``[N,D]`` that are l^p apart.
    """

    name = "plan2vec"

    def __init__(
        self,
        encoder: nn.Module,
        p: float,
        inputs: torch.Tensor,
        graph: FrameGraph,
        recipe: AmortizedRecipe,
        seed: int,
    ) -> None:
        super().__init__()
        self.encoder, self.recipe = encoder, recipe
        self.updates, self.batch_size = recipe.updates, recipe.batch_size
        self._inputs, self._p = inputs, p
        order = np.random.default_rng(seed).permutation(graph.num_frames)
        self._starts = order[: recipe.searches]
        self._lengths = graph.distances(self._starts).astype(np.float32)

    def parameter_groups(self) -> list[dict[str, Any]]:
        return [{"params": list(self.encoder.parameters()), "lr": self.recipe.learning_rate}]

    def rate(self, progress: float) -> float:
        return 1.0 - progress

    def sample(self, rng: np.random.Generator, count: int) -> Batch:
        # None twice: a small graph is encoded whole, and not over and over.
        starts, frames = len(self._starts), len(self._inputs)
        rows = rng.choice(starts, min(self.recipe.starts, count // 2, starts), replace=False)
        goals = rng.choice(frames, min(count - len(rows), frames), replace=False)
        chosen = np.concatenate([self._starts[rows], goals])
        return {
            "frames": self._inputs[torch.from_numpy(chosen)],
            "lengths": torch.from_numpy(self._lengths[np.ix_(rows, goals)]),
        }

    def forward(self, batch: Batch) -> Batch:
        points, lengths = self.encoder(batch["frames"]), batch["lengths"]
        starts, goals = points[: len(lengths)], points[len(lengths) :]
        apart = lp_distance(starts[:, None], goals[None], self._p)
        known = torch.isfinite(lengths)  # parts of a graph that nothing joins say nothing
        error = F.smooth_l1_loss(apart[known], lengths[known], reduction="sum")
        count = known.sum().clamp_min(1)
        return {"loss": error / count, "length": lengths[known].sum() / count}


class AmortizedSearchStage(SearchStage):
    """Of pictures, ``uint8 [N,64,64]``."""

    def __init__(
        self,
        metric: GlobalMetric,
        pictures: np.ndarray,
        graph: FrameGraph,
        recipe: AmortizedRecipe,
        seed: int,
    ) -> None:
        inputs = torch.from_numpy(pictures)
        super().__init__(metric.encoder, metric.p, inputs, graph, recipe, seed)
