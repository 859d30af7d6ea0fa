"""Table 5: how many pairs the local metric tells right, on held-out sequences."""

from dataclasses import replace

import numpy as np
import torch
from lightning_fabric import Fabric

from benchmarks.plan2vec.experiment import ROLLOUTS, Experiment
from latentplan_ros.data.sequences import Sequences
from latentplan_ros.evaluation.plan2vec.accuracy import Pairs, share_right
from latentplan_ros.evaluation.results import Figure
from latentplan_ros.learning.plan2vec.learn import (
    Plan2vecRecipe,
    best_threshold,
    learn_local,
    recorded_and_random,
)
from latentplan_ros.learning.plan2vec.local import LocalMetricStage, LocalRecipe
from latentplan_ros.learning.plan2vec.sources import ROPE, TOWN
from latentplan_ros.learning.trainer import run_stage
from latentplan_ros.models.local_metric import StackedMetric
from latentplan_ros.sim.worlds.maze import MAZES, STEP_M
from latentplan_ros.sim.worlds.rope import record_rope
from latentplan_ros.sim.worlds.streets import town

FOLDS, PAPER = 10, 1.5  # the paper's threshold, right between 1 and 2
VARIANTS = ("hinge", "nce")
STACKED = LocalRecipe(updates=600, batch_size=64)  # the paper's own network; cut for two cores


def table(experiment: Experiment, domain: str) -> None:
    """Writes plan2vec/local_accuracy/<domain>/... over ten folds; a town is all for training."""
    if experiment.known(f"local_{domain}"):
        return
    recipe, sequences = _data(experiment, domain)
    numbers = np.random.default_rng(0).permutation(np.unique(sequences.sequence))
    folds = np.array_split(numbers, FOLDS)[: experiment.some(FOLDS, 1)]
    if domain == "streets":
        folds = [numbers[:0]]
    rows = [
        _fold(experiment, domain, sequences, recipe, number, fold)
        for number, fold in enumerate(folds)
    ]
    figures = {
        f"plan2vec/local_accuracy/{domain}/{name}": Figure(
            float(np.mean([row[name] for row in rows])),
            "fraction",
            len(rows),
            *np.percentile([row[name] for row in rows], [2.5, 97.5]).tolist(),
        )
        for name in rows[0]
    }
    experiment.write(f"local_{domain}", figures, rows, folds=len(folds), threshold=PAPER)


def variants(experiment: Experiment) -> None:
    """Writes plan2vec/local_accuracy/cmaze_<objective or stacked>/..., one fold each."""
    if experiment.known("local_variants"):
        return
    recipe, sequences = _data(experiment, "cmaze")
    fold = np.unique(sequences.sequence)[::FOLDS]
    rows = {
        objective: _fold(
            experiment,
            f"cmaze_{objective}",
            sequences,
            replace(recipe, local=replace(recipe.local, objective=objective)),  # type: ignore[arg-type]
            0,
            fold,
        )
        for objective in VARIANTS
    }
    rows["stacked"] = _stacked(experiment, sequences, fold)
    figures = {
        f"plan2vec/local_accuracy/cmaze_{variant}/{name}": Figure(value, "fraction", 1)
        for variant, row in rows.items()
        for name, value in row.items()
    }
    experiment.write("local_variants", figures, rows, threshold=PAPER)


def _data(experiment: Experiment, domain: str) -> tuple[Plan2vecRecipe, Sequences]:
    if domain in MAZES:
        return Plan2vecRecipe(), experiment.maze(domain, 0, ROLLOUTS)[0]
    if domain == "rope":
        return ROPE, record_rope(*((4, 30) if experiment.quick else (18, 778)))
    return TOWN, town("tiny" if experiment.quick else "large", 0)


def _fold(
    experiment: Experiment,
    domain: str,
    sequences: Sequences,
    recipe: Plan2vecRecipe,
    number: int,
    fold: np.ndarray,
) -> dict[str, float]:
    """train: of the other folds; test: of this one, by the paper's threshold; best_threshold: by
    the one chosen on the training pairs; true_places: against where pictures were taken."""
    training = sequences.only(np.setdiff1d(sequences.sequence, fold))
    folder = experiment.folder / f"local_{domain}.{number}"
    found = learn_local(training, experiment.recipe(recipe), folder, number)
    span = recipe.local.span
    best = best_threshold(*recorded_and_random(found, training, span))

    def right(of: Sequences, threshold: float, truth: bool = False) -> float:
        pairs = Pairs.draw(of, span, np.random.default_rng(number), STEP_M if truth else None)
        return share_right(pairs, found.features(of.pictures), threshold)

    row = {"train": right(training, PAPER)}
    if len(fold):
        test = sequences.only(fold)
        row["test"] = right(test, PAPER)
        row["test_best_threshold"] = right(test, best)
        if domain.split("_")[0] in MAZES:
            row["test_true_places"] = right(test, best, truth=True)
    return row


def _stacked(experiment: Experiment, sequences: Sequences, fold: np.ndarray) -> dict[str, float]:
    """The network of appendix G, both pictures in one."""
    torch.manual_seed(0)
    metric = StackedMetric("maze")
    training = sequences.only(np.setdiff1d(sequences.sequence, fold))
    recipe = replace(STACKED, updates=experiment.some(STACKED.updates, 10))
    folder = experiment.folder / "local_cmaze_stacked"
    folder.mkdir(parents=True, exist_ok=True)
    stage = LocalMetricStage(metric, training, recipe)
    run_stage(Fabric(accelerator="cpu", devices=1), stage, folder, seed=0)
    metric.eval()
    test = sequences.only(fold)
    pictures = torch.from_numpy(test.pictures)

    @torch.no_grad()
    def apart(start: np.ndarray, end: np.ndarray) -> np.ndarray:
        return metric(pictures[start], pictures[end]).numpy()

    pairs = Pairs.draw(test, 1, np.random.default_rng(0))
    true = Pairs.draw(test, 1, np.random.default_rng(0), STEP_M)
    return {
        "test": pairs.share_right(apart, PAPER),
        "test_true_places": true.share_right(apart, PAPER),
    }
