"""Whether a better representation reaches more goals: three blocks, equal compute."""

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path

from torch import nn

from benchmarks.destination import ROOT, results_file
from benchmarks.mbold.experiment import Experiment as Trials
from benchmarks.representation.compute import flops_of_update, within
from benchmarks.representation.entries import (
    NONE,
    new_model,
    views_of,
    world_model_stage,
)
from benchmarks.representation.experiment import SEED, SIDE, Experiment, is_done
from benchmarks.representation.judge import probed, show
from benchmarks.representation.seen import seen_in
from benchmarks.representation.ways import BESIDE, way_of
from latentplan_ros.data.dataset import Dataset
from latentplan_ros.evaluation.methods import make_policy
from latentplan_ros.evaluation.representation.probes import Probes
from latentplan_ros.evaluation.results import Figure, write_results
from latentplan_ros.evaluation.run import STEPS
from latentplan_ros.learning.objectives import find
from latentplan_ros.learning.train import Recipe, load_recipe, train
from latentplan_ros.models.checkpoint import load_checkpoint
from latentplan_ros.sim.tasks.push import SawyerPush3

TASK, RECIPE, GOALS = SawyerPush3.name, "representation_control", 100
METHOD = "mahalanobis"  # reaches most with three blocks, and takes no training


class RegularGoals(SawyerPush3):
    """Three blocks, and goals that move one by more than 7.5 cm."""

    goal_kinds = ("regular",)


def control(experiment: Experiment, entry: str) -> None:
    """Writes success/sawyer_push3/objective_<entry>, and probe_cm/<entry>/sawyer_push3_control of
    its encoder, where there are no results yet.

    ``none`` trains the world model for the updates of the recipe; with an objective beside it there
    are fewer, for as much compute. Dynamics are trained alike for all, and the distance is taken
    from what latents change by.
    """
    file = results_file(f"representation/control.{entry}", experiment.quick)
    data, recipe = experiment.path(TASK), _recipe(experiment, entry)
    goals, steps = (1, 3) if experiment.quick else (GOALS, STEPS)
    settings = {"method": METHOD, "recipe": asdict(recipe), "goals": goals, "steps": steps}
    settings["episodes"] = Dataset.open(data).num_episodes
    if is_done(file, settings, experiment.quick):
        return
    # Named by its settings, so that none is tried that was trained by others.
    digest = hashlib.sha256(json.dumps(settings).encode()).hexdigest()[:8]
    checkpoint = experiment.folder / f"control.{entry}.{digest}.safetensors"
    if not checkpoint.exists():
        train(METHOD, data, checkpoint, recipe, SEED, second_view=_second_view(experiment, entry))
    trials = Trials((SEED,), goals, experiment.episodes, steps, experiment.folder, experiment.quick)
    model = load_checkpoint(checkpoint)
    figures = _probed(experiment, Dataset.open(data), recipe, model.encoder, entry)
    outcomes = trials.tried(RegularGoals(), make_policy("model", model), f"{TASK} {entry}")
    figures[f"success/{TASK}/objective_{entry}"] = Figure.success(outcomes)
    write_results(file, figures, seeds=[SEED], settings=settings, outcomes=outcomes)
    show(figures)


def _probed(
    experiment: Experiment, dataset: Dataset, recipe: Recipe, encoder: nn.Module, entry: str
) -> dict[str, Figure]:
    """Of the encoder, on the episodes that its training kept out."""
    seen = seen_in(dataset, *dataset.split(recipe.held_out, SEED), experiment)
    frames = {name: part.encoded(encoder) for name, part in seen.items()}
    named = entry if entry == NONE else f"{entry}{BESIDE}"
    return probed(Probes(frames["fitted"]), frames, f"probe_cm/{named}/{TASK}_control")


def _recipe(experiment: Experiment, entry: str) -> Recipe:
    """For as much compute of the world model's stage as the plain one takes."""
    if experiment.quick:
        recipe = replace(load_recipe(ROOT / "benchmarks" / "quick.yaml"), distance={})
    else:
        recipe = load_recipe(RECIPE)
    if entry == NONE:
        return recipe
    plain, whole = (_flops(experiment, recipe, name) for name in (NONE, entry))
    updates = within(recipe.world_model.updates * plain, whole)
    world_model = replace(recipe.world_model, updates=updates)
    return replace(recipe, world_model=world_model, objective=way_of(entry).beside)


def _flops(experiment: Experiment, recipe: Recipe, entry: str) -> int:
    choice = None if entry == NONE else way_of(entry).beside
    data, views = experiment.dataset(TASK), views_of(experiment, TASK, entry)
    model, training = new_model(recipe), experiment.training
    return flops_of_update(world_model_stage(model, recipe, data, training, choice, views))


def _second_view(experiment: Experiment, entry: str) -> Path | None:
    """The other camera's dataset, of as many episodes, where the objective needs one."""
    if entry == NONE or find(entry).needs.views == 1:
        return None
    return experiment.path(TASK, SIDE, Dataset.open(experiment.path(TASK)).num_episodes)
