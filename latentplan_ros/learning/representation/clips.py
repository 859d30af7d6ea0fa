"""Windows of consecutive pictures, as an objective needs them."""

from collections.abc import Sequence

import numpy as np
import torch

from latentplan_ros.data.dataset import Dataset, DatasetError
from latentplan_ros.learning.representation.objective import Needs
from latentplan_ros.learning.stage import Batch

_CANDIDATES = 3  # windows looked at for each that is kept, where motion counts


class Clips:
    """Draws batches (objective.py says what is in them) from datasets, one a camera.

    Raises DatasetError where these cannot give what is needed: too short, from another task, one
    camera where two are needed, or two that did not record the same.
    """

    def __init__(self, views: Sequence[Dataset], episodes: np.ndarray, needs: Needs) -> None:
        first = views[0]
        if needs.source and first.info.task != needs.source:
            raise DatasetError(
                f"{first.path} is of task {first.info.task or 'none'}; this objective learns from "
                f"recordings of {needs.source}: latentplan collect --task {needs.source}"
            )
        if len(views) < needs.views:
            raise DatasetError(
                f"{first.path}: this objective needs what a second camera saw meanwhile, as another"
                " dataset: --second-view"
            )
        for other in views[1:]:
            _require_same_moments(first, other)
        self._views, self._needs = views[: needs.views], needs
        self._starts = first.frames(episodes, before_end=needs.frames - 1)
        if not len(self._starts):
            raise DatasetError(
                f"{first.path}: no episode has the {needs.frames} pictures in a row that this "
                "objective needs"
            )

    def draw(self, rng: np.random.Generator, count: int) -> Batch:
        """A batch of ``count`` windows, with replacement."""
        starts = self._moving(rng, count) if self._needs.moving else rng.choice(self._starts, count)
        frames = starts[:, None] + np.arange(self._needs.frames)
        first = self._views[0]
        batch = {
            "images": _tensor(first.images(frames)),
            "actions": torch.from_numpy(first.action[frames[:, :-1]]),
            "episode": torch.from_numpy(np.searchsorted(first.episode_ends, starts, side="right")),
        }
        if self._needs.views > 1:
            batch["second"] = _tensor(self._views[1].images(frames))
        return batch

    def _moving(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Of several candidates those in which the pictures change most."""
        starts = rng.choice(self._starts, _CANDIDATES * count)
        ends = starts + self._needs.frames - 1
        pair = self._views[0].images(np.stack([starts, ends], axis=1)).astype(np.float32)
        changed = np.abs(pair[:, 1] - pair[:, 0]).mean(axis=(1, 2, 3))
        kept: np.ndarray = starts[np.argsort(-changed, kind="stable")[:count]]
        return kept


def _tensor(images: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 1, 4, 2, 3)))


def _require_same_moments(first: Dataset, other: Dataset) -> None:
    same = np.array_equal(first.episode_ends, other.episode_ends)
    if not same or not np.array_equal(first.action, other.action):
        raise DatasetError(
            f"{other.path} is not of the same moments as {first.path}: episodes or actions differ. "
            "Record both cameras together; in simulation, collect with the same task, seed and "
            "episodes and another --camera"
        )
