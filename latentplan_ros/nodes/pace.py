"""When the next plan may begin, and how regular the actions were."""

from collections import deque

FASTEST = 1.025  # plans a control period, on average: room for a camera whose clock runs fast
SAVED = 0.7  # of a control period: lateness that the plans after it may make up for
SHORTEST = 0.7  # of a control period, from one plan to the next; the arm refuses shorter ones
REMEMBERED = 200  # intervals that the jitter is taken over


class Pace:
    """Pictures set off the plans, at the control rate at most. Times in seconds, passed in.

    Every plan uses up one control period's credit, which time brings back. What is saved lets a
    picture that comes early, or after a late one, be planned on at once: cameras jitter, and making
    their pictures wait for a tick would only make them older. There are no fixed ticks, so that a
    camera of about the control rate is followed whatever its phase, and never waited for.
    """

    def __init__(self, period_s: float) -> None:
        self._period = period_s
        self._credit, self._at = 1.0 + SAVED, -float("inf")
        self._last: float | None = None
        self.missed = 0  # control periods without an action, between actions
        self.jitter: deque[float] = deque(maxlen=REMEMBERED)  # seconds off the control period

    def wait(self, now: float) -> float:
        """Seconds until a picture may set off a plan; not above 0: it may now."""
        credit = (1.0 - self._credited(now)) / FASTEST
        since = abs(now - self._at) / self._period
        return max(credit, SHORTEST - since) * self._period

    def begin(self, now: float) -> None:
        """A plan begins."""
        self._credit, self._at = self._credited(now) - 1.0, now

    def _credited(self, now: float) -> float:
        if now < self._at - self._period:  # the clock was turned back
            return 1.0 + SAVED
        return min(self._credit + (now - self._at) / self._period * FASTEST, 1.0 + SAVED)

    def sent(self, now: float) -> None:
        """An action left."""
        if self._last is not None and now > self._last:
            interval = now - self._last
            periods = max(1, round(interval / self._period))
            self.missed += periods - 1
            self.jitter.append(abs(interval - periods * self._period))
        self._last = now

    def rest(self) -> None:
        """No action is wanted: the time until the next one is no missed tick."""
        self._last = None
