"""Algorithm 2 beside Algorithm 1, sizes of the map, and norms, in the C-maze and a small town."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from scipy.spatial.distance import cdist

from benchmarks.plan2vec.experiment import TRIAL_SEED, Experiment, rate, title_of
from benchmarks.plan2vec.mazes import learned
from benchmarks.plan2vec.towns import TASKS
from latentplan_ros.data.sequences import Sequences
from latentplan_ros.evaluation.plan2vec.town_trials import by_points, draw_tasks, walk
from latentplan_ros.graph.frame_graph import FrameGraph
from latentplan_ros.learning.plan2vec.learn import Plan2vecRecipe, distill, picture_graph
from latentplan_ros.learning.plan2vec.sources import TOWN
from latentplan_ros.learning.plan2vec.value_iteration import (
    ValueIterationRecipe,
    ValueIterationStage,
)
from latentplan_ros.learning.trainer import run_stage
from latentplan_ros.models.picture_map import PictureMap
from latentplan_ros.sim.worlds.streets import town

LATENTS, NORMS, LOOKAHEADS = (2, 3), (1.2, 1.5, 2.0), (1, 2, 5)
FEWER = 16  # candidates of the maze's graph for Algorithm 2, whose hops look at every neighbour


def in_the_maze(experiment: Experiment) -> None:
    """Writes plan2vec/success/cmaze/{latent_<D>, value_iteration_<k>}."""
    if experiment.known("variants_cmaze"):
        return
    outcomes: dict[str, list[np.ndarray]] = {}
    for seed in experiment.seeds[:1]:
        world = learned(experiment, "cmaze", seed)
        base = experiment.recipe(Plan2vecRecipe())
        for latent in LATENTS:
            torch.manual_seed(seed)
            smaller = PictureMap(base.features, latent, base.p)
            folder = _folder(experiment, f"cmaze.latent{latent}.{seed}")
            distill(smaller, world.sequences, world.graph, base, folder, seed)
            score = _by(smaller, world.sequences)
            outcomes.setdefault(f"latent_{latent}", []).append(world.tried(score, seed))
        graph = picture_graph(world.found, world.sequences, FEWER)
        for lookahead in LOOKAHEADS[:2]:
            name = f"value_iteration_{lookahead}"
            other = _iterated(experiment, world.sequences, graph, base, lookahead, seed, name)
            outcomes.setdefault(name, []).append(world.tried(_by(other, world.sequences), seed))
    figures = {title_of("cmaze", name): rate(group) for name, group in outcomes.items()}
    raw = {name: [float(part.mean()) for part in group] for name, group in outcomes.items()}
    experiment.write("variants_cmaze", figures, raw, seeds_used=1)


def in_the_town(experiment: Experiment) -> None:
    """Writes plan2vec/success/streets_small/{latent_<D>_p_<p>, value_iteration_<k>}."""
    if experiment.known("variants_streets"):
        return
    outcomes: dict[str, list[np.ndarray]] = {}
    for seed in experiment.seeds[:1]:
        sequences = town("small", seed)
        base = experiment.recipe(TOWN)
        graph = picture_graph(PictureMap(base.features, base.latent, base.p), sequences, 0)
        tasks = draw_tasks(graph.edges, experiment.some(TASKS, 5), TRIAL_SEED + seed)

        def tried(found: PictureMap) -> np.ndarray:
            guide = by_points(found.points(sequences.pictures), found.metric.p)  # noqa: B023
            return np.array([bool(w.path) for w in walk(graph.edges, tasks, guide, 1, 1)])  # noqa: B023

        for latent in (*LATENTS, base.latent):
            for p in NORMS if latent == base.latent else (base.p,):
                name = f"latent_{latent}_p_{p:g}"
                torch.manual_seed(seed)
                other = PictureMap(base.features, latent, p)
                folder = _folder(experiment, f"streets_small.{name}.{seed}")
                distill(other, sequences, graph, base, folder, seed)
                outcomes.setdefault(name, []).append(tried(other))
        for lookahead in LOOKAHEADS:
            name = f"value_iteration_{lookahead}"
            other = _iterated(experiment, sequences, graph, base, lookahead, seed, name)
            outcomes.setdefault(name, []).append(tried(other))
    figures = {title_of("streets_small", name): rate(group) for name, group in outcomes.items()}
    raw = {name: [float(part.mean()) for part in group] for name, group in outcomes.items()}
    experiment.write("variants_streets", figures, raw, seeds_used=1)


def _iterated(
    experiment: Experiment,
    sequences: Sequences,
    graph: FrameGraph,
    base: Plan2vecRecipe,
    lookahead: int,
    seed: int,
    name: str,
) -> PictureMap:
    torch.manual_seed(seed)
    found = PictureMap(base.features, base.latent, base.p)
    recipe = replace(
        ValueIterationRecipe(lookahead=lookahead),
        updates=experiment.some(ValueIterationRecipe.updates, 3),
    )
    stage = ValueIterationStage(found.metric, sequences.pictures, graph, recipe)
    folder = _folder(experiment, f"{name}.{len(sequences.pictures)}.{seed}")
    run_stage(Fabric(accelerator="cpu", devices=1), stage, folder, seed)
    return found.eval()


def _folder(experiment: Experiment, name: str) -> Path:
    folder = experiment.folder / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _by(found: PictureMap, sequences: Sequences):  # type: ignore[no-untyped-def]
    points = found.points(sequences.pictures)
    return lambda goals: cdist(found.points(goals), points, "minkowski", p=found.metric.p)
