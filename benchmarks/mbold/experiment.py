"""What every experiment of the paper shares: datasets, checkpoints, goals, results; resumable."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.destination import ROOT, results_file
from benchmarks.drawer import try_all
from latentplan_ros.evaluation.outcome import Outcome
from latentplan_ros.evaluation.policies import Policy
from latentplan_ros.evaluation.results import Figure, write_results
from latentplan_ros.evaluation.run import make_goals
from latentplan_ros.learning.methods import METHODS
from latentplan_ros.learning.train import Recipe, load_recipe, train
from latentplan_ros.models.checkpoint import TrainedModel, load_checkpoint
from latentplan_ros.resources import resource
from latentplan_ros.sim.collect import collect
from latentplan_ros.sim.goals import Goal
from latentplan_ros.sim.task import Task

GOAL_SEED = 1_000_000
NO_NEGATIVES = "no_negatives"  # trained as mbold, with that of its recipe changed
# What a training without negatives has in common with one that has them.
_SHARED = ("world_model.*", "dynamics.*", "calibration.*", "video.*", "latents.*", "dataset.json")


@dataclass(frozen=True)
class Experiment:
    """How much of everything.

    seeds: of training; goals: of each kind, the same for all seeds; episodes: to learn from; steps:
    of control a goal; folder: of datasets, training states and checkpoints; shipped: methods are
    trained on the world model of the task's shipped checkpoint, in minutes.
    """

    seeds: tuple[int, ...]
    goals: int
    episodes: int
    steps: int
    folder: Path
    quick: bool
    shipped: bool = False

    def recipe(self, task: str, method: str) -> Recipe:
        """The method's own for the task where there is one, or else the task's, which is for MBOLD:
        of its head and distance what the method has too."""
        own = resource("config/recipes") / f"{task}_{method}.yaml"
        if own.exists() and not self.quick:
            return load_recipe(own)
        recipe = load_recipe(ROOT / "benchmarks" / "quick.yaml" if self.quick else task)
        part = METHODS.get(method)
        if part is None:
            return recipe
        settings = {field.name for field in fields(part.recipe)}
        return replace(
            recipe,
            head={name: value for name, value in recipe.head.items() if name in part.sizes},
            distance={name: value for name, value in recipe.distance.items() if name in settings},
        )

    def trained(
        self, task: str, method: str, seed: int, recipe_of: str | None = None
    ) -> TrainedModel:
        """The checkpoint, trained where it is missing; methods of a seed share a world model.

        recipe_of: the task whose recipe to take, where it is another.
        """
        given = resource(f"checkpoints/{task}.safetensors") if self.shipped else None
        shipped = ".shipped" if given else ""
        checkpoint = self.folder / f"{task}.{method}.{seed}{shipped}.safetensors"
        if not checkpoint.exists():
            data, recipe = self.folder / f"{task}.zarr", self.recipe(recipe_of or task, method)
            collect(task, self.episodes, data)
            folder = self.folder / f"{task}.{seed}{shipped}.training"
            if method == NO_NEGATIVES:
                self.trained(task, "latent_l2", seed)
                folder = _copied(folder, folder.with_suffix(f".{NO_NEGATIVES}"))
                recipe = replace(recipe, distance=recipe.distance | {"negatives": 0.0})
                method = "mbold"
            train(method, data, checkpoint, recipe, seed, folder=folder, world_model=given)
        return load_checkpoint(checkpoint)

    def tried(self, task: Task, policy: Policy, title: str) -> list[Outcome]:
        """The policy on this task's goals."""
        return try_all(policy, _goals(type(task), self.goals), self.steps, title, task=task)

    def over_seeds(
        self,
        name: str,
        run: Callable[[int], list[Outcome]],
        figures: Callable[[Sequence[Outcome]], dict[str, Figure]],
        **settings: Any,
    ) -> None:
        """Runs what has no results file with these seeds yet, and writes it.

        run: a seed to its outcomes; figures: named by all outcomes together.
        """
        file = results_file(f"mbold/{name}", self.quick)
        known = json.loads(file.read_text())["seeds"] if file.exists() else []
        if set(self.seeds) <= set(known) and not self.quick:
            return
        outcomes = [run(seed) for seed in self.seeds]
        together = [outcome for group in outcomes for outcome in group]
        named = figures(together)
        write_results(
            file,
            named,
            seeds=self.seeds,
            settings={
                **settings,
                "goal_seed": GOAL_SEED,
                "goals_of_each_kind": self.goals,
                "episodes": self.episodes,
                "steps": self.steps,
                "shipped_world_model": self.shipped,
            },
            outcomes=together,
            raw={"over_seeds": spread(outcomes)},
        )
        for title, figure in named.items():
            print(f"{title:48} {figure.value:.2f} [{figure.low:.2f}, {figure.high:.2f}]")


@cache
def _goals(kind: type[Task], count: int) -> list[Goal]:
    task = kind()
    return [goal for name in task.goal_kinds for goal in make_goals(task, name, count, GOAL_SEED)]


def _copied(source: Path, target: Path) -> Path:
    """The shared part of a training, in a folder of its own."""
    if not target.exists():
        partial = target.with_name(target.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        for pattern in _SHARED:
            for file in source.glob(pattern):
                shutil.copy2(file, partial)
        partial.rename(target)
    return target


def spread(outcomes: list[list[Outcome]]) -> dict[str, dict[str, float]]:
    """Mean and standard deviation over seeds of each kind's success rate."""
    kinds = dict.fromkeys(outcome.kind for outcome in outcomes[0])
    rates = {
        kind: [np.mean([o.success for o in group if o.kind == kind]) for group in outcomes]
        for kind in kinds
    }
    return {
        kind: {"mean": float(np.mean(values)), "std": float(np.std(values))}
        for kind, values in rates.items()
    }
