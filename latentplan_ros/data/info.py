"""What a dataset holds, in numbers: ``latentplan dataset info D.zarr``."""

from typing import Any

import numpy as np

from latentplan_ros.data.dataset import Dataset

MOVED_M = 0.05


def describe(dataset: Dataset) -> dict[str, Any]:
    """Size, source and content, ready to print or to write as JSON.

    ``moved``: for each truth object the share of episodes in which it got further than 5 cm from
    where it began; names that end in _x, _y, _z belong to one object.
    """
    info = dataset.info
    lengths = dataset.episode_ends - dataset.episode_starts
    acted = np.ones(dataset.num_frames, bool)
    acted[dataset.episode_ends - 1] = False  # the last row of an episode is no action
    actions = dataset.action[acted].astype(np.float64)
    return {
        "path": str(dataset.path),
        "task": info.task,
        "robot": info.action_space.robot,
        "source": info.source,
        "camera": info.camera,
        "image_size": info.image_size,
        "rate_hz": info.action_space.rate_hz,
        "metres_per_unit": info.action_space.translation_m,
        "episodes": dataset.num_episodes,
        "frames": dataset.num_frames,
        "hours": dataset.num_frames / info.action_space.rate_hz / 3600.0,
        "steps_per_episode": [int(lengths.min()), int(lengths.max())] if len(lengths) else [],
        "action_mean": actions.mean(axis=0).round(4).tolist() if len(actions) else [],
        "action_std": actions.std(axis=0).round(4).tolist() if len(actions) else [],
        "state": list(info.state_names),
        "moved": moved_shares(dataset),
        "seed": info.seed,
        "mujoco_version": info.mujoco_version,
        "content_hash": dataset.content_hash(),
        "notes": info.notes,
    }


def moved_shares(dataset: Dataset, metres: float = MOVED_M) -> dict[str, float]:
    """Object name -> share of episodes that moved it further than ``metres`` from its start."""
    if dataset.truth is None or dataset.num_episodes == 0:
        return {}
    shares = {}
    for name, columns in _objects(dataset.info.truth_names).items():
        track = dataset.truth[:, columns]
        moved = [
            np.linalg.norm(track[a:b] - track[a], axis=1).max() > metres
            for a, b in zip(dataset.episode_starts, dataset.episode_ends, strict=True)
        ]
        shares[name] = float(np.mean(moved))
    return shares


def _objects(names: tuple[str, ...]) -> dict[str, list[int]]:
    objects: dict[str, list[int]] = {}
    for column, name in enumerate(names):
        stem = name[:-2] if name.endswith(("_x", "_y", "_z")) else name
        objects.setdefault(stem, []).append(column)
    return objects
