"""Section 5.4: a map learned without tasks between opposite quarters of a town, tried on these."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from lightning_fabric import Fabric

from benchmarks.plan2vec.experiment import TRIAL_SEED, Experiment
from benchmarks.plan2vec.towns import TASKS, learned_town
from latentplan_ros.data.sequences import Sequences
from latentplan_ros.evaluation.plan2vec.town_trials import by_points, draw_tasks, walk
from latentplan_ros.graph.frame_graph import FrameGraph
from latentplan_ros.learning.plan2vec.amortized import AmortizedRecipe, AmortizedSearchStage
from latentplan_ros.learning.plan2vec.sources import TOWN
from latentplan_ros.learning.trainer import run_stage
from latentplan_ros.models.picture_map import PictureMap

NAME = "medium"


class WithoutOpposites(AmortizedSearchStage):
    """Knows no length of a path between opposite quarters, ``int [N]`` of each picture."""

    def __init__(
        self,
        found: PictureMap,
        pictures: np.ndarray,
        graph: FrameGraph,
        recipe: AmortizedRecipe,
        seed: int,
        quarters: np.ndarray,
    ) -> None:
        super().__init__(found.metric, pictures, graph, recipe, seed)
        self._lengths[opposite(quarters[self._starts, None], quarters)] = np.inf


def opposite(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Whether two quarters, two bits each, differ in both."""
    return (one ^ other) == 3


@dataclass(frozen=True)
class Restricted:
    """A town, its graph, and the points of two maps: learned without opposites, and with all.

    quarters: of each picture, two bits.
    """

    sequences: Sequences
    graph: FrameGraph
    quarters: np.ndarray
    restricted: np.ndarray
    control: np.ndarray
    p: float


def learned_restricted(experiment: Experiment, seed: int) -> Restricted:
    """Both maps of a seed, trained where they are missing."""
    sequences, found, graph = learned_town(experiment, NAME, seed)
    assert sequences.truth is not None
    east, north = (sequences.truth > np.median(sequences.truth, axis=0)).T.astype(int)
    quarters = 2 * east + north
    recipe = experiment.recipe(TOWN)
    again = PictureMap(recipe.features, recipe.latent, recipe.p)
    stage = WithoutOpposites(again, sequences.pictures, graph, recipe.amortized, seed, quarters)
    folder: Path = experiment.folder / f"quadrants.{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    run_stage(Fabric(accelerator="cpu", devices=1), stage, folder, seed)
    pictures = sequences.pictures
    return Restricted(
        sequences, graph, quarters, again.eval().points(pictures), found.points(pictures), recipe.p
    )


def held_out(experiment: Experiment) -> None:
    """Writes plan2vec/success/held_out_quadrants and .../control."""

    def run(seed: int) -> dict[str, np.ndarray]:
        world = learned_restricted(experiment, seed)
        tasks = draw_tasks(
            world.graph.edges,
            experiment.some(TASKS, 5),
            TRIAL_SEED + seed,
            allowed=lambda a, b: bool(opposite(world.quarters[a], world.quarters[b])),
        )
        return {
            name: np.array([bool(w.path) for w in walk(world.graph.edges, tasks, guide, 1, 1)])
            for name, guide in (
                ("plan2vec", by_points(world.restricted, world.p)),
                ("control", by_points(world.control, world.p)),
            )
        }

    experiment.success("held_out_quadrants", run, town=NAME, tasks=TASKS)
