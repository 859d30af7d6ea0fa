"""Searching action sequences in a world model, and acting on what was found."""

from latentplan_ros.planning.cem import CEM
from latentplan_ros.planning.controller import BatchController, Controller
from latentplan_ros.planning.errors import PlanningError
from latentplan_ros.planning.model_error import ModelError
from latentplan_ros.planning.pixel_distance import PixelDistance
from latentplan_ros.planning.plan import Plan
from latentplan_ros.planning.planner import Planner
from latentplan_ros.planning.under_way import Situation, UnderWay

__all__ = [
    "CEM",
    "BatchController",
    "Controller",
    "ModelError",
    "PixelDistance",
    "Plan",
    "Planner",
    "PlanningError",
    "Situation",
    "UnderWay",
]
