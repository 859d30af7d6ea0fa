"""What the arm node drives: one file a controller's dialect, chosen by the robot profile."""

from latentplan_ros.nodes.backends.backend import Backend
from latentplan_ros.nodes.backends.messages import MissingMessages

__all__ = ["Backend", "MissingMessages"]
