"""The safety envelope: no command that it did not make reaches an arm."""

from latentplan_ros.control.envelope.machine import SafetyEnvelope
from latentplan_ros.control.envelope.motion import RATE_MARGIN
from latentplan_ros.control.envelope.reasons import PASSING, Command, Limit, Reason, Refusal

__all__ = ["PASSING", "RATE_MARGIN", "Command", "Limit", "Reason", "Refusal", "SafetyEnvelope"]
