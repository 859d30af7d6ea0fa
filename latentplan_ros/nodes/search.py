"""The planner node's parameters of the search, and the search that they make."""

import os

import numpy as np
from rclpy.node import Node

from latentplan_ros.models.checkpoint import TrainedModel
from latentplan_ros.models.graphed_model import GraphedModel
from latentplan_ros.models.split_model import SplitModel
from latentplan_ros.models.world_model import WorldModel
from latentplan_ros.nodes.parameters import declare
from latentplan_ros.planning import CEM, Controller, PlanningError

MOST_THREADS = 4  # by itself; more share too few candidates each
_SEARCH = ("samples", "iterations", "elites", "horizon", "beta")


def declare_search(node: Node) -> None:
    declare(node, "threads", 0, "Threads that imagine on a CPU; 0: one a core, 4 at most", 0, 64)
    declare(node, "samples", 200, "Most action sequences an iteration", 1, 1_000_000)
    declare(node, "iterations", 3, "Rounds of sampling", 1, 1000)
    declare(node, "elites", 10, "Best sequences the next round starts from", 1, 1_000_000)
    declare(node, "horizon", 13, "Steps ahead", 1, 1000)
    declare(node, "replan_every", 1, "Actions taken of each plan", 1, 1000)
    declare(node, "beta", 0.5, "Weight of new noise against the last", 0.01, 1.0)
    declare(
        node,
        "std",
        [0.0, 0.0, 0.0, 0.0],
        "Spread of x, y, z, gripper in the search; zeros: that of the checkpoint's data",
    )
    declare(node, "seed", 0, "Seed of the search", 0, 2**31 - 1)


def make_search(node: Node, model: TrainedModel) -> CEM:
    """The search that the parameters ask for. Raises PlanningError where they are impossible."""
    std = tuple(node.get_parameter("std").value)
    if not any(std):
        std = model.header.exploration_std
    if len(std) != 4 or not all(np.isfinite(s) and s >= 0 for s in std) or not any(std):
        raise PlanningError(
            f"parameter std is {list(std)}; give 4 spreads, the checkpoint knows none"
        )
    parameters = {name: node.get_parameter(name).value for name in _SEARCH}
    return CEM(std, **model.header.planner, **parameters)


def make_controller(node: Node, model: TrainedModel, search: CEM) -> Controller:
    """A controller that has made a plan already, for the first one is slow."""
    device = next(model.parameters()).device
    imagining: WorldModel = model
    if device.type == "cuda":
        imagining = GraphedModel(model)
    if device.type == "cpu":
        cores = len(os.sched_getaffinity(0))
        threads = node.get_parameter("threads").value or min(cores, MOST_THREADS)
        imagining = SplitModel(model, threads)
    replan_every, seed = (node.get_parameter(name).value for name in ("replan_every", "seed"))
    controller = Controller(imagining, search, replan_every, device, seed)
    size = model.header.image_size
    nothing = np.zeros((size, size, 3), np.uint8)
    controller.set_goal(nothing)
    controller.act(nothing)
    return controller
