"""Table 2: goals in towns within 50 steps, by one expansion a step and a memory of one place."""

from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from scipy.sparse.csgraph import dijkstra

from benchmarks.plan2vec.experiment import TRIAL_SEED, Experiment
from latentplan_ros.data.sequences import Sequences
from latentplan_ros.evaluation.plan2vec.town_trials import at_random, by_points, draw_tasks, walk
from latentplan_ros.graph.frame_graph import FrameGraph
from latentplan_ros.learning.plan2vec.learn import learn
from latentplan_ros.learning.plan2vec.picture_vae import PictureVaeRecipe, PictureVaeStage
from latentplan_ros.learning.plan2vec.sources import town_recipe
from latentplan_ros.learning.trainer import run_stage
from latentplan_ros.models.picture_map import PictureMap, encoded
from latentplan_ros.sim.worlds.streets import town

TASKS, CODE = 200, 32


def table(experiment: Experiment, name: str) -> None:
    """Writes plan2vec/success/streets_<size>[/<baseline>]."""

    def run(seed: int) -> dict[str, np.ndarray]:
        sequences, found, graph = learned_town(experiment, name, seed)
        assert sequences.truth is not None
        tasks = draw_tasks(graph.edges, experiment.some(TASKS, 5), TRIAL_SEED + seed)
        folder = experiment.folder / f"streets_{name}.{seed}"
        guides = {
            "plan2vec": by_points(found.points(sequences.pictures), found.metric.p),
            "sptm": by_points(found.features(sequences.pictures), 2.0),
            "vae": by_points(_codes(experiment, sequences.pictures, folder), 2.0),
            "random": at_random(seed),
            "true_l1": by_points(sequences.truth, 1.0),
            "true_l2": by_points(sequences.truth, 2.0),
            "oracle": lambda goal: dijkstra(graph.edges.T.tocsr(), indices=goal).__getitem__,
        }
        return {
            method: np.array([bool(way.path) for way in walk(graph.edges, tasks, guide, 1, 1)])
            for method, guide in guides.items()
        }

    experiment.success(f"streets_{name}", run, tasks=TASKS, within_steps=50)


def learned_town(
    experiment: Experiment, name: str, seed: int
) -> tuple[Sequences, PictureMap, FrameGraph]:
    sequences = town(name, seed)
    folder = experiment.folder / f"streets_{name}.{seed}"
    return sequences, *learn(sequences, experiment.recipe(town_recipe(name)), folder, seed)


def _codes(experiment: Experiment, pictures: np.ndarray, folder: Path) -> np.ndarray:
    recipe = PictureVaeRecipe(updates=experiment.some(PictureVaeRecipe.updates, 10))
    torch.manual_seed(0)
    vae = PictureVaeStage(pictures, CODE, recipe)
    run_stage(Fabric(accelerator="cpu", devices=1), vae, folder, seed=0)
    return encoded(vae.eval().means, pictures)
