"""Why a checkpoint reaches its goals or not: representation, dynamics, distance, planner."""

from latentplan_ros.evaluation.diagnosis.diagnose import diagnose

__all__ = ["diagnose"]
