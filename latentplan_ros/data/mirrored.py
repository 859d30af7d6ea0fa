"""A dataset and what it would be in a mirror: twice as many episodes from as many recordings."""

from collections.abc import Sequence

import numpy as np

from latentplan_ros.data.dataset import Dataset, DatasetError


class MirroredDataset(Dataset):
    """The dataset's N episodes, then the same ones seen in a mirror that swaps left and right.

    Pushing knows no left or right. It holds where the camera looks along the plane in which arm and
    table are alike on both sides; that the arm's own links are not does no harm as long as
    the hand is. There is no ``truth``, and ``state`` is NaN in the mirror: only what learns
    from pictures and actions can use it.

    signs: of an action's four numbers in the mirror, 1 or -1: ``(-1, 1, 1, 1)`` for a camera
    that looks along the base frame's y axis, ``(1, -1, 1, 1)`` along its x axis. Raises
    DatasetError for others.
    """

    def __init__(self, dataset: Dataset, signs: Sequence[float]) -> None:
        if len(signs) != 4 or not all(sign in (-1, 1) for sign in signs):
            raise DatasetError(f"mirror: four signs, 1 or -1 each, and not {list(signs)}")
        self._seen = dataset
        self.path, self.info, self.zarr_format = dataset.path, dataset.info, dataset.zarr_format
        self.num_frames, self.num_episodes = 2 * dataset.num_frames, 2 * dataset.num_episodes
        ends = dataset.episode_ends
        self.episode_ends = np.concatenate([ends, ends + dataset.num_frames])
        self.action = np.concatenate(
            [dataset.action, dataset.action * np.asarray(signs, np.float32)]
        )
        self.state = np.concatenate([dataset.state, np.full_like(dataset.state, np.nan)])
        self.truth = None

    def images(self, indices: np.ndarray | Sequence[int]) -> np.ndarray:
        """As of any dataset."""
        turned, frames = np.divmod(np.asarray(indices), self._seen.num_frames)
        pictures = self._seen.images(frames)
        mirrored = turned == 1
        pictures[mirrored] = pictures[mirrored][..., ::-1, :]
        return pictures

    def with_mirrored(self, episodes: np.ndarray) -> np.ndarray:
        """These episodes of the dataset, and their mirror images."""
        return np.concatenate([episodes, episodes + self._seen.num_episodes])
