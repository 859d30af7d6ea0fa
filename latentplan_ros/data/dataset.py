"""Datasets on disk: a Zarr group in the diffusion-policy layout, read through memory maps.

    data/image uint8 [F,S,S,3]   data/action float32 [F,4]   data/state float32 [F,J]
    data/truth float32 [F,K]     meta/episode_ends int64 [N], exclusive    attributes: DatasetInfo

Written in Zarr format 2, which Zarr 2 (Python 3.10) and Zarr 3 both read; format 3 is read too
where Zarr 3 is installed. Frames are stored uncompressed in chunks of CHUNK_FRAMES, so that a chunk
file is the frames' bytes and nothing else and can be memory-mapped. Episodes are committed by
appending to episode_ends after their frames: whatever lies beyond the last committed end is not
part of the dataset and is overwritten by the next writer.
"""

import fcntl
import hashlib
import json
import math
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import zarr

from latentplan_ros.control.action_space import ActionSpace
from latentplan_ros.data.episode import Episode
from latentplan_ros.data.growing_array import GrowingArray, write_json

CHUNK_FRAMES = 1024
_FLUSH_FRAMES = 256  # a killed writer loses less than that
_CHUNK_EPISODES = 65536
_FORMAT = 1
_MOST_PIXELS_A_SIDE = 4096
_MOST_CHUNK_BYTES = 2**28
_ENDS = "meta/episode_ends"


class DatasetError(ValueError):
    """A dataset is missing, torn, or not what was asked for; the message names path and array.

    array: the one at fault, where it is one.
    """

    def __init__(self, message: str, array: str = "") -> None:
        super().__init__(message)
        self.array = array


class EpisodeOrderError(DatasetError):
    """The ends of a dataset's episodes do not follow one another."""


@dataclass(frozen=True)
class DatasetInfo:
    """What a dataset says about itself.

    source: "sim" or "bags"; seed and mujoco_version for simulated data; exploration_std: of the
    random policy's noise before it is smoothed, where a planner's search starts.
    """

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
        kept["exploration_std"] = tuple(map(float, kept["exploration_std"]))
        info = cls(**kept)
        texts = (info.camera, info.source, info.task, info.mujoco_version)
        if not all(isinstance(t, str) for t in (*texts, *info.state_names, *info.truth_names)):
            raise TypeError("a name in the attributes is no text")
        if not (isinstance(info.image_size, int) and 0 < info.image_size <= _MOST_PIXELS_A_SIDE):
            raise ValueError(f"image_size is {info.image_size!r}")
        if not isinstance(info.notes, dict) or not isinstance(info.seed, int | None):
            raise TypeError("notes or seed")
        return info


class DatasetWriter:
    """Appends whole episodes; use as a context manager. Opening an existing dataset continues it.

    Killed at any moment it leaves a dataset of the episodes committed so far. Raises DatasetError
    when the existing dataset's info differs from the one given, it is in Zarr format 3, another
    writer is at it, or the path holds something else.
    """

    def __init__(self, path: str | Path, info: DatasetInfo) -> None:
        self.path, self.info = Path(path), info
        size = info.image_size
        shapes: dict[str, tuple[tuple[int, ...], str]] = {
            "image": ((size, size, 3), "uint8"),
            "action": ((4,), "float32"),
            "state": ((len(info.state_names),), "float32"),
        }
        if info.truth_names:
            shapes["truth"] = ((len(info.truth_names),), "float32")
        self._ends: list[int] = []
        new = not is_dataset(self.path)
        if new:
            self._create(shapes)
        elif _zarr_format(self.path) != 2:
            raise DatasetError(
                f"{self.path} is in Zarr format {_zarr_format(self.path)}: it can be read but not "
                "continued; choose another path"
            )
        self._lock = _locked(self.path / ".zgroup")
        if not new:
            existing = Dataset.open(self.path)
            if existing.info.to_dict() != info.to_dict():
                raise DatasetError(
                    f"{self.path} holds other data than is to be added; choose another path"
                )
            self._ends = existing.episode_ends.tolist()
        self._arrays = {name: GrowingArray(self.path / "data" / name) for name in shapes}
        self._episode_ends = GrowingArray(self.path / _ENDS)
        self._pending: list[Episode] = []

    def _create(self, shapes: dict[str, tuple[tuple[int, ...], str]]) -> None:
        """An empty dataset, there whole or not at all."""
        if self.path.is_file() or (self.path.is_dir() and any(self.path.iterdir())):
            raise DatasetError(f"{self.path} exists and is not a dataset; choose another path")
        scratch = self.path.absolute().with_name(f".{self.path.name}.creating")
        try:
            shutil.rmtree(scratch, ignore_errors=True)
            for name, (shape, dtype) in shapes.items():
                GrowingArray.create(scratch / "data" / name, shape, dtype, CHUNK_FRAMES)
            GrowingArray.create(scratch / _ENDS, (), "int64", _CHUNK_EPISODES)
            for folder in ("", "data", "meta"):
                write_json(scratch / folder / ".zgroup", {"zarr_format": 2})
            write_json(scratch / ".zattrs", self.info.to_dict())
            scratch.replace(self.path)
        except OSError as error:
            raise DatasetError(f"{self.path}: no dataset can be made there: {error}") from error

    @property
    def num_episodes(self) -> int:
        return len(self._ends) + len(self._pending)

    def append(self, episode: Episode) -> None:
        """Adds one episode. Raises DatasetError when it does not fit the dataset's shapes."""
        for name, array in self._arrays.items():
            values = getattr(episode, name)
            if values is None or values.shape[1:] != array.row_shape:
                shape = None if values is None else values.shape
                expected = ", ".join(map(str, ("T", *array.row_shape)))
                raise DatasetError(
                    f"{self.path}: episode's {name} has shape {shape}, expected [{expected}]",
                    f"data/{name}",
                )
        self._pending.append(episode)
        if sum(len(e) for e in self._pending) >= _FLUSH_FRAMES:
            self.flush()

    def flush(self) -> None:
        """Commits what was appended."""
        if not self._pending:
            return
        start = self._ends[-1] if self._ends else 0
        for name, array in self._arrays.items():
            array.write(start, np.concatenate([getattr(e, name) for e in self._pending]))
        ends = start + np.cumsum([len(e) for e in self._pending])
        self._episode_ends.write(len(self._ends), ends)
        self._ends += ends.tolist()
        self._pending = []

    def describe(self, **changes: Any) -> None:
        """Replaces fields of the info: what is known only when the episodes are."""
        self.info = replace(self.info, **changes)
        write_json(self.path / ".zattrs", self.info.to_dict())

    def close(self) -> None:
        """Commits what was appended and lets the next writer in."""
        self.flush()
        self._lock.close()

    def __enter__(self) -> "DatasetWriter":
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        # Whole episodes are worth keeping also when the caller failed.
        self.close()


class Dataset:
    """A dataset opened for reading.

    ``action``, ``state`` and ``truth`` are loaded; pictures stay on disk.
    """

    def __init__(self, path: Path, group: zarr.Group, info: DatasetInfo) -> None:
        self.path, self.info = path, info
        self.zarr_format = _zarr_format(path)
        truth = ("truth",) if info.truth_names else ()
        size = info.image_size
        rows: dict[str, tuple[int, ...]] = {
            "image": (size, size, 3),
            "action": (4,),
            "state": (len(info.state_names),),
            "truth": (len(info.truth_names),),
        }
        arrays = {
            name: _plain(group, f"data/{name}", rows[name], path)
            for name in ("image", "action", "state", *truth)
        }
        image, ends = arrays["image"], _plain(group, _ENDS, (), path)
        self._chunk_frames = int(image.chunks[0])
        # No array is longer than there are pictures, whatever it says of itself, and of these there
        # are as many as are on disk.
        whole = 0
        while ends.shape[0] > whole * self._chunk_frames:
            self._map(image, whole)
            whole += 1
        self.episode_ends = np.asarray(ends[:])
        backwards = np.flatnonzero(np.diff(self.episode_ends, prepend=0) <= 0)
        if len(backwards):
            raise EpisodeOrderError(
                f"{path}: {_ENDS}: episode {backwards[0]} ends at frame "
                f"{self.episode_ends[backwards[0]]}, not after the one before it",
                _ENDS,
            )
        frames = int(self.episode_ends[-1]) if len(self.episode_ends) else 0
        for name, array in arrays.items():
            held = array.shape[0]
            if held < frames:
                raise DatasetError(
                    f"{path}: data/{name} has {held} frames, {_ENDS} says {frames}", f"data/{name}"
                )
        self._images = [
            self._map(image, chunk) for chunk in range(-(-frames // self._chunk_frames))
        ]
        self.action = np.asarray(arrays["action"][:frames])
        self.state = np.asarray(arrays["state"][:frames])
        self.truth = np.asarray(arrays["truth"][:frames]) if truth else None
        self.num_frames, self.num_episodes = frames, len(self.episode_ends)

    @classmethod
    def open(cls, path: str | Path) -> "Dataset":
        """Raises DatasetError when there is no dataset, or it is torn."""
        path = Path(path)
        if not is_dataset(path):
            raise DatasetError(
                f"{path} is not a dataset: no .zgroup or zarr.json there; make one with "
                "`latentplan collect` or `latentplan dataset build`"
            )
        installed = zarr.__version__
        if _zarr_format(path) == 3 and installed.startswith("2."):
            raise DatasetError(
                f"{path} is in Zarr format 3, which the installed zarr {installed} cannot read; "
                "open it with Python 3.11 or newer and zarr 3"
            )
        try:
            group = zarr.open_group(str(path), mode="r")
            info = DatasetInfo.from_dict(dict(group.attrs))
            info.to_dict()  # no deeper than it can be written again
            return cls(path, group, info)
        except DatasetError:
            raise
        except Exception as error:  # Zarr raises what torn metadata make it stumble over
            raise DatasetError(
                f"{path} is not a dataset of this package, or it is torn: {error!r}"
            ) from error

    def images(self, indices: np.ndarray | Sequence[int]) -> np.ndarray:
        """Pictures by frame index, ``[...]`` to ``uint8 [...,S,S,3]``."""
        flat = np.asarray(indices).reshape(-1)
        size = self.info.image_size
        out = np.empty((len(flat), size, size, 3), np.uint8)
        chunks, offsets = np.divmod(flat, self._chunk_frames)
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
        return np.concatenate([[0], self.episode_ends])[:-1].astype(np.int64)

    def frames(self, episodes: np.ndarray, before_end: int = 0) -> np.ndarray:
        """Frames of these episodes with at least ``before_end`` more behind them, ``int64 [N]``."""
        bounds = zip(self.episode_starts[episodes], self.episode_ends[episodes], strict=True)
        ranges = [np.arange(start, end - before_end) for start, end in bounds]
        return np.concatenate([np.empty(0, np.int64), *ranges])

    def split(self, held_out: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Episode indices to train on and to hold out, at random."""
        order = np.random.default_rng(seed).permutation(self.num_episodes)
        count = max(1, round(held_out * self.num_episodes))
        return np.sort(order[count:]), np.sort(order[:count])

    def content_hash(self) -> str:
        """SHA-256 over info, episode ends, actions, states, the first and the last picture.

        It names the data without reading every picture.
        """
        digest = hashlib.sha256(json.dumps(self.info.to_dict(), sort_keys=True).encode())
        for array in (self.episode_ends, self.action, self.state):
            digest.update(np.ascontiguousarray(array).tobytes())
        if self.num_frames:
            digest.update(self.images(np.array([0, self.num_frames - 1])).tobytes())
        return digest.hexdigest()

    def _map(self, array: zarr.Array, chunk: int) -> np.ndarray:
        name = f"{chunk}.0.0.0" if self.zarr_format == 2 else f"c/{chunk}/0/0/0"
        file = self.path / "data" / "image" / name
        shape = (self._chunk_frames, *array.shape[1:])
        size, expected = file.stat().st_size if file.exists() else 0, int(np.prod(shape))
        if size != expected:
            raise DatasetError(
                f"{file} has {size} bytes, expected {expected}: it is torn, or not "
                "stored uncompressed",
                "data/image",
            )
        return np.memmap(file, np.uint8, "r", shape=shape)


def _plain(group: zarr.Group, name: str, row: tuple[int, ...], path: Path) -> zarr.Array:
    """An array of the group whose chunks are numbers and nothing else, ``[N, *row]``.

    Unpacking is what a dataset could do harm with: by what comes out, or by the code that does it.
    Raises DatasetError.
    """
    array = group[name]
    # Zarr 3, then Zarr 2.
    packed = array.compressors if hasattr(array, "compressors") else array.compressor
    if packed or array.filters or getattr(array, "shards", None):
        raise DatasetError(f"{path}: {name} is packed, not stored uncompressed", name)
    if len(array.shape) != 1 + len(row) or array.shape[1:] != row or array.chunks[1:] != row:
        expected = ", ".join(map(str, ("N", *row)))
        raise DatasetError(
            f"{path}: {name} has shape {array.shape} in chunks {array.chunks}, expected "
            f"[{expected}] in chunks of whole rows",
            name,
        )
    kinds = {"data/image": "u", _ENDS: "iu"}.get(name, "f")
    if array.dtype.kind not in kinds or (name == "data/image" and array.dtype != np.uint8):
        raise DatasetError(f"{path}: {name} is of type {array.dtype}", name)
    rows = int(array.chunks[0])
    if rows < 1 or rows * math.prod(row) * array.dtype.itemsize > _MOST_CHUNK_BYTES:
        raise DatasetError(f"{path}: {name} is in chunks of {rows} rows", name)
    return array


def _locked(file: Path) -> TextIO:
    """The file opened, and held against other writers until it is closed or the process ends."""
    held = file.open()
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        held.close()
        raise DatasetError(
            f"{file.parent} is being written by another process; wait for it or stop it"
        ) from None
    return held


def is_dataset(path: Path) -> bool:
    """Whether there is a Zarr group at the path."""
    return (path / ".zgroup").exists() or (path / "zarr.json").exists()


def _zarr_format(path: Path) -> int:
    return 2 if (path / ".zgroup").exists() else 3
