"""One HTML page on which a person judges what Plan2vec learned from sequences of pictures."""

import html
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.sparse.csgraph import dijkstra

from latentplan_ros.evaluation.plan2vec import figures
from latentplan_ros.evaluation.plan2vec.plans import Plan, some_plans
from latentplan_ros.graph.frame_graph import GraphError
from latentplan_ros.graph.worm_holes import WormHole, worm_holes
from latentplan_ros.learning.plan2vec.learn import recorded_and_random
from latentplan_ros.learning.plan2vec.learned import Learned

_TEMPLATE = Path(__file__).with_name("page.html")
_PARTS = 10  # that are listed


def show(folder: Path, out: Path) -> None:
    """A page of what ``latentplan graph build`` left in the folder; whole or not at all.

    Raises GraphError or MapError where the folder does not hold that, or nothing can be written.
    """
    learned = Learned.load(folder)
    page = _TEMPLATE.read_text()
    for name, text in _parts(learned).items():
        page = page.replace(f"<!--{name}-->", text)
    partial = out.with_name(out.name + ".partial")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(page)
        partial.replace(out)
    except OSError as error:
        raise GraphError(f"{out} cannot be written: {error.strerror}; choose another -o") from None


def _parts(learned: Learned) -> dict[str, str]:
    sequences, graph = learned.sequences, learned.graph
    points = learned.map.points(sequences.pictures)
    flat, kept = figures.plane(points)
    places = None if sequences.truth is None else figures.plane(sequences.truth)[0]
    plans = some_plans(learned, np.random.default_rng(0))
    holes = worm_holes(graph, np.random.default_rng(0))
    near, far = recorded_and_random(learned.map, sequences, span=1)
    return {
        "TITLE": f"A graph of {html.escape(learned.source)}",
        "SIZE": _size(learned),
        "MAPS": figures.maps(places, flat, [(hole.start, hole.end) for hole in holes]),
        "PLACES": _about_places(sequences.truth),
        "KEPT": f"{kept:.0%}" if points.shape[1] > 2 else "all",
        "PLANS": "\n".join(_strip(learned, n, plan) for n, plan in enumerate(plans, 1)),
        "VALUE": _value(learned, points, flat if places is None else places, plans),
        "HISTOGRAM": figures.histogram(near, far, graph.threshold),
        "TOLD": f"{np.mean(near <= graph.threshold):.1%} of recorded neighbours and "
        f"{np.mean(far <= graph.threshold):.1%} of random pairs",
        "HOLES": "\n".join(_card(learned, hole) for hole in holes)
        or "<p>None: no found edge lies on a shortest path.</p>",
        "PARTS": _components(learned),
    }


def _size(learned: Learned) -> str:
    graph, sequences = learned.graph, learned.sequences
    return (
        f"{graph.num_frames:,} pictures of {_many(len(np.unique(sequences.sequence)), 'sequence')} "
        f"&middot; {graph.recorded.nnz:,} recorded steps &middot; "
        f"{graph.edges.nnz - graph.recorded.nnz:,} edges found by the local metric, up to "
        f"{graph.threshold:.2f} &middot; {_many(int(graph.components().max()) + 1, 'part')}"
    )


def _about_places(truth: np.ndarray | None) -> str:
    if truth is None:
        return "Where they were taken is not known, so they are coloured by their number."
    if truth.shape[1] > 2:
        return (
            f"Left: the truth, {truth.shape[1]} numbers a picture, by its first two principal "
            "components, with the worm holes below as red lines."
        )
    return "Left: the truth, with the worm holes below as red lines."


def _strip(learned: Learned, number: int, plan: Plan) -> str:
    shown = [_picture(learned, plan.frames[0])]
    for frame, score, recorded in zip(plan.frames[1:], plan.scores, plan.recorded, strict=True):
        kind, arrow = ("recorded", "&rarr;") if recorded else ("found", "&#8674;")
        shown.append(
            f'<span class="hop {kind}" title="{kind}"><b>{arrow}</b>{score:.2f}</span>'
            + _picture(learned, frame)
        )
    crossed = _many(len(np.unique(learned.sequences.sequence[plan.frames])), "sequence")
    return (
        f'<article class="plan"><header><b>Plan {number}</b><span>'
        f"{_many(len(plan.scores), 'hop')}, "
        f"{plan.length:.1f} steps, {int((~plan.recorded).sum())} found, through {crossed}</span>"
        f'</header><div class="strip">{"".join(shown)}</div></article>'
    )


def _picture(learned: Learned, frame: int) -> str:
    """With the sequence and the place in it, as in the paper's Fig. 7."""
    of = learned.sequences.sequence
    place = int((of[:frame] == of[frame]).sum())
    return (
        f"<figure><figcaption>{of[frame]}<i>, {place}</i></figcaption>"
        f'<img alt="picture {frame}" title="picture {frame}" '
        f'src="{figures.picture(learned.sequences.pictures[frame])}"></figure>'
    )


def _value(learned: Learned, points: np.ndarray, places: np.ndarray, plans: Sequence[Plan]) -> str:
    if not plans:
        return "<p>No path leads anywhere from the pictures that were tried.</p>"
    path = plans[-1].frames
    goal = path[-1]
    apart = np.linalg.norm(points - points[goal], ord=learned.map.metric.p, axis=1)
    # Against the edges: what leads to the goal, not from it.
    shortest = np.asarray(dijkstra(learned.graph.edges.T.tocsr(), indices=goal))
    known = np.isfinite(shortest)
    off = np.median(np.abs(apart - shortest)[known])
    lost = f" No path leads there from {int((~known).sum()):,} pictures (gray)."
    return (
        f'<div class="goal">{_picture(learned, goal)}<p>The goal of plan {len(plans)}. The learned '
        f"metric differs from the graph by {off:.1f} steps (median), where the furthest picture is "
        f"{shortest[known].max():.1f} away.{'' if known.all() else lost} The line is the plan.</p>"
        f'</div><img class="wide" alt="steps to a goal over all pictures" '
        f'src="{figures.value_maps(places, apart, shortest, path)}">'
    )


def _card(learned: Learned, hole: WormHole) -> str:
    ends = [hole.start, hole.end]
    features = learned.map.features(learned.sequences.pictures[ends])
    score = np.linalg.norm(features[1] - features[0])
    way = f"{hole.detour:.1f} steps" if np.isfinite(hole.detour) else "no way at all"
    return (
        f'<article class="hole"><div class="strip">{_picture(learned, hole.start)}'
        f'<span class="hop found"><b>&#8674;</b>{score:.2f}</span>'
        f"{_picture(learned, hole.end)}</div>"
        f"<p>on {hole.carried:.2%} of shortest paths; without it {way}{_truly(learned, ends)}</p>"
        "</article>"
    )


def _truly(learned: Learned, ends: Sequence[int]) -> str:
    """How far apart two pictures were taken, where truth is a place in the plane."""
    of = learned.sequences
    if of.truth is None or of.truth.shape[1] != 2:
        return ""
    apart = np.linalg.norm(of.truth[ends[1]] - of.truth[ends[0]])
    steps = np.linalg.norm(of.truth[of.steps[:, 1]] - of.truth[of.steps[:, 0]], axis=1)
    return f"; in truth {apart:.2g} apart, a recorded step {np.median(steps):.2g}"


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _components(learned: Learned) -> str:
    parts = learned.graph.components()
    sizes = np.bincount(parts)
    rows = [
        (
            str(number + 1),
            f"{size:,}",
            f"{size / len(parts):.1%}",
            f"{len(np.unique(learned.sequences.sequence[parts == number])):,}",
        )
        for number, size in enumerate(sizes[:_PARTS])
    ]
    if len(sizes) > _PARTS:
        rest = sizes[_PARTS:]
        rows.append(
            (f"{len(rest):,} more", f"{rest.sum():,}", f"{rest.sum() / len(parts):.1%}", "")
        )
    return "\n".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows)
