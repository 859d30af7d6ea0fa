"""How far off arm and objects are where they are read from latents alone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from latentplan_ros.evaluation.diagnosis.probe import Probe
from latentplan_ros.evaluation.results import Figure

_RIDGE = 1e-3  # times the number of frames, on standardised latents: only against singular ones
_RESAMPLES = 1000

Read = Callable[[torch.Tensor], torch.Tensor]  # latents [N,D] to all places in a row [N,K]


@dataclass(frozen=True)
class Frames:
    """latents ``float32 [N,D]``; places by name, ``[N,P,K]`` in metres; episode ``int64 [N]``."""

    latents: torch.Tensor
    places: Mapping[str, np.ndarray]
    episode: np.ndarray


class Probes:
    """A linear and a nonlinear one, fitted to some frames, that read every place at once.

    Latents are standardised by these frames, so that no representation gains by its scale.
    """

    def __init__(self, fitted: Frames) -> None:
        latents = fitted.latents
        self.mean, self.std = latents.mean(0), latents.std(0).clamp_min(1e-6)
        truth = torch.from_numpy(_in_a_row(fitted.places))
        inputs = self.standardised(latents)
        self._read: dict[str, Read] = {"linear": _ridge(inputs, truth)}
        self._read["nonlinear"] = Probe(inputs, truth)

    def standardised(self, latents: torch.Tensor) -> torch.Tensor:
        return (latents - self.mean) / self.std

    @torch.no_grad()
    def errors_cm(self, probe: str, frames: Frames) -> dict[str, np.ndarray]:
        """By name of the place: distance from the truth ``[N]``, its mean over things, in cm."""
        read = self._read[probe](self.standardised(frames.latents)).numpy()
        apart = read - _in_a_row(frames.places)
        errors, column = {}, 0
        for name, places in frames.places.items():
            width = places[0].size
            part = apart[:, column : column + width].reshape(places.shape)
            errors[name] = 100.0 * np.linalg.norm(part, axis=2).mean(axis=1)
            column += width
        return errors


def median_over_episodes(errors: np.ndarray, episode: np.ndarray, unit: str = "cm") -> Figure:
    """Median over frames ``[N]``, with its 95 % bootstrap interval.

    Whole episodes are resampled: frames of one are not independent. n: episodes.
    """
    groups = [errors[episode == number] for number in np.unique(episode)]
    rng = np.random.default_rng(0)
    draws = rng.integers(len(groups), size=(_RESAMPLES, len(groups)))
    medians = [np.median(np.concatenate([groups[i] for i in draw])) for draw in draws]
    low, high = np.percentile(medians, [2.5, 97.5])
    return Figure(float(np.median(errors)), unit, len(groups), float(low), float(high))


def _in_a_row(places: Mapping[str, np.ndarray]) -> np.ndarray:
    return np.concatenate([p.reshape(len(p), -1) for p in places.values()], axis=1)


def _ridge(inputs: torch.Tensor, truth: torch.Tensor) -> Read:
    """Ridge regression; its constant is not shrunk."""
    x, y = inputs.double(), truth.double()
    constant = y.mean(0)  # the inputs' means are zero
    squares = x.T @ x + _RIDGE * len(x) * torch.eye(x.shape[1], dtype=x.dtype)
    weights = torch.linalg.solve(squares, x.T @ (y - constant))
    return lambda latents: (latents.double() @ weights + constant).float()
