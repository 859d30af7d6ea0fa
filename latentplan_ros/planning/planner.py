"""What a controller asks of a planner."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch

from latentplan_ros.models.world_model import WorldModel
from latentplan_ros.planning.plan import Plan


class Planner(Protocol):
    """Searches action sequences in a world model."""

    def plan_batch(
        self,
        model: WorldModel,
        latents: torch.Tensor,
        goals: torch.Tensor,
        warms: np.ndarray | None = None,
        generators: Sequence[torch.Generator | None] | None = None,
    ) -> list[Plan]:
        """One plan for each of E situations, ``[E,...]``. Raises PlanningError."""
