"""Figures 8 and 6, right: what a plan costs, against how long it is, in the large town."""

import time
from collections.abc import Callable

import numpy as np
from scipy.sparse.csgraph import dijkstra as all_lengths

from benchmarks.plan2vec.experiment import TRIAL_SEED, Experiment
from benchmarks.plan2vec.towns import learned_town
from latentplan_ros.evaluation.plan2vec.town_trials import Guide, by_points, draw_tasks
from latentplan_ros.evaluation.results import Figure
from latentplan_ros.graph.search import Found, a_star, greedy

MEMORY = 64  # places that the greedy search may come back to
DEPTHS = (10, 20, 40, 80, 120, 160, 200)
NAME = "large"


def costs(experiment: Experiment) -> None:
    """Writes plan2vec/{expansions_per_step, cost_exponent, cost_linear_r2, stretch}[/<search>].

    expansions_per_step: of the deepest plans; cost_exponent: of the cost against the depth of a
    plan; stretch: how much longer than the shortest a path is.
    """
    if experiment.known("searches"):
        return
    tasks_each = experiment.some(10, 2)
    # A training that goes on takes less than a whole one.
    whole = not (experiment.folder / f"streets_{NAME}.0").exists()
    begun = time.monotonic()
    sequences, found, graph = learned_town(experiment, NAME, 0)
    minutes = (time.monotonic() - begun) / 60.0
    assert sequences.truth is not None
    edges = graph.edges
    learnt = by_points(found.points(sequences.pictures), found.metric.p)
    metres = np.asarray(sequences.truth) / 10.0  # a step is 10 m
    nothing: Guide = lambda goal: lambda frames: np.zeros(len(frames))  # noqa: E731

    def by_a_star(guide: Guide) -> Callable[[int, int], Found]:
        return lambda start, goal: a_star(edges, start, goal, guide(goal))

    searches: dict[str, Callable[[int, int], Found]] = {
        "plan2vec": lambda s, g: greedy(edges, s, g, learnt(g), 1, MEMORY, 10 * len(metres)),
        "plan2vec_a_star": by_a_star(learnt),
        "a_star_l1": by_a_star(by_points(metres, 1.0)),
        "a_star_l2": by_a_star(by_points(metres, 2.0)),
        "dijkstra": by_a_star(nothing),
    }
    depths = DEPTHS if not experiment.quick else (5, 10)
    furthest = int(all_lengths(edges, indices=0, unweighted=True).max())
    raw: dict[str, list[dict[str, float]]] = {name: [] for name in searches}
    for depth in depths:
        if depth > furthest:
            continue
        tasks = draw_tasks(edges, tasks_each, TRIAL_SEED, (max(1, depth - 2), depth + 2))
        for name, search in searches.items():
            for start, goal in tasks:
                way = search(start, goal)
                shortest = float(all_lengths(edges, indices=start)[goal])
                steps = len(way.path) - 1
                raw[name].append(
                    {
                        "depth": depth,
                        "expansions": way.expansions,
                        "steps": steps,
                        "reached": float(bool(way.path)),
                        "stretch": way.length / shortest if way.path else 0.0,
                    }
                )
    figures: dict[str, Figure] = {}
    deepest = max(row["depth"] for row in raw["plan2vec"])
    for name, rows in raw.items():
        ends = [row for row in rows if row["depth"] == deepest and row["reached"]]
        each = [row["expansions"] / row["steps"] for row in ends]
        ending = "" if name == "plan2vec" else f"/{name}"
        if each:
            figures[f"plan2vec/expansions_per_step{ending}"] = Figure.median(
                each, "expansions a step"
            )
        good = [row for row in rows if row["reached"]]
        depth, cost = np.array([[row["depth"], row["expansions"]] for row in good], float).T
        slope = np.polyfit(np.log(depth), np.log(cost), 1)[0]
        figures[f"plan2vec/cost_exponent{ending}"] = Figure(float(slope), "exponent", len(good))
        figures[f"plan2vec/cost_linear_r2{ending}"] = Figure(
            float(np.corrcoef(depth, cost)[0, 1] ** 2), "R2 of a line", len(good)
        )
        figures[f"plan2vec/stretch{ending}"] = Figure.median(
            [row["stretch"] for row in ends] or [0.0], "times the shortest"
        )
        figures[f"plan2vec/searches_that_end{ending}"] = Figure(
            float(np.mean([row["reached"] for row in rows])), "fraction", len(rows)
        )
    if whole and not experiment.quick:
        figures[f"plan2vec/train_minutes/streets_{NAME}"] = Figure(minutes, "minutes", 1)
    experiment.write("searches", figures, raw, town=NAME, memory=MEMORY, depths=depths)
