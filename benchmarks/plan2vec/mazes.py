"""Table 1 and Figure 6, centre: goals in mazes, by hops that one metric or another chooses."""

import math
import time
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from scipy.sparse.csgraph import dijkstra
from scipy.spatial.distance import cdist

from benchmarks.plan2vec.experiment import (
    ROLLOUTS,
    TRIAL_SEED,
    TRIALS,
    Experiment,
    rate,
    title_of,
)
from latentplan_ros.data.sequences import Sequences
from latentplan_ros.evaluation.plan2vec.maze_trials import (
    Hops,
    Score,
    draw_trials,
    reached,
    try_maze,
)
from latentplan_ros.evaluation.results import Figure
from latentplan_ros.graph.frame_graph import FrameGraph
from latentplan_ros.learning.plan2vec.learn import Plan2vecRecipe, learn
from latentplan_ros.learning.plan2vec.picture_vae import PictureVaeRecipe, PictureVaeStage
from latentplan_ros.learning.trainer import run_stage
from latentplan_ros.models.picture_map import PictureMap, encoded
from latentplan_ros.sim.worlds.maze import MAZES

LOOKAHEADS = (1, 2, 3, 5)
CODE = 8  # of the VAE


def table(experiment: Experiment, name: str) -> None:
    """Writes plan2vec/success/<maze>[/<baseline>] and plan2vec/train_minutes/<maze>."""
    minutes: list[float] = []

    def run(seed: int) -> dict[str, np.ndarray]:
        world = learned(experiment, name, seed)
        minutes.append(world.minutes)
        scores = {
            "plan2vec": world.by_map(),
            "sptm": world.by_local(),
            "vae": world.by_vae(experiment),
            "random": None,
            "oracle": world.by_graph(),
        }
        return {method: world.tried(score, seed) for method, score in scores.items()}

    experiment.success(name, run, trials=TRIALS, success_m=MAZES[name].success_m)
    if minutes and np.isfinite(minutes).all():
        figure = Figure.median(minutes, "minutes")
        experiment.write(f"{name}_minutes", {f"plan2vec/train_minutes/{name}": figure}, minutes)


def lookahead(experiment: Experiment) -> None:
    """Writes plan2vec/success/cmaze/<method>_<k>_steps (Figure 6, centre)."""
    if experiment.known("lookahead"):
        return
    outcomes: dict[str, list[np.ndarray]] = {}
    for seed in experiment.seeds:
        world = learned(experiment, "cmaze", seed)
        scores = {"plan2vec": world.by_map(), "sptm": world.by_local(), "random": None}
        for method, score in scores.items():
            for steps in LOOKAHEADS:
                name = title_of("cmaze", f"{method}_{steps}_steps")
                outcomes.setdefault(name, []).append(world.tried(score, seed, steps))
    figures = {name: rate(group) for name, group in outcomes.items()}
    raw = {name: [float(part.mean()) for part in group] for name, group in outcomes.items()}
    experiment.write("lookahead", figures, raw, trials=TRIALS, lookaheads=LOOKAHEADS)


class LearnedMaze:
    """A maze, what was recorded there, and what was learned of it."""

    def __init__(
        self,
        name: str,
        sequences: Sequences,
        found: PictureMap,
        graph: FrameGraph,
        folder: Path,
        minutes: float,
    ) -> None:
        assert sequences.truth is not None
        self.maze, self.sequences, self.found, self.graph = MAZES[name], sequences, found, graph
        self.folder, self.minutes = folder, minutes
        self.recorded = found.features(sequences.pictures)
        self.hops = Hops(
            self.recorded, sequences.truth, found.features, found.threshold, graph.edges
        )

    def tried(self, score: Score | None, seed: int, steps: int = 1) -> np.ndarray:
        starts, goals = draw_trials(self.maze, TRIALS, TRIAL_SEED + seed)
        way = try_maze(self.maze, self.hops, score, starts, goals, steps, seed)
        return reached(self.maze, way, goals)

    def by_map(self) -> Score:
        points, p = self.found.points(self.sequences.pictures), self.found.metric.p
        return lambda goals: cdist(self.found.points(goals), points, "minkowski", p=p)

    def by_local(self) -> Score:
        """SPTM: how near it looks, and nothing beyond (Savinov et al. 2018)."""
        return lambda goals: cdist(self.found.features(goals), self.recorded)

    def by_vae(self, experiment: Experiment) -> Score:
        recipe = PictureVaeRecipe(updates=experiment.some(PictureVaeRecipe.updates, 10))
        torch.manual_seed(0)
        vae = PictureVaeStage(self.sequences.pictures, CODE, recipe)
        run_stage(Fabric(accelerator="cpu", devices=1), vae, self.folder, seed=0)
        vae.eval()
        codes = encoded(vae.means, self.sequences.pictures)
        return lambda goals: cdist(encoded(vae.means, goals), codes)

    def by_graph(self) -> Score:
        """The shortest path to the recorded picture that is most like the goal's."""

        def score(goals: np.ndarray) -> np.ndarray:
            nearest = cdist(self.found.features(goals), self.recorded).argmin(1)
            return np.asarray(dijkstra(self.graph.edges.T.tocsr(), indices=nearest))

        return score


def learned(
    experiment: Experiment,
    name: str,
    seed: int,
    recipe: Plan2vecRecipe | None = None,
    rollouts: int = ROLLOUTS,
) -> LearnedMaze:
    """Trains where it is not trained yet; minutes: of a whole training, or nan where it went on."""
    recipe = experiment.recipe(recipe or Plan2vecRecipe())
    sequences, _ = experiment.maze(name, seed, rollouts)
    folder = experiment.folder / f"{name}.{seed}.{rollouts}"
    begun = math.nan if folder.exists() else time.monotonic()
    found, graph = learn(sequences, recipe, folder, seed)
    minutes = (time.monotonic() - begun) / 60.0
    return LearnedMaze(name, sequences, found, graph, folder, minutes)
