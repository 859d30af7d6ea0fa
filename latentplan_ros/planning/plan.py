"""What a planner hands over."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch


@dataclass(frozen=True)
class Plan:
    """The best action sequence found, and what the model expects of it.

    actions: ``float32 [H,4]`` in [-1, 1]; latents: ``[H,...]``, imagined after each action;
    cost: the model's distance to the goal after the last action, time steps.
    stats: ``costs`` (float32 [iterations, N], every candidate's, NaN where an iteration had fewer),
    ``elite_actions`` (float32 [K,H,4], best first, last iteration), ``elite_costs`` (float32 [K],
    theirs, time steps), ``milliseconds`` (wall clock of the whole plan, divided by the number of
    situations where several were planned for at once).
    """

    actions: np.ndarray
    latents: torch.Tensor
    cost: float
    stats: dict[str, Any] = field(default_factory=dict)
