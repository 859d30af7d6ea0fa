"""What PSRL beside the world model costs: the time of its updates over that of plain ones."""

import time
from dataclasses import asdict

import numpy as np
import torch

from benchmarks.destination import results_file
from benchmarks.representation.control import RECIPE, TASK
from benchmarks.representation.entries import (
    NONE,
    new_model,
    views_of,
    world_model_stage,
)
from benchmarks.representation.experiment import Experiment, is_done
from benchmarks.representation.judge import show
from benchmarks.representation.ways import way_of
from latentplan_ros.evaluation.results import Figure, write_results
from latentplan_ros.learning.stage import Stage
from latentplan_ros.learning.train import load_recipe

PSRL = "psrl"
_WARM_UP = 3


def time_ratio(experiment: Experiment) -> None:
    """Writes psrl/time_ratio: median over pairs of updates, one of each, taken in turn."""
    file = results_file("representation/time_ratio", experiment.quick)
    settings = {
        "recipe": asdict(load_recipe(RECIPE)),
        "beside": asdict(way_of(PSRL).beside),
        "threads": torch.get_num_threads(),
    }
    if is_done(file, settings, experiment.quick):
        return
    pairs = 2 if experiment.quick else 40
    plain, beside = _Updates(_stage(experiment, NONE)), _Updates(_stage(experiment, PSRL))
    for _ in range(_WARM_UP):
        plain.seconds()
        beside.seconds()
    seconds = [(plain.seconds(), beside.seconds()) for _ in range(pairs)]
    figure = Figure.median([longer / shorter for shorter, longer in seconds], "times")
    figures = {"psrl/time_ratio": figure}
    write_results(file, figures, seeds=[0], settings=settings, raw={"seconds": seconds})
    show(figures)


class _Updates:
    """Updates of one stage, as the trainer does them."""

    def __init__(self, stage: Stage) -> None:
        self._stage, self._rng = stage, np.random.default_rng(0)
        self._optimizer = torch.optim.Adam(stage.parameter_groups(), fused=True)

    def seconds(self) -> float:
        """Of the next one."""
        begin = time.perf_counter()
        batch = self._stage.sample(self._rng, self._stage.batch_size)
        losses = self._stage(batch)
        self._optimizer.zero_grad(set_to_none=True)
        losses["loss"].backward()
        torch.nn.utils.clip_grad_norm_(self._stage.parameters(), 10.0)
        self._optimizer.step()
        self._stage.after_update(batch, losses)
        return time.perf_counter() - begin


def _stage(experiment: Experiment, entry: str) -> Stage:
    recipe, data = load_recipe(RECIPE), experiment.dataset(TASK)
    choice = None if entry == NONE else way_of(entry).beside
    views = views_of(experiment, TASK, entry)
    return world_model_stage(new_model(recipe), recipe, data, experiment.training, choice, views)
