"""What every representation of a task is judged on: pictures, and the places in them."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import nn

from benchmarks.representation.experiment import SEED, Experiment
from latentplan_ros.data.dataset import Dataset
from latentplan_ros.evaluation.representation.distractors import Distractors
from latentplan_ros.evaluation.representation.places import places
from latentplan_ros.evaluation.representation.probes import Frames

_STRIDE = 2  # every so many frames of an episode are looked at
_AT_ONCE = 512


@dataclass(frozen=True)
class Seen:
    """Pictures ``uint8 [N,64,64,3]``, the places in them, and the episodes they are of."""

    images: np.ndarray
    places: dict[str, np.ndarray]
    episode: np.ndarray

    def encoded(self, encoder: nn.Module) -> Frames:
        return Frames(_latents(encoder, self.images), self.places, self.episode)


@cache
def seen_of(experiment: Experiment, task: str) -> dict[str, Seen]:
    """What every entry of a task is judged on: ``fitted``, ``clean`` and ``distractors``."""
    dataset, training = experiment.dataset(task), experiment.training
    return seen_in(dataset, training, np.arange(len(training), experiment.episodes), experiment)


def seen_in(
    dataset: Dataset, training: np.ndarray, held_out: np.ndarray, experiment: Experiment
) -> dict[str, Seen]:
    """The same of a dataset, by the numbers of its episodes; of those in training some."""
    chosen = np.unique(np.linspace(0, len(training) - 1, experiment.fitted).astype(int))
    draw = Distractors.of(dataset, dataset.frames(training), SEED)
    seen = {"fitted": _some(dataset, training[chosen]), "clean": _some(dataset, held_out)}
    disturbed = [draw(dataset.episode(e).image, e)[::_STRIDE] for e in held_out.tolist()]
    clean = seen["clean"]
    seen["distractors"] = Seen(np.concatenate(disturbed), clean.places, clean.episode)
    return seen


def _some(dataset: Dataset, episodes: np.ndarray) -> Seen:
    each = np.split(episodes, len(episodes))
    frames = np.concatenate([dataset.frames(episode)[::_STRIDE] for episode in each])
    number = np.searchsorted(dataset.episode_ends, frames, side="right")
    return Seen(dataset.images(frames), places(dataset, frames), number)


@torch.no_grad()
def _latents(encoder: nn.Module, images: np.ndarray) -> torch.Tensor:
    parts = [
        encoder(torch.from_numpy(part.transpose(0, 3, 1, 2).copy()))
        for part in np.split(images, range(_AT_ONCE, len(images), _AT_ONCE))
    ]
    return torch.cat(parts)
