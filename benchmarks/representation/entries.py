"""What is compared, and an encoder trained for each entry."""

import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn

from benchmarks.representation.compute import flops_of_update, within
from benchmarks.representation.experiment import SEED, SIDE, Experiment
from benchmarks.representation.ways import BESIDE, way_of
from latentplan_ros.data.dataset import Dataset
from latentplan_ros.learning import objectives
from latentplan_ros.learning.representation.chosen import ChosenObjective, ObjectiveChoice
from latentplan_ros.learning.representation.objective import Objective
from latentplan_ros.learning.representation.pretraining import PretrainingStage
from latentplan_ros.learning.stage import Stage
from latentplan_ros.learning.train import Recipe, load_recipe
from latentplan_ros.learning.trainer import run_stage
from latentplan_ros.learning.world_model import WorldModelStage
from latentplan_ros.models.latent_world_model import LatentWorldModel
from latentplan_ros.sim.tasks import make_task

RANDOM, NONE = "random", "none"  # an untrained encoder; the world model without an objective


@dataclass(frozen=True)
class Trained:
    """An encoder, and what it took: ``updates``, ``flops_of_update``, ``seconds``."""

    encoder: nn.Module
    cost: dict[str, Any]


def every_entry() -> tuple[str, ...]:
    """The untrained encoder, the world model alone, and each objective alone."""
    return (RANDOM, NONE, *objectives.names())


def entries_of(task: str, asked: Sequence[str]) -> list[str]:
    """Those that can be judged on the task: what the objective learns from must have its arm."""
    fit = [entry for entry in asked if _has_arm_of(task, entry)]
    for entry in asked:
        if entry not in fit:
            print(f"{task}: {entry} learns from another arm's recordings, so it is left out")
    return fit


def settings_of(task: str, entry: str) -> dict[str, Any]:
    """What a result of this entry depends on, beside the data and the compute."""
    recipe = load_recipe(task)
    encoder = {name: recipe.model[name] for name in ("latent", "channels", "points")}
    settings: dict[str, Any] = {"entry": entry, "model": encoder}
    if entry == NONE or entry.endswith(BESIDE):
        settings |= {"model": recipe.model, "world_model": asdict(recipe.world_model)}
    if entry.endswith(BESIDE):
        way = way_of(entry.removesuffix(BESIDE))
        settings["beside"] = asdict(way.beside) if way.beside else None
        if way.before:
            settings |= {"before": way.before, "objective": asdict(_kind(entry).recipe_type())}
    elif entry not in (RANDOM, NONE):
        settings["objective"] = asdict(_kind(entry).recipe_type())
    return settings


def train_entry(experiment: Experiment, task: str, entry: str) -> Trained:
    """A new encoder of the task's recipe, trained as the entry says for the experiment's compute.

    All begin with the same weights. One that was cut off begins anew: it takes a minute.
    """
    if entry == RANDOM:
        model = new_model(load_recipe(task))
        return Trained(model.encoder.eval(), {"updates": 0, "flops_of_update": 0, "seconds": 0.0})
    views, training = views_of(experiment, task, entry), experiment.training
    recipe = load_recipe(task)

    def alone(model: LatentWorldModel, updates: int) -> Stage:
        kind = _kind(entry)
        objective = kind(model.encoder, recipe.model["latent"], kind.recipe_type())
        return PretrainingStage(entry, objective, views, training, updates)

    def with_world_model(model: LatentWorldModel, updates: int) -> Stage:
        way = None if entry == NONE else way_of(entry.removesuffix(BESIDE))
        world_model = replace(recipe, world_model=replace(recipe.world_model, updates=updates))
        data = experiment.dataset(task)
        return world_model_stage(model, world_model, data, training, way and way.beside, views)

    before = _share_alone(entry)
    stages = [(alone, before), (with_world_model, 1.0 - before)]
    model = new_model(recipe)
    folder = experiment.folder / f"{task}.{entry}.training"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    done, begin = [], time.perf_counter()
    for make, share in stages:
        if share:
            of_update = flops_of_update(make(new_model(recipe), 1))
            updates = within(share * experiment.flops, of_update)
            run_stage(Fabric(devices=1), make(model, updates), folder, SEED)
            done.append({"updates": updates, "flops_of_update": of_update})
    seconds = time.perf_counter() - begin
    cost = {"seconds": seconds, **done[-1]} | ({"before": done[0]} if len(done) > 1 else {})
    return Trained(model.encoder.cpu().eval(), cost)


def world_model_stage(
    model: LatentWorldModel,
    recipe: Recipe,
    dataset: Dataset,
    episodes: np.ndarray,
    choice: ObjectiveChoice | None,
    views: Sequence[Dataset],
) -> WorldModelStage:
    """The world model's, with an objective beside it if one is chosen."""
    beside = None
    if choice:
        settings = objectives.find(choice.name).recipe_type(**choice.settings)
        sizes = model.encoder, recipe.model["latent"]
        beside = ChosenObjective(choice, settings, *sizes, views).beside(episodes)
    return WorldModelStage(model, dataset, episodes, recipe.world_model, beside)


def new_model(recipe: Recipe) -> LatentWorldModel:
    """With the same weights every time."""
    torch.manual_seed(SEED)
    return LatentWorldModel({**recipe.model, "distance": None})


def _kind(entry: str) -> type[Objective]:
    name = entry.removesuffix(BESIDE)
    return objectives.find(way_of(name).objective if entry.endswith(BESIDE) else name)


def _share_alone(entry: str) -> float:
    """Of the compute, before or without the world model."""
    if entry == NONE:
        return 0.0
    return way_of(entry.removesuffix(BESIDE)).before if entry.endswith(BESIDE) else 1.0


def _has_arm_of(task: str, entry: str) -> bool:
    source = "" if entry in (RANDOM, NONE) else _kind(entry).needs.source
    return not source or make_task(source).profile == make_task(task).profile


def views_of(experiment: Experiment, task: str, entry: str) -> list[Dataset]:
    """What its objective learns from, one dataset a camera."""
    if entry == NONE:
        return []
    needs = _kind(entry).needs
    return [experiment.dataset(needs.source or task, c) for c in ("", SIDE)[: needs.views]]
