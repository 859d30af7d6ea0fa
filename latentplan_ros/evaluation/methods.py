"""The policies that figures compare, by name."""

from typing import Literal, TypeVar

import torch
from torch import nn

from latentplan_ros.evaluation.policies import (
    ActingPolicy,
    CodePolicy,
    PlanningPolicy,
    Policy,
    RandomPolicy,
    ShootingPolicy,
)
from latentplan_ros.evaluation.search_policy import SearchPolicy
from latentplan_ros.models.behaviour_cloning import BehaviourCloning
from latentplan_ros.models.checkpoint import TrainedModel
from latentplan_ros.models.dreamer_policy import DreamerPolicy
from latentplan_ros.models.graphed_model import GraphedModel
from latentplan_ros.models.q_distance import QDistance
from latentplan_ros.models.q_policy import QPolicy
from latentplan_ros.models.rig_policy import RigPolicy
from latentplan_ros.models.sorb_distance import SorbDistance
from latentplan_ros.models.vae_distance import VaeDistance
from latentplan_ros.models.world_model import WorldModel
from latentplan_ros.planning import (
    CEM,
    ICEM,
    MPPI,
    BatchController,
    GradientCEM,
    PixelDistance,
    SamplingPlanner,
)

Method = Literal[
    "model",
    "icem",
    "mppi",
    "gradient",
    "pixel_l2",
    "random",
    "actor",
    "gcbc",
    "q_policy",
    "sorb",
    "rig",
    "dreamer",
]
PLANNERS: dict[str, type[SamplingPlanner]] = {
    "model": CEM,
    "icem": ICEM,
    "mppi": MPPI,
    "gradient": GradientCEM,
}
Head = TypeVar("Head", bound=nn.Module)


class MethodError(ValueError):
    """A checkpoint lacks what a method acts by; the message says which command makes it."""


def make_policy(
    method: Method, model: TrainedModel, replan_every: int = 1, device: str = "cpu"
) -> Policy:
    """model: planning by CEM with the checkpoint's own distance; icem, mppi and gradient: by other
    planners; pixel_l2: with l2 between pictures in its
    place, at the horizon's end as there (visual foresight, MBOLD B.5); random: the actions that its
    data was collected with. Without a plan: actor: that of MBOLD; gcbc; q_policy; rig; dreamer;
    sorb: gcbc along waypoints.

    Raises MethodError, or DistanceError where there is none to plan with.
    """
    std = model.header.exploration_std
    if method == "random":
        return RandomPolicy(std)
    if method == "actor":
        return ActingPolicy(model, _head(model, QDistance, method, "mbold").actor, device)
    if method == "gcbc":
        return ActingPolicy(model, _head(model, BehaviourCloning, method, "gcbc").act, device)
    if method == "q_policy":
        return ShootingPolicy(model, _head(model, QPolicy, method, "q_policy"), device)
    if method == "rig":
        return CodePolicy(model, _head(model, RigPolicy, method, "rig").act, device)
    if method == "dreamer":
        return ActingPolicy(model, _head(model, DreamerPolicy, method, "dreamer").act, device)
    if method == "sorb":
        return SearchPolicy(model, _head(model, SorbDistance, method, "sorb"), device)
    # What our planner adds to MBOLD's counts in time steps, and l2 is in no unit of time.
    plain = PLANNERS.get(method, CEM)(std, moments=1, reluctance=0.0)
    imagining: WorldModel = GraphedModel(model) if torch.device(device).type == "cuda" else model
    if method == "pixel_l2":
        pixels = PixelDistance(imagining)
        return PlanningPolicy(BatchController(pixels, plain, replan_every, device))
    model.require_distance()
    if isinstance(model.head, VaeDistance):
        coded = PixelDistance(imagining, model.head.means)
        return PlanningPolicy(BatchController(coded, plain, replan_every, device))
    planner = plain if model.head is None else PLANNERS[method](std, **model.header.planner)
    return PlanningPolicy(BatchController(imagining, planner, replan_every, device))


def _head(model: TrainedModel, kind: type[Head], method: str, trained: str) -> Head:
    if not isinstance(model.head, kind):
        raise MethodError(
            f"--method {method} acts by what `latentplan train {trained}` makes; this checkpoint "
            f"is of `latentplan train {model.header.method}`"
        )
    return model.head
