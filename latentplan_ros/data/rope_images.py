"""Recordings of a real rope, in the files in which they are published: a folder of pictures a run.

The layout is that of Nair et al. (2017), which causal InfoGAN's ``rope_full`` keeps::

    rope/run03/img_0000.jpg, img_0001.jpg, ..., actions.npy
    rope/run04/...

Any names do, as long as their numbers count upwards. ``actions.npy`` is not read: Plan2vec learns
from the pictures alone.
"""

import re
from pathlib import Path

import cv2
import numpy as np

from latentplan_ros.data.images import load
from latentplan_ros.data.preprocess import Preprocess
from latentplan_ros.data.sequences import SIZE, SequenceError, Sequences

_ENDINGS = {".jpg", ".jpeg", ".png"}


def read_rope(folder: Path) -> Sequences:
    """Each subfolder that holds jpg or png pictures is one sequence, in the order of its numbers.

    Pictures of any size become gray, the centre square of them 64 x 64.

    Raises ImageError naming a file that is no picture, and SequenceError where no subfolder holds
    pictures, a subfolder holds one alone, or pictures of several sizes.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise SequenceError(f"{folder}: no such folder; give the one that holds the runs")
    runs = [
        pictures
        for run in sorted(folder.iterdir(), key=_by_number)
        if run.is_dir() and (pictures := _pictures(run))
    ]
    if not runs:
        raise SequenceError(
            f"{folder}: no subfolder with jpg or png pictures; each run needs a folder of its own, "
            f"as in {folder / 'run03' / 'img_0000.jpg'}"
        )
    return Sequences.in_a_row([_read_run(pictures) for pictures in runs])


def _pictures(run: Path) -> list[Path]:
    found = (path for path in run.iterdir() if path.suffix.lower() in _ENDINGS)
    return sorted(found, key=_by_number)


def _by_number(path: Path) -> tuple[list[int], str]:
    """Sorts img_9 before img_10, however many zeros stand before either."""
    return [int(digits) for digits in re.findall(r"\d+", path.name)], path.name


def _read_run(paths: list[Path]) -> np.ndarray:
    """``uint8 [T,64,64]``."""
    if len(paths) < 2:
        raise SequenceError(
            f"{paths[0].parent}: {paths[0].name} is its only picture; a sequence needs at least "
            "two, so add what follows it or remove the folder"
        )
    preprocess = Preprocess(SIZE)
    pictures = np.empty((len(paths), SIZE, SIZE), np.uint8)
    first = None
    for number, path in enumerate(paths):
        rgb = load(path)
        first = rgb.shape if first is None else first
        if rgb.shape != first:
            raise SequenceError(
                f"{path.parent}: {paths[0].name} is {first[1]}x{first[0]} and {path.name} "
                f"{rgb.shape[1]}x{rgb.shape[0]}; the pictures of a sequence must have one size"
            )
        pictures[number] = cv2.cvtColor(preprocess.apply(rgb), cv2.COLOR_RGB2GRAY)
    return pictures
