"""What ships: its figures have no ending, those of everything else are named after it."""

from functools import cache

from latentplan_ros.models.checkpoint import read_header
from latentplan_ros.resources import ResourceError, best_checkpoint


@cache
def shipped_method(task: str) -> str:
    """What trained the best checkpoint that ships for a task; "" where none does."""
    try:
        return read_header(best_checkpoint(task)).method
    except ResourceError:
        return ""
