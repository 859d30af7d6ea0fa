"""What ships: its figures have no ending, those of everything else are named after it."""

from functools import cache

from latentplan_ros.models.checkpoint import load_checkpoint
from latentplan_ros.resources import ResourceError, best_checkpoint


@cache
def shipped_method(task: str) -> str:
    """What trained the best checkpoint that ships for a task; "" where none does."""
    try:
        return load_checkpoint(best_checkpoint(task)).header.method
    except ResourceError:
        return ""
