"""Searching action sequences in a world model, and acting on what was found."""

from latentplan_ros.planning.cem import CEM
from latentplan_ros.planning.controller import BatchController, Controller
from latentplan_ros.planning.errors import PlanningError
from latentplan_ros.planning.gradient import GradientCEM
from latentplan_ros.planning.icem import ICEM
from latentplan_ros.planning.model_error import ModelError
from latentplan_ros.planning.mppi import MPPI
from latentplan_ros.planning.pixel_distance import PixelDistance
from latentplan_ros.planning.plan import Plan
from latentplan_ros.planning.planner import Planner
from latentplan_ros.planning.search import SamplingPlanner
from latentplan_ros.planning.under_way import Situation, UnderWay

__all__ = [
    "CEM",
    "ICEM",
    "MPPI",
    "BatchController",
    "Controller",
    "GradientCEM",
    "ModelError",
    "PixelDistance",
    "Plan",
    "Planner",
    "PlanningError",
    "SamplingPlanner",
    "Situation",
    "UnderWay",
]
