"""Section 5.2, Figures 7, 12 and 13: plans of a rope beside what was recorded."""

from itertools import pairwise

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from benchmarks.plan2vec.experiment import TRIAL_SEED, Experiment
from latentplan_ros.data.sequences import Sequences
from latentplan_ros.evaluation.results import Figure
from latentplan_ros.graph.frame_graph import FrameGraph
from latentplan_ros.graph.search import greedy
from latentplan_ros.learning.plan2vec.learn import learn
from latentplan_ros.learning.plan2vec.sources import ROPE
from latentplan_ros.models.picture_map import PictureMap
from latentplan_ros.sim.worlds.rope import record_rope

PLANS, APART = 100, (40, 200)  # tasks, and how many recorded steps lie between start and goal


def plans(experiment: Experiment) -> None:
    """Writes plan2vec/rope/... and a sheet of one trajectory, Dijkstra's plan and Plan2vec's.

    Starts and goals are of the same trajectory. hop_m: how far the rope moves in a hop of a plan,
    beside recorded steps; shortened: recorded steps for each hop of Dijkstra's plan.
    """
    if experiment.known("rope"):
        return
    sequences = record_rope(*((4, 60) if experiment.quick else (18, 778)))
    found, graph = learn(sequences, experiment.recipe(ROPE), experiment.folder / "rope", 0)
    points, p = found.points(sequences.pictures), found.metric.p
    rng = np.random.default_rng(TRIAL_SEED)
    rows, shown = [], []
    for _ in range(experiment.some(PLANS, 5)):
        start, goal = _task(rng, sequences, experiment)
        best = graph.path(start, goal)
        apart = (np.abs(points - points[goal]) ** p).sum(1) ** (1.0 / p)
        way = greedy(graph.edges, start, goal, lambda frames, a=apart: a[frames], 1, 64)  # type: ignore[misc]
        rows.append(
            {
                "recorded_steps": goal - start,
                "dijkstra_hops": len(best) - 1,
                "dijkstra_hop_m": _moved(sequences, best),
                "plan2vec_hops": len(way.path) - 1,
                "plan2vec_hop_m": _moved(sequences, way.path) if way.path else 0.0,
                "plan2vec_expansions": way.expansions,
                "recorded_hop_m": _moved(sequences, list(range(start, goal + 1))),
            }
        )
        if way.path and len(shown) < 2:
            shown.append((list(range(start, goal + 1)), best, way.path))
    reached = [row for row in rows if row["plan2vec_hops"] > 0]
    figures = {
        "plan2vec/rope/reached": Figure(len(reached) / len(rows), "fraction", len(rows)),
        "plan2vec/rope/hop_m/recorded": Figure.median([r["recorded_hop_m"] for r in rows], "m"),
        "plan2vec/rope/hop_m/dijkstra": Figure.median([r["dijkstra_hop_m"] for r in rows], "m"),
        "plan2vec/rope/shortened": Figure.median(
            [r["recorded_steps"] / r["dijkstra_hops"] for r in rows], "times"
        ),
    }
    if reached:
        figures["plan2vec/rope/hop_m/plan2vec"] = Figure.median(
            [r["plan2vec_hop_m"] for r in reached], "m"
        )
        figures["plan2vec/rope/expansions_per_step"] = Figure.median(
            [r["plan2vec_expansions"] / r["plan2vec_hops"] for r in reached], "expansions a step"
        )
    experiment.write("rope", figures, rows, apart=APART)
    for number, ways in enumerate(shown):
        _sheet(sequences, ways, graph, experiment.pictures() / f"rope_plan_{number}.png")
    _neighbours(sequences, found, graph, experiment.pictures() / "rope_neighbours.png")


def _task(
    rng: np.random.Generator, sequences: Sequences, experiment: Experiment
) -> tuple[int, int]:
    least, most = APART if not experiment.quick else (5, 20)
    while True:
        start = int(rng.integers(len(sequences.pictures)))
        goal = start + int(rng.integers(least, most))
        same = sequences.sequence[start : goal + 1] == sequences.sequence[start]
        if len(same) == goal + 1 - start and same.all():
            return start, goal


def _moved(sequences: Sequences, path: list[int]) -> float:
    """Mean motion of the rope's points in a hop, metres, by the truth."""
    assert sequences.truth is not None
    shape = sequences.truth[path].reshape(len(path), -1, 2)
    return float(np.linalg.norm(np.diff(shape, axis=0), axis=-1).mean())


def _sheet(
    sequences: Sequences, ways: tuple[list[int], ...], graph: FrameGraph, file: object
) -> None:
    """Figure 13: one row a way, evenly thinned; red frames where a hop was not recorded."""
    columns = 14
    figure, axes = plt.subplots(len(ways), columns, figsize=(columns * 0.9, len(ways) * 1.15))
    titles = ("recorded", "Dijkstra", "Plan2vec")
    for row, (way, title) in enumerate(zip(ways, titles, strict=True)):
        found = {b for a, b in pairwise(way) if not graph.recorded[a, b]}
        places = np.linspace(0, len(way) - 1, min(columns, len(way))).round().astype(int)
        for axis in axes[row]:
            axis.axis("off")
        for axis, place in zip(axes[row], places, strict=False):
            frame = way[place]
            axis.imshow(sequences.pictures[frame], cmap="gray", vmin=0, vmax=255)
            axis.set_title(
                f"{sequences.sequence[frame]}:{place}",
                fontsize=6,
                color="tab:red" if frame in found else "black",
                pad=2,
            )
        axes[row][0].text(
            -0.25,
            0.5,
            title,
            rotation=90,
            va="center",
            ha="center",
            fontsize=7,
            transform=axes[row][0].transAxes,
        )
    figure.tight_layout(pad=0.3)
    figure.savefig(file, dpi=100, metadata={"Software": None})
    plt.close(figure)


def _neighbours(sequences: Sequences, found: PictureMap, graph: FrameGraph, file: object) -> None:
    """Figure 12: pictures and what looks nearest in other sequences, with the local score."""
    features = found.features(sequences.pictures)
    frames = np.random.default_rng(0).choice(len(features), 6, replace=False)
    figure, axes = plt.subplots(len(frames), 9, figsize=(9, len(frames) * 1.15))
    for row, frame in zip(axes, frames, strict=True):
        apart = np.linalg.norm(features - features[frame], axis=1)
        apart[sequences.sequence == sequences.sequence[frame]] = np.inf
        nearest = np.argsort(apart)[:8]
        for axis, other in zip(row, [frame, *nearest], strict=True):
            axis.imshow(sequences.pictures[other], cmap="gray", vmin=0, vmax=255)
            axis.axis("off")
            if other != frame:
                far = apart[other] > graph.threshold
                axis.set_title(
                    f"{apart[other]:.2f}", fontsize=7, color="tab:red" if far else "black", pad=2
                )
    figure.tight_layout(pad=0.3)
    figure.savefig(file, dpi=100, metadata={"Software": None})
    plt.close(figure)
