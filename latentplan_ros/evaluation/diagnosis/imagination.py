"""Imagined against true displacement of the objects, by horizon."""

from dataclasses import dataclass

import numpy as np
import torch

from latentplan_ros.evaluation.diagnosis.probe import Probe
from latentplan_ros.evaluation.diagnosis.rollouts import Rollouts
from latentplan_ros.models.world_model import WorldModel

MOVED_M = 0.02  # what counts as moving: several times what a probe errs by


@dataclass(frozen=True)
class Horizon:
    """Over windows of one length. Lengths in centimetres, medians.

    moving: windows in which an object went further than 2 cm; moved_cm: how far it went in them;
    error_cm: how far from there it was imagined; still_error_cm: the same where nothing moved;
    correlation: of imagined with true displacement along each axis, in the moving windows.
    """

    steps: int
    moving: int
    moved_cm: float
    error_cm: float
    still_error_cm: float
    correlation: float


@torch.inference_mode()
def imagined_displacement(
    model: WorldModel, probe: Probe, rollouts: Rollouts, columns: list[int], horizons: list[int]
) -> list[Horizon]:
    """columns: of the truth, those of objects. Windows start at every frame that leaves room."""
    longest = max(horizons)
    starts = range(rollouts.latents.shape[1] - longest)
    truth = rollouts.truth[..., columns]
    seen = torch.cat([rollouts.latents[:, start] for start in starts])
    actions = torch.cat([rollouts.actions[:, start : start + longest] for start in starts])
    imagined = torch.cat(
        [model.rollout(z, a) for z, a in zip(seen.split(1024), actions.split(1024), strict=True)]
    )
    before = torch.cat([truth[:, start] for start in starts])
    rows = []
    for steps in horizons:
        after = torch.cat([truth[:, start + steps] for start in starts])
        guess = probe(imagined[:, steps - 1])[:, columns]
        true_move, imagined_move = after - before, guess - before
        moved = true_move.norm(dim=1)
        moving, error = moved > MOVED_M, (guess - after).norm(dim=1)
        pairs = torch.stack([true_move[moving].flatten(), imagined_move[moving].flatten()]).numpy()
        rows.append(
            Horizon(
                steps,
                int(moving.sum()),
                _median_cm(moved[moving]),
                _median_cm(error[moving]),
                _median_cm(error[~moving]),
                _correlation(pairs),
            )
        )
    return rows


def _correlation(pairs: np.ndarray) -> float:
    """Not a number where nothing moved, or nothing was imagined to move."""
    if pairs.shape[1] < 3 or not np.ptp(pairs, axis=1).all():
        return float("nan")
    return float(np.corrcoef(pairs)[0, 1])


def _median_cm(values: torch.Tensor) -> float:
    return float(values.median()) * 100.0 if len(values) else float("nan")
