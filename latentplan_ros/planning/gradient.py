"""CEM whose elites are then followed downhill through the model."""

from dataclasses import dataclass

import torch

from latentplan_ros.models.world_model import WorldModel
from latentplan_ros.planning.cem import CEM
from latentplan_ros.planning.errors import PlanningError
from latentplan_ros.planning.search import Search


@dataclass(frozen=True)
class GradientCEM(CEM):
    """After the last iteration, ``descents`` steps of Adam on the elites' actions.

    rate: of Adam, in units of an action. The model must be differentiable; a picture distance is.
    """

    descents: int = 5
    rate: float = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.descents < 1 or not self.rate > 0:
            raise PlanningError(
                f"descents must be at least 1 and rate exceed 0, not {self.descents}, {self.rate}"
            )

    def refine(
        self, model: WorldModel, latents: torch.Tensor, goals: torch.Tensor, search: Search
    ) -> list[torch.Tensor]:
        assert search.elites is not None
        assert search.best is not None
        with torch.inference_mode(False), torch.enable_grad():
            # Clones: tensors of inference mode can't take part in a gradient.
            start, goal = latents.clone(), goals.clone()
            actions = search.elites.clone().requires_grad_()
            optimizer = torch.optim.Adam([actions], self.rate)
            for _ in range(self.descents):
                _, cost = self.judge(model, start, goal, actions.clamp(-1.0, 1.0))
                (actions.grad,) = torch.autograd.grad(cost.sum(), [actions])
                optimizer.step()
            refined = actions.detach().clamp(-1.0, 1.0)
        known = search.best.actions[:, None]
        candidates = torch.cat([known, torch.zeros_like(known), refined], dim=1)
        return [self.look(model, latents, goals, search, candidates)]
