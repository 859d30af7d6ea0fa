"""From a source of sequences to a folder with both metrics and the graph."""

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path

import numpy as np

from latentplan_ros.data.sequences import Sequences
from latentplan_ros.graph.worm_holes import worm_holes
from latentplan_ros.learning.plan2vec.learn import Plan2vecRecipe, learn
from latentplan_ros.learning.plan2vec.learned import Learned
from latentplan_ros.learning.plan2vec.sources import SourceError, read_source

_PARTS, _HOLES = 5, 5  # that are listed


def build(
    source: str, folder: Path, frames: int, seed: int, recipe: Plan2vecRecipe | None = None
) -> Learned:
    """Learns from a source (see read_source), and writes what was learned into ``folder``.

    The same call continues a stopped one. recipe: by default that of the source. Raises
    SourceError also where the folder is of another source, seed or recipe.
    """
    if folder.exists() and not folder.is_dir():
        raise SourceError(f"{folder} is a file; -o wants a folder")
    found = read_source(source, frames, seed)
    sequences = found.sequences
    recipe = recipe or found.recipe
    training = folder / "training"
    _require_same(training, sequences, recipe, seed)
    learned = Learned(source, sequences, *learn(sequences, recipe, training, seed))
    learned.save(folder)
    return learned


def describe(learned: Learned) -> list[str]:
    """Lines for a person: size, edges, parts, threshold, and the edges to doubt first."""
    sequences, graph = learned.sequences, learned.graph
    sizes = np.bincount(graph.components())
    more = f" and {len(sizes) - _PARTS} smaller ones" if len(sizes) > _PARTS else ""
    lines = [
        f"{len(sequences.pictures)} pictures of {len(np.unique(sequences.sequence))} sequences",
        f"{graph.edges.nnz} edges: {graph.recorded.nnz} recorded, "
        f"{graph.edges.nnz - graph.recorded.nnz} found, where the local metric is up to "
        f"{graph.threshold:.2f} (the threshold)",
        f"{len(sizes)} parts that nothing joins, of "
        f"{', '.join(map(str, sizes[:_PARTS]))} pictures{more}"
        if len(sizes) > 1
        else "1 part: everything hangs together",
    ]
    holes = worm_holes(graph, np.random.default_rng(0), most=_HOLES)
    if holes:
        lines.append("found edges that shorten most paths; a wrong one is a worm hole:")
    for hole in holes:
        way = f"{hole.detour:.1f} steps" if np.isfinite(hole.detour) else "no way"
        lines.append(
            f"  {hole.start} to {hole.end}: on {hole.carried:.1%} of shortest paths; {way} without"
        )
    return lines


def _require_same(training: Path, sequences: Sequences, recipe: Plan2vecRecipe, seed: int) -> None:
    """Notes what a folder's training is of; SourceError where it is of something else already."""
    digest = hashlib.sha256(json.dumps([asdict(recipe), seed], sort_keys=True).encode())
    for values in (sequences.pictures, sequences.steps, sequences.lengths):
        digest.update(np.ascontiguousarray(values).tobytes())
    note = training / "learned_from.txt"
    try:
        training.mkdir(parents=True, exist_ok=True)
        if not note.exists():
            partial = note.with_suffix(".partial")
            partial.write_text(digest.hexdigest())
            os.replace(partial, note)
        known = note.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{training} cannot be written to: {error}; choose another -o") from None
    if known != digest.hexdigest():
        raise SourceError(
            f"{training} is of other pictures, another seed or other settings: choose another "
            "folder, or remove that one"
        )
