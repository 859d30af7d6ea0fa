"""The search that a checkpoint is planned with."""

from collections.abc import Sequence
from typing import Any

from latentplan_ros.planning.cem import CEM
from latentplan_ros.planning.mppi import MPPI

_SEARCHES: dict[str, type[CEM]] = {"cem": CEM, "mppi": MPPI}  # models.checkpoint.SEARCHES


def chosen_search(std: Sequence[float], planner: dict[str, Any], **settings: Any) -> CEM:
    """The search that a recipe's block ``planner`` names (``CheckpointHeader.planner``), CEM where
    it names none, with the block's other settings and these. Raises PlanningError."""
    told = dict(planner)
    return _SEARCHES[told.pop("search", "cem")](std, **told, **settings)
