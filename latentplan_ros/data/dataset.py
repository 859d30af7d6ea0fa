"""Datasets on disk: a Zarr group in the diffusion-policy layout, read through memory maps.

    data/image uint8 [F,S,S,3]   data/action float32 [F,4]   data/state float32 [F,J]   data/truth float32 [F,K]
    meta/episode_ends int64 [N]  (exclusive end of each episode)   attributes: DatasetInfo

Frames are stored uncompressed in chunks of CHUNK_FRAMES, so that a chunk file is the frames' bytes and nothing
else and can be memory-mapped. Episodes are committed by appending to episode_ends after their frames: whatever
lies beyond the last committed end is not part of the dataset and is overwritten by the next writer.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from latentplan_ros.control.action_space import ActionSpace
from latentplan_ros.data.episode import Episode

CHUNK_FRAMES = 1024
_FLUSH_FRAMES = 4 * CHUNK_FRAMES
_FORMAT = 1


class DatasetError(ValueError):
    """A dataset is missing, torn, or not what was asked for; the message names the path and the array."""


@dataclass(frozen=True)
class DatasetInfo:
    """What a dataset says about itself. source: "sim" or "bags"; seed and mujoco_version for simulated data."""

    action_space: ActionSpace
    camera: str
    image_size: int
    state_names: tuple[str, ...]
    truth_names: tuple[str, ...] = ()
    source: str = "bags"
    task: str = ""
    exploration_std: tuple[float, ...] = ()
    seed: int | None = None
    mujoco_version: str = ""
    notes: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return {"format": _FORMAT, **json.loads(json.dumps(asdict(self)))}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "DatasetInfo":
        known = {f.name for f in fields(cls)}
        kept = {k: v for k, v in values.items() if k in known}
        kept["action_space"] = ActionSpace.from_dict(values["action_space"])
        for name in ("state_names", "truth_names", "exploration_std"):
            kept[name] = tuple(kept.get(name, ()))
        return cls(**kept)


class DatasetWriter:
    """Appends whole episodes; use as a context manager. Opening an existing dataset continues it.

    Raises DatasetError when the existing dataset's info differs from the one given.
    """

    def __init__(self, path: str | Path, info: DatasetInfo) -> None:
        self.path, self.info = Path(path), info
        size, states, truths = info.image_size, len(info.state_names), len(info.truth_names)
        shapes: dict[str, tuple[tuple[int, ...], str]] = {
            "image": ((size, size, 3), "uint8"),
            "action": ((4,), "float32"),
            "state": ((states,), "float32"),
        }
        if truths:
            shapes["truth"] = ((truths,), "float32")
        if (self.path / "zarr.json").exists():
            existing = Dataset.open(self.path)
            if existing.info.to_dict() != info.to_dict():
                raise DatasetError(
                    f"{self.path} holds other data than is to be added; choose another path"
                )
            self._group = zarr.open_group(self.path, mode="r+")
        else:
            self._group = zarr.open_group(self.path, mode="w")
            for name, (shape, dtype) in shapes.items():
                self._group.create_array(
                    f"data/{name}",
                    shape=(0, *shape),
                    chunks=(CHUNK_FRAMES, *shape),
                    dtype=dtype,
                    compressors=None,
                )
            self._group.create_array(
                "meta/episode_ends", shape=(0,), chunks=(65536,), dtype="int64", compressors=None
            )
            self._group.attrs.update(info.to_dict())
        self._arrays = {name: self._group[f"data/{name}"] for name in shapes}
        self._ends: list[int] = [int(e) for e in np.asarray(self._group["meta/episode_ends"][:])]
        self._committed = self._ends[-1] if self._ends else 0
        self._pending: list[Episode] = []

    @property
    def num_episodes(self) -> int:
        return len(self._ends) + len(self._pending)

    def append(self, episode: Episode) -> None:
        """Adds one episode. Raises DatasetError when it does not fit the dataset's shapes."""
        for name, array in self._arrays.items():
            values = getattr(episode, name)
            if values is None or values.shape[1:] != array.shape[1:]:
                shape = None if values is None else values.shape
                raise DatasetError(
                    f"{self.path}: episode's {name} has shape {shape}, expected [T, {array.shape[1:]}]"
                )
        self._pending.append(episode)
        if sum(len(e) for e in self._pending) >= _FLUSH_FRAMES:
            self.flush()

    def flush(self) -> None:
        """Commits what was appended."""
        if not self._pending:
            return
        ends, total = [], self._committed
        for episode in self._pending:
            total += len(episode)
            ends.append(total)
        for name, array in self._arrays.items():
            array.resize((total, *array.shape[1:]))
            array[self._committed : total] = np.concatenate(
                [getattr(e, name) for e in self._pending]
            )
        self._ends += ends
        episode_ends = self._group["meta/episode_ends"]
        episode_ends.resize((len(self._ends),))
        episode_ends[:] = np.array(self._ends, np.int64)
        self._committed, self._pending = total, []

    def __enter__(self) -> "DatasetWriter":
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        # Whole episodes are worth keeping also when the caller failed.
        self.flush()


class Dataset:
    """A dataset opened for reading. ``action``, ``state`` and ``truth`` are loaded; pictures stay on disk."""

    def __init__(self, path: Path, group: zarr.Group, info: DatasetInfo) -> None:
        self.path, self.info = path, info
        self.episode_ends = np.asarray(group["meta/episode_ends"][:])
        frames = int(self.episode_ends[-1]) if len(self.episode_ends) else 0
        for name in ("image", "action", "state"):
            held = group[f"data/{name}"].shape[0]
            if held < frames:
                raise DatasetError(
                    f"{path}: data/{name} has {held} frames, meta/episode_ends says {frames}"
                )
        self.action = np.asarray(group["data/action"][:frames])
        self.state = np.asarray(group["data/state"][:frames])
        self.truth = np.asarray(group["data/truth"][:frames]) if info.truth_names else None
        self.num_frames, self.num_episodes = frames, len(self.episode_ends)
        self._images = [
            self._map(group["data/image"], chunk) for chunk in range(-(-frames // CHUNK_FRAMES))
        ]

    @classmethod
    def open(cls, path: str | Path) -> "Dataset":
        """Raises DatasetError when there is no dataset, or it is torn."""
        path = Path(path)
        if not (path / "zarr.json").exists():
            raise DatasetError(
                f"{path} is not a dataset: no zarr.json there; make one with `latentplan collect` "
                "or `latentplan dataset build`"
            )
        try:
            group = zarr.open_group(path, mode="r")
            info = DatasetInfo.from_dict(dict(group.attrs))
            return cls(path, group, info)
        except (KeyError, TypeError, json.JSONDecodeError) as error:
            raise DatasetError(
                f"{path} is not a dataset of this package, or it is torn: {error!r}"
            ) from error

    def images(self, indices: np.ndarray | Sequence[int]) -> np.ndarray:
        """Pictures by frame index, ``[...]`` to ``uint8 [...,S,S,3]``."""
        flat = np.asarray(indices).reshape(-1)
        size = self.info.image_size
        out = np.empty((len(flat), size, size, 3), np.uint8)
        chunks, offsets = np.divmod(flat, CHUNK_FRAMES)
        for chunk in np.unique(chunks):
            rows = np.nonzero(chunks == chunk)[0]
            out[rows] = self._images[chunk][offsets[rows]]
        return out.reshape(*np.shape(indices), size, size, 3)

    def episode(self, index: int) -> Episode:
        """One episode, whole."""
        start = int(self.episode_ends[index - 1]) if index else 0
        rows = np.arange(start, int(self.episode_ends[index]))
        truth = None if self.truth is None else self.truth[rows]
        return Episode(self.images(rows), self.action[rows], self.state[rows], truth)

    @property
    def episode_starts(self) -> np.ndarray:
        return np.concatenate([[0], self.episode_ends[:-1]]).astype(np.int64)

    def split(self, held_out: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Episode indices to train on and to hold out, at random."""
        order = np.random.default_rng(seed).permutation(self.num_episodes)
        count = max(1, round(held_out * self.num_episodes))
        return np.sort(order[count:]), np.sort(order[:count])

    def content_hash(self) -> str:
        """SHA-256 over info, episode ends, actions and states: names the data without reading every picture."""
        digest = hashlib.sha256(json.dumps(self.info.to_dict(), sort_keys=True).encode())
        for array in (self.episode_ends, self.action, self.state):
            digest.update(np.ascontiguousarray(array).tobytes())
        if self.num_frames:
            digest.update(self.images(np.array([0, self.num_frames - 1])).tobytes())
        return digest.hexdigest()

    def _map(self, array: zarr.Array, chunk: int) -> np.ndarray:
        file = self.path / "data" / "image" / "c" / str(chunk) / "0" / "0" / "0"
        shape = (CHUNK_FRAMES, *array.shape[1:])
        if not file.exists():  # zarr leaves out chunks that are all zero
            return np.zeros(shape, np.uint8)
        if file.stat().st_size != int(np.prod(shape)):
            raise DatasetError(
                f"{file} has {file.stat().st_size} bytes, expected {int(np.prod(shape))}: it is torn"
            )
        return np.memmap(file, np.uint8, "r", shape=shape)
