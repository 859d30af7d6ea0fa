"""Puts topics that nothing synchronises on one clock tick a control period."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class AlignmentError:
    """How old the sample of a topic was at the ticks that used it, seconds."""

    median_s: float
    p99_s: float
    max_s: float
    samples: int

    @classmethod
    def of(cls, ages_s: np.ndarray) -> "AlignmentError":
        if ages_s.size == 0:
            return cls(0.0, 0.0, 0.0, 0)
        median, p99 = np.percentile(ages_s, [50, 99])
        return cls(float(median), float(p99), float(ages_s.max()), int(ages_s.size))


@dataclass(frozen=True)
class Ticks:
    """``times int64 [T]`` in nanoseconds, strictly increasing; ``anchor int64 [T]``.

    anchor: index of the anchor message that the tick sits on, -1 where the tick was filled in.
    """

    times: np.ndarray
    anchor: np.ndarray

    def __len__(self) -> int:
        return len(self.times)


def control_ticks(anchors: np.ndarray, period_s: float) -> Ticks:
    """One tick a control period, sitting on anchor messages wherever there are any.

    anchors: ``int64 [N]`` sorted times in nanoseconds of the topic that sets the pace (the actions,
    or the pictures). From one tick the next is the anchor nearest to one period later, within half
    a period; where there is none the tick is put exactly one period later. So the ticks follow the
    jitter of the robot's own clock, skip anchors that come faster, and never drift.
    """
    if len(anchors) == 0:
        return Ticks(np.zeros(0, np.int64), np.zeros(0, np.int64))
    period = round(period_s * 1e9)
    times, chosen = [int(anchors[0])], [0]
    while True:
        due = times[-1] + period
        if due - period // 2 > anchors[-1]:
            break
        after = int(np.searchsorted(anchors, due))
        near = [i for i in (after - 1, after) if 0 <= i < len(anchors)]
        best = min(near, key=lambda i: abs(int(anchors[i]) - due))
        if abs(int(anchors[best]) - due) <= period // 2 and anchors[best] > times[-1]:
            times.append(int(anchors[best]))
            chosen.append(best)
        else:
            times.append(due)
            chosen.append(-1)
    return Ticks(np.asarray(times, np.int64), np.asarray(chosen, np.int64))


def newest_before(times: np.ndarray, ticks: np.ndarray) -> np.ndarray:
    """Index of the newest message not later than each tick, ``int64 [T]``; -1 where there is none.

    times: ``int64 [N]`` sorted. An observation never holds anything that came after its tick.
    """
    return np.searchsorted(times, ticks, side="right").astype(np.int64) - 1


def ages(times: np.ndarray, ticks: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Seconds between each tick and its sample, ``float64 [T]``; infinite where there is none."""
    result = np.full(len(ticks), np.inf)
    found = index >= 0
    result[found] = (ticks[found] - times[index[found]]) * 1e-9
    return result


def unbroken(usable: np.ndarray, shortest: int = 2) -> list[slice]:
    """The stretches of ticks that are all usable, ``bool [T]``, and at least ``shortest`` long."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], usable.astype(bool), [False]])))
    pairs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return [slice(start, stop) for start, stop in pairs if stop - start >= shortest]


def one_clock(offsets_s: Mapping[str, np.ndarray], tolerance_s: float = 0.5) -> bool:
    """Whether the header stamps of these topics come from one clock.

    offsets_s: for each topic, time received minus header stamp. A camera that stamps with its own
    clock has another offset than the rest, and then only the times received can be compared.
    """
    medians = [float(np.median(offset)) for offset in offsets_s.values() if offset.size]
    return not medians or max(medians) - min(medians) <= tolerance_s
