"""Plan2vec from sequences of pictures, end to end: local metric, graph, global metric."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric

from latentplan_ros.data.sequences import Sequences
from latentplan_ros.graph.candidates import candidates
from latentplan_ros.graph.frame_graph import FrameGraph
from latentplan_ros.learning.plan2vec.amortized import AmortizedRecipe, AmortizedSearchStage
from latentplan_ros.learning.plan2vec.local import LocalMetricStage, LocalRecipe, neighbours
from latentplan_ros.learning.trainer import run_stage
from latentplan_ros.models.picture_map import PictureMap

_PAIRS, _RANDOM = 20_000, 1_000_000  # to choose a threshold by


@dataclass(frozen=True)
class Plan2vecRecipe:
    """features: of the local metric; latent, p: of the map.

    candidates: pictures that each is asked about for the graph; 0: recorded steps alone are edges.
    joined: the largest share of random pairs that the threshold may take for near. Where pictures
    that look alike are rare, what passes above it are worm holes.
    """

    features: int = 32
    candidates: int = 64
    joined: float = 1.0
    latent: int = 32
    p: float = 2.0
    local: LocalRecipe = field(default_factory=LocalRecipe)
    amortized: AmortizedRecipe = field(default_factory=AmortizedRecipe)


def learn(
    sequences: Sequences, recipe: Plan2vecRecipe, folder: Path, seed: int
) -> tuple[PictureMap, FrameGraph]:
    """Trains both metrics on all of the sequences; logs and training state go to ``folder``.

    A stopped run continues where it was. Raises GraphError where no picture is near another.
    """
    found = learn_local(sequences, recipe, folder, seed)
    graph = picture_graph(found, sequences, recipe.candidates)
    distill(found, sequences, graph, recipe, folder, seed)
    return found, graph


def learn_local(
    sequences: Sequences, recipe: Plan2vecRecipe, folder: Path, seed: int
) -> PictureMap:
    """A map whose local metric is trained and has its threshold, and whose global one is not."""
    torch.manual_seed(seed)
    found = PictureMap(recipe.features, recipe.latent, recipe.p)
    folder.mkdir(parents=True, exist_ok=True)
    stage = LocalMetricStage(found.local, sequences, recipe.local)
    run_stage(Fabric(accelerator="cpu", devices=1), stage, folder, seed)
    found.local.eval()
    best = best_threshold(*recorded_and_random(found, sequences, recipe.local.span))
    found.threshold = min(best, _rarely_below(found, sequences, recipe.joined))
    return found


def picture_graph(found: PictureMap, sequences: Sequences, count: int) -> FrameGraph:
    """Recorded steps, and what of ``count`` candidates a picture the local metric finds near."""
    features = found.features(sequences.pictures)
    return FrameGraph.build(
        len(features),
        sequences.steps,
        sequences.lengths,
        lambda start, end: np.linalg.norm(features[start] - features[end], axis=1),
        found.threshold,
        candidates(features, count) if count else np.empty((0, 2), np.int64),
    )


def distill(
    found: PictureMap,
    sequences: Sequences,
    graph: FrameGraph,
    recipe: Plan2vecRecipe,
    folder: Path,
    seed: int,
) -> None:
    """Trains the map's global metric on shortest paths of the graph (Algorithm 1)."""
    stage = AmortizedSearchStage(found.metric, sequences.pictures, graph, recipe.amortized, seed)
    run_stage(Fabric(accelerator="cpu", devices=1), stage, folder, seed)
    found.metric.eval()


def recorded_and_random(
    found: PictureMap, sequences: Sequences, span: int
) -> tuple[np.ndarray, np.ndarray]:
    """Local distances of recorded neighbours, and of random pairs, twice as many."""
    rng = np.random.default_rng(0)
    features = found.features(sequences.pictures)
    near = rng.permutation(neighbours(sequences, span))[:_PAIRS]
    far = rng.integers(len(features), size=(2 * len(near), 2))
    near_apart, far_apart = (
        np.linalg.norm(features[pairs[:, 0]] - features[pairs[:, 1]], axis=1)
        for pairs in (near, far)
    )
    return near_apart, far_apart


def _rarely_below(found: PictureMap, sequences: Sequences, share: float) -> float:
    """The local distance that this share of random pairs stays below."""
    features = found.features(sequences.pictures)
    pairs = np.random.default_rng(0).integers(len(features), size=(_RANDOM, 2))
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    apart = np.linalg.norm(features[pairs[:, 0]] - features[pairs[:, 1]], axis=1)
    return float(np.quantile(apart, share))


def best_threshold(near: np.ndarray, far: np.ndarray) -> float:
    """The distance that tells most pairs right, ``[A]`` recorded and ``[B]`` random ones.

    Between two of the distances seen, so that rounding decides nothing.
    """
    apart = np.concatenate([near, far])
    order = np.argsort(apart, kind="stable")
    gained = np.cumsum(np.where(order < len(near), 1, -1))
    best = int(np.argmax(gained))
    above = apart[order[min(best + 1, len(order) - 1)]]
    return float((apart[order[best]] + above) / 2.0)
