"""What every experiment of the paper shares: how much of everything, results, success rates."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.destination import ROOT, results_file
from latentplan_ros.data.sequences import Sequences
from latentplan_ros.evaluation.results import Figure, write_results
from latentplan_ros.evaluation.statistics import wilson
from latentplan_ros.learning.plan2vec.learn import Plan2vecRecipe
from latentplan_ros.sim.worlds.maze import MAZES, random_rollouts

TRIAL_SEED = 1_000_000  # and one more a training seed; data use seeds below
ROLLOUTS, ROLLOUT_STEPS, TRIALS = 1000, 10, 50  # B.1; trials a seed
PICTURES = ROOT / "docs" / "plan2vec"


@dataclass(frozen=True)
class Experiment:
    """seeds: of data, training and trials; folder: of training state; quick: no measurement."""

    seeds: tuple[int, ...]
    folder: Path
    quick: bool

    def some(self, many: int, few: int) -> int:
        return few if self.quick else many

    def recipe(self, recipe: Plan2vecRecipe) -> Plan2vecRecipe:
        """The same, cut to a few updates where quick."""
        if not self.quick:
            return recipe
        return replace(
            recipe,
            local=replace(recipe.local, updates=30),
            amortized=replace(recipe.amortized, updates=10, searches=32),
        )

    def maze(self, name: str, seed: int, rollouts: int = ROLLOUTS) -> tuple[Sequences, np.ndarray]:
        """What random policies recorded, and the move of each step ``int64 [E]``."""
        count = min(rollouts, self.some(rollouts, 40))
        recorded = random_rollouts(MAZES[name], count, ROLLOUT_STEPS, seed)
        sequences = Sequences.in_a_row(list(recorded.pictures), list(recorded.truth))
        return sequences, recorded.moves.reshape(-1)

    def pictures(self) -> Path:
        folder = results_file("plan2vec/x", True).parent if self.quick else PICTURES
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def known(self, name: str) -> dict[str, Any] | None:
        """The results file, where it holds these seeds already."""
        file = results_file(f"plan2vec/{name}", self.quick)
        if self.quick or not file.exists():
            return None
        document = json.loads(file.read_text())
        return document if set(self.seeds) <= set(document["seeds"]) else None

    def write(self, name: str, figures: Mapping[str, Figure], raw: Any, **settings: Any) -> None:
        write_results(
            results_file(f"plan2vec/{name}", self.quick),
            figures,
            seeds=self.seeds,
            settings=settings,
            raw={"values": raw},
        )
        for title, figure in figures.items():
            low, high = figure.low, figure.high
            interval = "" if low is None else f" [{low:.3g}, {high:.3g}]"
            print(f"{title:48} {figure.value:.3g} {figure.unit}{interval}", flush=True)

    def success(
        self, name: str, run: Callable[[int], dict[str, np.ndarray]], **settings: Any
    ) -> None:
        """Runs what has no results file yet; a seed gives ``bool [trials]`` a method.

        name: world; methods are named plan2vec/success/<world>[/<method>], our own without.
        """
        if self.known(name):
            return
        by_seed = [run(seed) for seed in self.seeds]
        figures = {
            title_of(name, method): rate([results[method] for results in by_seed])
            for method in by_seed[0]
        }
        raw = {
            method: {
                "by_seed": [float(results[method].mean()) for results in by_seed],
                **spread([results[method] for results in by_seed]),
            }
            for method in by_seed[0]
        }
        self.write(name, figures, raw, **settings)


def title_of(world: str, method: str) -> str:
    return f"plan2vec/success/{world}" + ("" if method == "plan2vec" else f"/{method}")


def rate(reached: Sequence[np.ndarray]) -> Figure:
    """Over all seeds together, with its Wilson interval."""
    together = np.concatenate(reached)
    low, high = wilson(int(together.sum()), len(together))
    return Figure(float(together.mean()), "fraction", len(together), low, high)


def spread(reached: Sequence[np.ndarray]) -> dict[str, float]:
    """Mean and standard deviation over seeds, as the paper's tables have them."""
    rates = [float(part.mean()) for part in reached]
    return {"mean": float(np.mean(rates)), "std": float(np.std(rates))}
