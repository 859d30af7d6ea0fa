"""How old the newest of what arrives is, by its own stamp and by when it came."""

import math
from dataclasses import dataclass

from latentplan_ros.control.envelope.reasons import Reason, Refusal

FUTURE_TOLERANCE_S = 0.05  # what two machines' clocks may differ by


@dataclass
class Stream:
    """One kind of message; all times in seconds of one clock.

    limit: the greatest age that may be acted upon; missing, stale: what to call it when nothing
    has come, or nothing new.
    """

    topic: str
    limit: float
    missing: Reason
    stale: Reason
    received: float | None = None
    stamp: float = -math.inf

    def in_order(self, now: float, stamp: float) -> bool:
        """Whether this is no older than the last. One from the future counts for nothing: its
        sender's clock has since been put right."""
        if self.received is None:
            return True
        return not stamp < self.stamp <= now + FUTURE_TOLERANCE_S

    def hear(self, now: float, stamp: float) -> bool:
        """Note one made at ``stamp``; False, and nothing noted, where it is out of order."""
        if not self.in_order(now, stamp):
            return False
        self.received, self.stamp = now, stamp
        return True

    def forget(self) -> None:
        self.received, self.stamp = None, -math.inf

    def refusal(self, now: float) -> Refusal | None:
        """Why what was heard last can't be acted upon now."""
        if self.received is None:
            return Refusal(self.missing, f"nothing has arrived on {self.topic}")
        if not math.isfinite(self.stamp):
            return Refusal(self.stale, f"{self.topic} has no time stamp")
        ahead, age = self.stamp - now, max(now - self.received, now - self.stamp)
        if ahead > FUTURE_TOLERANCE_S:
            # Not the number itself, here and below: a reason must not change with every look.
            return Refusal(
                self.stale,
                f"{self.topic} is stamped in the future, by more than {FUTURE_TOLERANCE_S} s; "
                "synchronise the machines' clocks",
            )
        if age > self.limit:
            unset = self.stamp == 0.0 and now - self.received < age
            why = " (its stamp is zero)" if unset else ""
            return Refusal(self.stale, f"{self.topic} is older than {self.limit} s{why}")
        return None
