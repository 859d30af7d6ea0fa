"""Where sequences of pictures come from: a world by name, a dataset, a published recording."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from latentplan_ros.data.dataset import Dataset
from latentplan_ros.data.preprocess import Preprocess
from latentplan_ros.data.rope_images import read_rope
from latentplan_ros.data.sequences import SIZE, Sequences
from latentplan_ros.data.streetlearn import read_streetlearn
from latentplan_ros.learning.plan2vec.amortized import AmortizedRecipe
from latentplan_ros.learning.plan2vec.arm import some_episodes
from latentplan_ros.learning.plan2vec.learn import Plan2vecRecipe
from latentplan_ros.learning.plan2vec.local import LocalRecipe
from latentplan_ros.sim.worlds.maze import MAZES, random_rollouts
from latentplan_ros.sim.worlds.streets import TOWNS, town

ROLLOUT_STEPS = 10  # in a maze (B.1)
ROPE_PICTURES = 778  # a sequence: 18 of these are as many as the paper's recordings of a rope
_TOWN = "streets_"
WORLDS = (*MAZES, "rope", *(_TOWN + name for name in TOWNS))


# Pictures up to 2 steps apart are neighbours (B.2).
# Hardly two shapes of a rope are alike by chance.
ROPE = Plan2vecRecipe(joined=5e-5, local=LocalRecipe(span=2, updates=800))
# Every street is driven, so what the local metric adds are worm holes; p as in Table 4.
TOWN = Plan2vecRecipe(candidates=0, p=1.2, amortized=AmortizedRecipe(updates=1000))
LARGE_TOWN = replace(TOWN, amortized=AmortizedRecipe(updates=5000, searches=1500))
_LARGE = 1000  # views


class SourceError(ValueError):
    """No pictures can be had from what was named; the message says what there is."""


@dataclass(frozen=True)
class Source:
    """recipe: what suits these pictures."""

    sequences: Sequences
    recipe: Plan2vecRecipe = field(default_factory=Plan2vecRecipe)


def read_source(source: str, frames: int, seed: int) -> Source:
    """The sequences of a world, a dataset ``*.zarr``, or a folder of rope pictures or StreetLearn.

    A name of WORLDS is that world, whatever lies in the working directory; ``./rope`` is a folder.
    frames: of a maze, the rope or a dataset, whole sequences of at most so many pictures, or one
    sequence; towns and folders are taken whole. seed: of what is recorded, or of which episodes
    are chosen.

    Raises SourceError where there is no such source, and the error of what reads it where it is
    torn.
    """
    if source in MAZES:
        count = max(1, frames // (ROLLOUT_STEPS + 1))
        rollouts = random_rollouts(MAZES[source], count, ROLLOUT_STEPS, seed)
        return Source(Sequences.in_a_row(list(rollouts.pictures), list(rollouts.truth)))
    if source == "rope":
        # Here, so that everything else works on a machine without MuJoCo.
        from latentplan_ros.sim.worlds.rope import record_rope

        return Source(record_rope(max(1, frames // ROPE_PICTURES), ROPE_PICTURES, seed), ROPE)
    if source in WORLDS:
        name = source.removeprefix(_TOWN)
        return Source(town(name, seed), town_recipe(name))
    path = Path(source)
    if path.suffix == ".zarr":
        return Source(_of_dataset(Dataset.open(path), frames, seed))
    if path.is_dir():
        if (path / "nodes.txt").exists():
            return Source(read_streetlearn(path), TOWN)
        return Source(read_rope(path), ROPE)
    raise SourceError(
        f"there is no source {source!r}: give a world ({', '.join(WORLDS)}), a dataset *.zarr, a "
        "folder with a subfolder of rope pictures a run, or a StreetLearn folder with nodes.txt"
    )


def town_recipe(name: str) -> Plan2vecRecipe:
    """What suits a town of TOWNS: a large one takes longer to tell its places apart."""
    return LARGE_TOWN if TOWNS[name] > _LARGE else TOWN


def _of_dataset(dataset: Dataset, frames: int, seed: int) -> Sequences:
    """Episodes at random, gray; a picture is of the dataset's own camera."""
    if not dataset.num_episodes:
        raise SourceError(f"{dataset.path} holds no episodes; add some before building a graph")
    chosen = np.sort(some_episodes(dataset, np.arange(dataset.num_episodes), frames, seed))
    episodes = [dataset.episode(int(number)) for number in chosen]
    truth = [np.asarray(e.truth, float) for e in episodes if e.truth is not None]
    return Sequences.in_a_row([_gray(e.image) for e in episodes], truth or None)


def _gray(images: np.ndarray) -> np.ndarray:
    """``uint8 [T,S,S,3]`` to ``uint8 [T,64,64]``."""
    preprocess = Preprocess(SIZE)
    return np.stack([cv2.cvtColor(preprocess.apply(i), cv2.COLOR_RGB2GRAY) for i in images])
