"""How long graphs of 1,000 to 100,000 frames take to build, and how much memory."""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.destination import ROOT
from benchmarks.plan2vec.experiment import ROLLOUT_STEPS, Experiment
from benchmarks.plan2vec.mazes import learned
from latentplan_ros.data.sequences import Sequences
from latentplan_ros.evaluation.results import Figure
from latentplan_ros.graph.frame_graph import FrameGraph
from latentplan_ros.learning.plan2vec.learn import picture_graph
from latentplan_ros.models.picture_map import PictureMap
from latentplan_ros.sim.worlds.maze import MAZES, random_rollouts

SIZES, CHECKED, MAZE = (1_000, 3_000, 10_000, 30_000, 100_000), 2_000, "table"
CANDIDATES = 64


def build_times(experiment: Experiment) -> None:
    """Writes plan2vec/graph_minutes/<size>, plan2vec/graph_gib/<size>, plan2vec/graph_growth.

    A process a size, so that the memory of one is not counted for another: features of all frames,
    candidates and edges; pictures and the metric's training are not part of it.
    """
    if experiment.known("graph"):
        return
    found = learned(experiment, MAZE, 0).found
    file = experiment.folder / "growth.safetensors"
    found.save(file)
    rows = [
        json.loads(
            subprocess.run(
                [sys.executable, "-m", "benchmarks.plan2vec.growth", str(file), str(size)],
                cwd=ROOT,
                check=True,
                capture_output=True,
                text=True,
            ).stdout
        )
        for size in (SIZES if not experiment.quick else (300, 1_000))
    ]
    figures = {}
    for row in rows:
        name = f"{row['frames'] // 1000}k"
        figures[f"plan2vec/graph_minutes/{name}"] = Figure(row["seconds"] / 60.0, "minutes", 1)
        figures[f"plan2vec/graph_gib/{name}"] = Figure(row["gib"], "GiB", 1)
    last = np.log([[row["frames"], row["seconds"]] for row in rows[-3:]])
    exponent = np.polyfit(last[:, 0], last[:, 1], 1)[0]
    figures["plan2vec/graph_growth"] = Figure(float(exponent), "exponent", len(last))
    longer = longer_paths(found, experiment.some(CHECKED, 200))
    figures["plan2vec/graph_longer_paths"] = Figure(longer, "times the exact graph's", 1)
    experiment.write("graph", figures, rows, maze=MAZE, candidates=CANDIDATES)


def longer_paths(found: PictureMap, frames: int) -> float:
    """How much longer paths are with candidates than with edges between all that is near."""
    sequences = _sequences(frames)
    features = found.features(sequences.pictures)
    exact = FrameGraph.build(
        len(features),
        sequences.steps,
        sequences.lengths,
        lambda start, end: np.linalg.norm(features[start] - features[end], axis=1),
        found.threshold,
        None,
    )
    starts = np.arange(0, len(features), max(1, len(features) // 50))
    quick = picture_graph(found, sequences, CANDIDATES).distances(starts)
    whole = exact.distances(starts)
    known = np.isfinite(quick) & (whole > 0)
    return float((quick[known] / whole[known]).mean())


def _sequences(frames: int) -> Sequences:
    rollouts = random_rollouts(MAZES[MAZE], frames // (ROLLOUT_STEPS + 1) + 1, ROLLOUT_STEPS, 7)
    return Sequences.in_a_row(list(rollouts.pictures), list(rollouts.truth))


def _one(file: Path, frames: int) -> None:
    """In a process of its own; prints JSON."""
    found, sequences = PictureMap.load(file), _sequences(frames)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.monotonic()
    graph = picture_graph(found, sequences, CANDIDATES)
    seconds = time.monotonic() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        json.dumps(
            {
                "frames": frames,
                "seconds": seconds,
                "gib": peak / 2**20,
                "gib_before": before / 2**20,
                "edges": int(graph.edges.nnz),
                "parts": int(graph.components().max()) + 1,
            }
        )
    )


if __name__ == "__main__":
    _one(Path(sys.argv[1]), int(sys.argv[2]))
