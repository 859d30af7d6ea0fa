"""A limit on how often something is said."""

import time


class Quiet:
    """Lets ``burst`` reports through at once, and after that one every ``period`` seconds."""

    def __init__(self, burst: int = 5, period: float = 0.5) -> None:
        self._burst, self._period = burst, period
        self._left, self._since = float(burst), time.monotonic()

    def allows(self) -> bool:
        """Whether one more may be said now; counts it as said where it may."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._since) / self._period)
        self._since = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
