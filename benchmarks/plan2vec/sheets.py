"""Pictures for people: Figures 5, 9 and 10 of the paper, drawn from the first seed."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy.spatial.distance import cdist

from benchmarks.plan2vec.experiment import TRIAL_SEED, TRIALS, Experiment
from benchmarks.plan2vec.mazes import LearnedMaze, learned
from benchmarks.plan2vec.quadrants import Restricted, learned_restricted, opposite
from benchmarks.plan2vec.towns import learned_town
from benchmarks.plot_file import save
from latentplan_ros.evaluation.plan2vec.maze_trials import draw_trials, try_maze
from latentplan_ros.learning.plan2vec.learn import Plan2vecRecipe, distill
from latentplan_ros.models.picture_map import PictureMap
from latentplan_ros.sim.worlds.maze import MAZES

PAIRS, EDGES = 4000, 3000  # drawn of all
_DPI = 80


def draw(experiment: Experiment) -> None:
    """Writes docs/plan2vec/{embedding,cmaze,town,quadrants}.png."""
    folder = experiment.pictures()
    worlds = {name: learned(experiment, name, 0) for name in MAZES}
    figure, axes = plt.subplots(2, 3, figsize=(9, 6))
    for column, (name, world) in enumerate(worlds.items()):
        _embedding(experiment, world, name, axes[:, column])
    save(figure, folder / "embedding.png", _DPI)
    save(_maze_figure(worlds["cmaze"]), folder / "cmaze.png", _DPI)
    save(_town_figure(experiment), folder / "town.png", _DPI)
    save(_quadrants_figure(learned_restricted(experiment, 0)), folder / "quadrants.png", _DPI)


def _embedding(experiment: Experiment, world: LearnedMaze, name: str, axes: np.ndarray) -> None:
    """Figure 5: a map of two numbers, coloured by where the block truly is."""
    recipe = experiment.recipe(Plan2vecRecipe(latent=2))
    torch.manual_seed(0)
    flat = PictureMap(recipe.features, 2, recipe.p)
    folder = experiment.folder / f"{name}.flat"
    folder.mkdir(parents=True, exist_ok=True)
    distill(flat, world.sequences, world.graph, recipe, folder, 0)
    places = world.hops.places
    colours = _colours(places)
    for axis, points, title in zip(
        axes, (places, flat.points(world.sequences.pictures)), (name, "learned map"), strict=True
    ):
        axis.scatter(*points.T, c=colours, s=2)
        axis.set_title(title)
        axis.set_aspect("equal")
        axis.set_xticks([])
        axis.set_yticks([])


def _maze_figure(world: LearnedMaze) -> plt.Figure:
    """Figure 10: local scores, edges recorded and found, a way around the wall, a value map."""
    figure, axes = plt.subplots(1, 4, figsize=(15, 4))
    rng, places = np.random.default_rng(0), world.hops.places
    pairs = rng.integers(len(places), size=(PAIRS, 2))
    near = world.sequences.steps[rng.integers(len(world.sequences.steps), size=PAIRS // 4)]
    for some, colour, label in ((pairs, "tab:gray", "any two"), (near, "tab:blue", "recorded")):
        metres = np.linalg.norm(places[some[:, 0]] - places[some[:, 1]], axis=1)
        score = np.linalg.norm(world.recorded[some[:, 0]] - world.recorded[some[:, 1]], axis=1)
        axes[0].scatter(metres, score, s=2, c=colour, label=label)
    axes[0].axhline(world.found.threshold, color="tab:red", lw=1, label="threshold")
    axes[0].set_xlabel("true distance, m")
    axes[0].set_ylabel("local metric")
    axes[0].legend(frameon=False, markerscale=4)

    edges = world.graph.edges.tocoo()
    chosen = rng.choice(edges.nnz, min(EDGES, edges.nnz), replace=False)
    for start, end in zip(edges.row[chosen], edges.col[chosen], strict=True):
        axes[1].plot(*places[[start, end]].T, c="tab:red", lw=0.4)
    for start, end in near:
        axes[1].plot(*places[[start, end]].T, c="tab:blue", lw=0.4)
    axes[1].set_title("edges: recorded blue, found red")

    starts, goals = draw_trials(world.maze, TRIALS, TRIAL_SEED)
    longest = int(np.argmax(np.abs(np.diff(np.stack([starts, goals])[:, :, 1], axis=0))))
    way = try_maze(world.maze, world.hops, world.by_map(), starts[[longest]], goals[[longest]])[0]
    axes[2].scatter(*places.T, c="lightgray", s=1)
    axes[2].plot(*way.T, "o-", c="tab:red", ms=3, lw=1)
    axes[2].plot(*goals[longest], "o", mfc="none", mec="black", ms=12)
    axes[2].set_title("1-step planning")

    goal = np.array([[-0.22, -0.2]])
    apart = world.by_map()(world.maze.render(goal))[0]
    shown = axes[3].scatter(*places.T, c=apart, s=2, cmap="turbo_r")
    axes[3].plot(*goal[0], "o", mfc="none", mec="black", ms=12)
    axes[3].set_title("steps to the goal, learned")
    figure.colorbar(shown, ax=axes[3])
    for axis in axes[1:]:
        axis.set_aspect("equal")
    return figure


def _town_figure(experiment: Experiment) -> plt.Figure:
    """Figure 8 a: the large town, its learned map's first two components, and some of its views."""
    sequences, found, _ = learned_town(experiment, "large", 0)
    assert sequences.truth is not None
    points = found.points(sequences.pictures)
    colours = _colours(sequences.truth)
    figure, axes = plt.subplots(1, 3, figsize=(14, 4.6))
    for axis, where, title in zip(
        axes, (sequences.truth, _flat(points)), ("true places", "learned map"), strict=False
    ):
        axis.scatter(*where.T, c=colours, s=4)
        axis.set_title(title)
        axis.set_aspect("equal")
    shown = sequences.pictures[:: max(1, len(sequences.pictures) // 16)][:16]
    grid = np.vstack([np.hstack(list(shown[row : row + 4])) for row in (0, 4, 8, 12)])
    axes[2].imshow(grid, cmap="gray", vmin=0, vmax=255)
    axes[2].set_title("views")
    axes[2].axis("off")
    return figure


def _quadrants_figure(world: Restricted) -> plt.Figure:
    """Figure 9: quarters, what was learned and what was not, and both maps."""
    figure, axes = plt.subplots(1, 4, figsize=(16, 4))
    truth = world.sequences.truth
    assert truth is not None
    rng = np.random.default_rng(0)
    starts = rng.choice(len(truth), 60, replace=False)
    true = world.graph.distances(starts)
    apart = cdist(world.restricted[starts], world.restricted, "minkowski", p=world.p)
    unseen = opposite(world.quarters[starts, None], world.quarters)
    for known, colour, label in ((~unseen, "black", "learned from"), (unseen, "tab:red", "never")):
        rows = np.flatnonzero(known & np.isfinite(true))
        rows = rng.choice(rows, min(PAIRS, len(rows)), replace=False)
        axes[1].scatter(true.flat[rows], apart.flat[rows], s=2, c=colour, label=label)
    axes[1].set_xlabel("steps of the shortest path")
    axes[1].set_ylabel("learned")
    axes[1].legend(frameon=False, markerscale=4)
    colours = np.array([[0, 0, 0], [0.95, 0.5, 0.7], [0.95, 0.5, 0.7], [0, 0, 0]])[world.quarters]
    for axis, where, title in (
        (axes[0], truth, "no tasks between like quarters"),
        (axes[2], _flat(world.restricted), "learned without them"),
        (axes[3], _flat(world.control), "learned with all"),
    ):
        axis.scatter(*where.T, c=colours, s=6)
        axis.set_title(title)
        axis.set_aspect("equal")
    return figure


def _flat(points: np.ndarray) -> np.ndarray:
    """Their first two principal components."""
    centred = points - points.mean(0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    flat: np.ndarray = centred @ axes[:2].T
    return flat


def _colours(places: np.ndarray) -> np.ndarray:
    """A colour a place, ``[N,2]`` to ``[N,3]``."""
    low, high = places.min(0), places.max(0)
    x, y = ((places - low) / (high - low)).T
    return np.stack([x, 1.0 - np.abs(x - y), y], axis=1).clip(0.0, 1.0)
