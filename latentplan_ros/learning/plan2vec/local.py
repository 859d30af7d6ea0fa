"""The local metric: which pictures are a step apart, learned from recorded steps (eq. 4 and 5)."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from scipy.sparse import coo_matrix
from torch.nn import functional as F

from latentplan_ros.data.sequences import Sequences
from latentplan_ros.learning.stage import Batch, Stage
from latentplan_ros.models.local_metric import SiameseMetric, StackedMetric, euclidean

FAR = 2.0  # nominal distance of two pictures that are no step apart


@dataclass(frozen=True)
class LocalRecipe:
    # regression: eq. 5; hinge: the same, but what is further than FAR may be (B.1); nce: eq. 4.
    objective: Literal["regression", "hinge", "nce"] = "regression"
    updates: int = 400
    batch_size: int = 128  # recorded steps; as many identical pairs and twice as many far ones
    learning_rate: float = 1e-3
    span: int = 1  # up to how many steps apart pictures are neighbours (2 for rope, B.2)


class LocalMetricStage(Stage):
    """identical : neighbour : far as 1 : 1 : 2, far ones drawn from all pictures at random (B.1).

    A Siamese metric has no identical pairs, which are 0 apart by construction, and judges every
    picture of a batch against every other one, weighted so that the ratio stays.
    """

    name = "local_metric"

    def __init__(
        self, metric: StackedMetric | SiameseMetric, sequences: Sequences, recipe: LocalRecipe
    ) -> None:
        super().__init__()
        self.metric, self.recipe = metric, recipe
        self.updates, self.batch_size = recipe.updates, recipe.batch_size
        self._pictures = torch.from_numpy(sequences.pictures)
        self._neighbours = neighbours(sequences, recipe.span)

    def parameter_groups(self) -> list[dict[str, Any]]:
        return [{"params": list(self.metric.parameters()), "lr": self.recipe.learning_rate}]

    def rate(self, progress: float) -> float:
        """Down to nothing in a straight line: a threshold wants distances without noise."""
        return 1.0 - progress

    def sample(self, rng: np.random.Generator, count: int) -> Batch:
        rows = self._neighbours[rng.integers(len(self._neighbours), size=count)]
        others = rng.integers(len(self._pictures), size=(2, count))
        frames = torch.from_numpy(np.concatenate([rows.T, others]))
        start, near, *far = self._pictures[frames]
        return {"start": start, "near": near, "far": torch.stack(far)}

    def forward(self, batch: Batch) -> Batch:
        if isinstance(self.metric, SiameseMetric):
            near, far = _siamese(self.metric, batch)
            same = near.new_zeros(())
        else:
            # One call, so that batch norm sees the mixture that it is used on.
            start, count = batch["start"], len(batch["start"])
            ends = torch.cat([start, batch["near"], *batch["far"]])
            same, near, *others = self.metric(start.repeat(4, 1, 1), ends).split(count)
            far = torch.stack(others, dim=1)
        if self.recipe.objective == "nce":
            logits = -torch.cat([near[:, None], far], dim=1)
            loss = F.cross_entropy(logits, torch.zeros(len(near), dtype=torch.long).to(near.device))
        else:
            beyond = far if self.recipe.objective == "regression" else far.clamp(max=FAR)
            loss = _smooth(same, 0.0) + told_apart(near, beyond)
        return {"loss": loss, "near": near.mean().detach(), "far": far.mean().detach()}


def _siamese(metric: SiameseMetric, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Distances of neighbours ``[B]``, and of each start to far pictures ``[B,2B]``."""
    pictures = torch.cat([batch["start"], batch["near"], *batch["far"]])
    start, near, one, other = metric.encoder(pictures).chunk(4)
    return euclidean(start, near), euclidean(start[:, None], torch.cat([one, other])[None])


def neighbours(sequences: Sequences, span: int) -> np.ndarray:
    """Pairs of pictures that 1 to ``span`` recorded steps join, ``int64 [P,2]``, each once."""
    count = len(sequences.pictures)
    steps = coo_matrix(
        (np.ones(len(sequences.steps), int), tuple(sequences.steps.T)), (count, count)
    ).tocsr()
    reached = further = steps
    for _ in range(span - 1):
        further = further @ steps
        reached = reached + further
    start, end = reached.nonzero()
    return np.stack([start, end], axis=1)[start != end].astype(np.int64)


def told_apart(near: torch.Tensor, far: torch.Tensor) -> torch.Tensor:
    """Eq. 5 for pairs of two different frames, of any shapes, neighbours and far ones as 1 : 2."""
    return _smooth(near, 1.0) + 2.0 * _smooth(far, FAR)


def _smooth(distance: torch.Tensor, wanted: float) -> torch.Tensor:
    return F.smooth_l1_loss(distance, torch.full_like(distance, wanted))
