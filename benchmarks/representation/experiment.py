"""What every entry shares: how much of everything, and datasets; collected where missing."""

import copy
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from latentplan_ros.data.dataset import Dataset, is_dataset
from latentplan_ros.sim.collect import collect

SEED = 0  # of training; data have their own
SIDE = "side"  # the second camera
USUAL_FLOPS = 1.5e12


@dataclass(frozen=True)
class Experiment:
    """episodes: in all, of which the last ``held_out`` are judged by and no encoder sees;
    fitted: of the others, those that probes are fitted to; flops: of training, for each entry;
    folder: of training states and collected data; data_folders: looked into before collecting;
    quick: no measurement.
    """

    episodes: int
    held_out: int
    fitted: int
    flops: float
    folder: Path
    data_folders: tuple[Path, ...]
    quick: bool

    def path(self, task: str, camera: str = "", episodes: int = 0) -> Path:
        """Of a dataset with enough episodes of the task, collected first where there is none.

        episodes: how many are enough, where it is not the experiment's number.
        """
        enough = episodes or self.episodes
        name = ".".join(filter(None, [task, camera, "zarr"]))
        for folder in (*self.data_folders, self.folder):
            path = folder / name
            if is_dataset(path) and Dataset.open(path).num_episodes >= enough:
                return path
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        collect(task, enough, path, camera=camera)
        return path

    def dataset(self, task: str, camera: str = "") -> Dataset:
        """Its first episodes, which are the same however many were collected."""
        return _first(Dataset.open(self.path(task, camera)), self.episodes)

    @property
    def compute(self) -> str:
        """What names of results end in that are of another compute than usual."""
        times = self.flops / USUAL_FLOPS
        return "" if self.quick or times == 1.0 else f"_x{times:g}"

    @property
    def training(self) -> np.ndarray:
        return np.arange(self.episodes - self.held_out)


def is_done(file: Path, settings: dict[str, Any], quick: bool) -> bool:
    """Whether there are results of these settings already; quick runs are always made."""
    if quick or not file.exists():
        return False
    same = json.loads(file.read_text())["settings"] == json.loads(json.dumps(settings))
    if not same:
        print(f"{file.name} is of other settings or data: made anew", flush=True)
    return bool(same)


def _first(dataset: Dataset, episodes: int) -> Dataset:
    """The dataset as it was when it had that many episodes."""
    shorter = copy.copy(dataset)
    shorter.episode_ends = dataset.episode_ends[:episodes]
    shorter.num_episodes, shorter.num_frames = episodes, int(shorter.episode_ends[-1])
    for name in ("action", "state", "truth"):
        values = getattr(dataset, name)
        setattr(shorter, name, None if values is None else values[: shorter.num_frames])
    return shorter
