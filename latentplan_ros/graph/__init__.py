"""Graphs of recorded situations: a learned distance where it is short, shortest paths beyond."""

from latentplan_ros.graph.image_graph import ImageGraph
from latentplan_ros.graph.paths import steps_to, within

__all__ = ["ImageGraph", "steps_to", "within"]
