"""How long a search may take, and how many samples it can have in that time."""

import statistics
from collections import deque
from dataclasses import replace

from latentplan_ros.planning import CEM, Plan

ANSWER = 0.8  # of a control period, from a picture's stamp to the end of its plan
MOST, LEAST = 0.75, 0.5  # of a control period, for a plan, whatever its picture's age
FEWEST = 5  # samples an elite, however late it is
RECENT = 5  # plans that the time of a sample is taken from


class Effort:
    """Fits CEM to the time there is: rather fewer samples than an action too late.

    The action shall be out before its picture is a control period old, so a picture that was late
    leaves its plan less time. The number of samples follows the time that samples took of late;
    a plan that is slower than that all the same is cut after an iteration (``CEM.time_limit_s``).
    A camera so slow that no time would remain gets its plans at least ``LEAST``: a late action that
    was searched for is worth more than one that was not, and the model is rolled forward meanwhile.
    """

    def __init__(self, full: CEM, period_s: float) -> None:
        self.full = self.cem = full
        self._period = period_s
        self._per_sample_s: deque[float] = deque(maxlen=RECENT)
        self.cut = 0  # plans with fewer iterations than asked for
        self.overruns = 0  # plans that took longer than they had

    def fit(self, age_s: float) -> CEM:
        """The search for a picture that is already so old."""
        limit = min(MOST * self._period, ANSWER * self._period - age_s)
        limit = max(limit, LEAST * self._period)
        samples = self.full.samples
        if self._per_sample_s:
            samples = int(limit / (self._sample_s * self.full.iterations))
        samples = min(max(samples, FEWEST * self.full.elites), self.full.samples)
        self.cem = replace(self.full, samples=max(samples, self.full.elites), time_limit_s=limit)
        return self.cem

    def learn(self, plan: Plan) -> None:
        """Take note of how long the plan took that ``cem`` made."""
        iterations, samples = plan.stats["costs"].shape
        seconds = plan.stats["milliseconds"] * 1e-3
        self._per_sample_s.append(seconds / (iterations * samples))
        self.cut += iterations < self.full.iterations
        self.overruns += seconds > self.cem.time_limit_s

    @property
    def expected_s(self) -> float:
        """How long a plan by ``cem`` takes."""
        if not self._per_sample_s:
            return self.cem.time_limit_s
        needed = self._sample_s * self.cem.samples * self.cem.iterations
        return min(needed, self.cem.time_limit_s)

    @property
    def _sample_s(self) -> float:
        return statistics.median(self._per_sample_s)
