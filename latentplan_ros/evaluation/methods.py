"""The policies that figures compare, by name."""

from typing import Literal

from latentplan_ros.evaluation.policies import PlanningPolicy, Policy, RandomPolicy
from latentplan_ros.models.checkpoint import TrainedModel
from latentplan_ros.planning import CEM, BatchController, PixelDistance

Method = Literal["model", "pixel_l2", "random"]


def make_policy(
    method: Method, model: TrainedModel, replan_every: int = 1, device: str = "cpu"
) -> Policy:
    """model: planning with the checkpoint's own distance; pixel_l2: with l2 between pictures in its
    place, at the horizon's end as there (visual foresight, MBOLD B.5); random: the actions that its
    data was collected with.
    """
    std = model.header.exploration_std
    if method == "random":
        return RandomPolicy(std)
    if method == "pixel_l2":
        planner = CEM(std, moments=1, reluctance=0.0)
        return PlanningPolicy(BatchController(PixelDistance(model), planner, replan_every, device))
    return PlanningPolicy(BatchController(model, CEM(std), replan_every, device))
