"""Which actions the arm is still carrying out when a new one takes effect."""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

REMEMBERED = 64  # actions; more than any delay spans
NEARLY = 0.1  # of a period: a delay this much short of whole periods counts as whole ones


@dataclass(frozen=True)
class Situation:
    """What a picture does not show. ``last float32 [4]``: the action that led to it, zeros where
    the arm was at rest. ``ahead float32 [n,4]``: the actions of the n whole control periods between
    the picture and the moment the next action takes effect."""

    last: np.ndarray
    ahead: np.ndarray


class UnderWay:
    """The actions sent, with their stamps (s), and what they mean for a plan on a picture.

    A plan begins at its picture, but its action begins later: after the picture's transport and the
    planning. Within one control period that makes no step of difference, and the plan starts from
    the picture as it is: in closed loop with a delay of 0.7 periods, imagining a whole step ahead
    reached fewer goals (35 of 40) than imagining none (37), because it moves the start by a step
    that the arm has only begun. From a whole period on, actions lie in between that the picture
    does not show at all, and a plan from the picture would decide about the past: each whole
    period is imagined ahead, with the action that was sent in it, or the target staying.

    period_s: control period. lasts_s: after this long without a new action the arm holds, so an
    older one is no longer under way (the profile's ``action_timeout_s``).
    """

    def __init__(self, period_s: float, lasts_s: float) -> None:
        self._period, self._lasts = period_s, lasts_s
        self._sent: deque[tuple[float, np.ndarray]] = deque(maxlen=REMEMBERED)

    def sent(self, stamp: float, action: np.ndarray) -> None:
        """An action ``[4]`` left at ``stamp``."""
        if self._sent and stamp < self._sent[-1][0]:  # the clock was turned back
            self._sent.clear()
        self._sent.append((stamp, np.asarray(action, np.float32)))

    def at(self, picture: float, effect: float) -> Situation:
        """For a plan on the picture of ``picture`` whose action takes effect at ``effect`` (s)."""
        steps = max(0, math.floor((effect - picture) / self._period + NEARLY))
        unseen = picture - NEARLY * self._period  # what left after this has not acted by then
        rest = np.zeros(4, np.float32)
        if not self._sent:
            return Situation(rest, np.zeros((0, 4), np.float32))
        count = min(steps, sum(stamp > unseen for stamp, _ in self._sent))
        row = [(-math.inf, rest), *self._sent][-1 - count :]
        stamp, newest = row[-1]
        ran = math.floor((effect - stamp) / self._period + NEARLY)
        # An action moves the target once: in a period without a new one, the target stays.
        stays = np.array([0.0, 0.0, 0.0, newest[3]], np.float32)
        stills = min(max(ran - 1, 0), steps + 1 - len(row))
        ahead = [action for _, action in row[1:]] + [stays] * stills
        last = row[0][1] if picture - row[0][0] <= self._lasts else rest
        return Situation(last, np.reshape(ahead, (-1, 4)).astype(np.float32))
