"""Plays what may happen to an arm node to a safety envelope, under a referee's eyes."""

import dataclasses
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from benchmarks.envelope_rules import Referee
from latentplan_ros.control.box import KeepOut
from latentplan_ros.control.envelope import Command, Limit, Reason, SafetyEnvelope
from latentplan_ros.control.profile import RobotProfile

SPECIAL = (math.nan, math.inf, -math.inf, 1e30, 1.0, -1.0, 1.0005)


class Event(NamedTuple):
    """One thing that happens ``elapsed`` seconds after the one before (negative: the clock jumps).

    lag: how long ago what arrives was made, s (negative: in the future). values: of ``tick`` and
    ``action`` the axes; of ``tick`` and ``follow`` an offset [3] (m) of the arm, after which it has
    gone ``share`` of the way to its target; of ``pose`` a position; of ``turned`` a quaternion; of
    ``joints`` one position.
    """

    kind: str
    elapsed: float
    lag: float = 0.0
    axes: Sequence[float] = ()
    values: Sequence[float] = ()
    share: float = 0.7


class Play:
    """One envelope, one referee, and an arm that goes where it is sent, more or less."""

    def __init__(self, profile: RobotProfile) -> None:
        self.profile, self.now = profile, 100.0
        self.envelope, self.referee = SafetyEnvelope(profile), Referee(profile)
        self.moves = self.holds = 0
        self.violations: list[str] = []
        self.refused: Counter[Reason] = Counter()
        self.limited: Counter[Limit] = Counter()
        self._upright = list(profile.orientation_xyzw)
        self._where = (np.array(profile.workspace.min) + profile.workspace.max) / 2

    def run(self, events: Iterable[Event]) -> list[str]:
        """The violations of the whole sequence, each with the number of its event."""
        for number, event in enumerate(events):
            for broken in self.step(event):
                self.violations.append(f"event {number}, {event.kind}: {broken}")
        return self.violations

    def step(self, event: Event) -> list[str]:
        self.now += event.elapsed
        found: list[str] = []
        if event.kind in ("tick", "follow"):
            target = self.referee.target
            if target is not None:
                self._where = self._where + event.share * (target - self._where)
            self._where = self._where + np.asarray(event.values)
            self._pose(event, self._where.tolist())
        if event.kind in ("tick", "picture"):
            self.envelope.picture(self.now, self.now - event.lag)
            self.referee.at(self.now)
            self.referee.picture(self.now - event.lag)
        if event.kind in ("tick", "action"):
            found += self._act(event)
        if event.kind == "pose":
            self._pose(event, list(event.values))
        elif event.kind == "turned":
            self._pose(event, self._where.tolist(), list(event.values))
        elif event.kind == "framed":
            self._pose(event, self._where.tolist(), frame="elsewhere")
        elif event.kind == "joints":
            self.envelope.joints(self.now, self.profile.joints[:1], event.values)
            self.referee.at(self.now)
            self.referee.joints_good = math.isfinite(event.values[0])
        elif event.kind in ("one", "two"):
            self.envelope.sources(["/a", "/b"][: 1 + (event.kind == "two")])
            self.referee.two = event.kind == "two"
        elif event.kind == "resume":
            self.envelope.resume(self.now)
            self.referee.at(self.now)
            self.referee.resume()
        elif event.kind in ("watch", "stop"):
            found += self._look(event.kind)
        return found

    def _pose(
        self, event: Event, position: list, orientation: list | None = None, frame: str = ""
    ) -> None:
        stamp, frame = self.now - event.lag, frame or self.profile.base_frame
        orientation = self._upright if orientation is None else orientation
        self.envelope.pose(self.now, stamp, position, orientation, frame)
        self.referee.at(self.now)
        self.referee.pose(stamp, position, orientation, frame)

    def _act(self, event: Event) -> list[str]:
        answer = self.envelope.act(self.now, self.now - event.lag, event.axes)
        self.referee.at(self.now)
        self.referee.action(self.now - event.lag, list(event.axes))
        if not isinstance(answer, Command):
            self.refused[answer.reason] += 1
            return []
        self.moves += 1
        self.limited.update(answer.limited)
        return self.referee.judge_move(answer)

    def _look(self, kind: str) -> list[str]:
        stop = kind == "stop"
        answer = self.envelope.stop(self.now) if stop else self.envelope.watch(self.now)
        self.referee.at(self.now)
        if answer is None:
            found = [] if stop else self.referee.judge_silence()
        else:
            self.holds += 1
            found = self.referee.judge_hold(answer)
        if stop:
            self.referee.stopped, self.referee.target = True, None
            self.referee.stride = np.zeros(3)
        return found


# What may happen --------------------------------------------------------------------------------
def random_profile(base: RobotProfile, rng: np.random.Generator) -> RobotProfile:
    """The base profile with limits from timid to careless, and up to two keep-out boxes."""
    low, high = np.array(base.workspace.min), np.array(base.workspace.max)
    boxes = []
    for number in range(rng.integers(3)):
        a, b = np.sort(rng.uniform(low - 0.02, high + 0.02, (2, 3)), axis=0)
        boxes.append(
            KeepOut(tuple(a.tolist()), tuple((a + 0.01 + 0.4 * (b - a)).tolist()), f"box {number}")
        )
    return dataclasses.replace(
        base,
        keep_out=tuple(boxes),
        max_speed_m_s=rng.uniform(0.05, 1.3),
        max_acceleration_m_s2=_one((0.5, 2.0, 12.0), rng),
        max_step_m=_one((0.01, 0.05, 0.15), rng),
        max_distance_m=_one((0.04, 0.1, 0.18), rng),
        max_gripper_speed_m_s=_one((0.05, 0.5), rng),
        soft_start_s=_one((0.05, 0.3, 1.0), rng),
    )


_FAULTS = (
    "follow", "pose", "pose", "turned", "framed", "picture", "action", "action", "action",
    "joints", "one", "two", "resume", "resume", "stop", "watch", "watch",
)  # fmt: skip


def random_sequence(profile: RobotProfile, rng: np.random.Generator) -> list[Event]:
    """5 to 45 events: control periods in order, and between them everything that goes wrong."""
    events, trouble = [], rng.uniform(0.0, 0.6)
    bold, late = rng.random() < 0.5, _one((0.0, 0.0, rng.uniform(-0.06, 0.3)), rng)
    for _ in range(rng.integers(5, 46)):
        axes = rng.uniform(-1, 1, 4)
        axes = np.sign(axes) if bold else axes
        if rng.random() >= trouble:
            offset, share = rng.normal(0.0, 0.003, 3), 0.2 + 0.8 * rng.random()
            elapsed = _one((0.1, 0.1, 0.1, 0.07, 0.15, 0.02), rng)
            events.append(Event("tick", elapsed, late, axes.tolist(), offset, share))
            if rng.random() < 0.7:
                events.append(Event("watch", _one((0.0, 0.02), rng)))
            continue
        events.append(_fault(_one(_FAULTS, rng), axes, profile, rng))
        events.append(Event("watch", _one((0.0, 0.0, 0.02), rng)))
    return events


def _one(of: Sequence[Any], rng: np.random.Generator) -> Any:
    """What Generator.choice does, in a tenth of its time."""
    return of[int(rng.random() * len(of))]


def _fault(kind: str, axes: np.ndarray, profile: RobotProfile, rng: np.random.Generator) -> Event:
    elapsed = _elapsed(rng)
    lag = _one((0.0, 0.0, rng.uniform(-0.3, 0.4), rng.uniform(-0.05, 0.25), math.nan), rng)
    values: Any = ()
    spoilt = rng.random() < 0.3
    if kind == "follow":
        values = rng.normal(0.0, 0.05, 3)
    elif kind == "pose":
        low, high = np.array(profile.workspace.min) - 0.1, np.array(profile.workspace.max) + 0.1
        values = rng.uniform(low, high)
        if spoilt:
            values[rng.integers(3)] = _one(SPECIAL, rng)
    elif kind == "turned":
        values = np.array(profile.orientation_xyzw) + rng.normal(0.0, _one((0.05, 0.5), rng), 4)
        values = values / (1.0 if spoilt else np.linalg.norm(values))
    elif kind == "joints":
        values = [_one((0.0, 0.0, math.nan, math.inf), rng)]
    elif kind == "action" and spoilt:
        axes = axes[: rng.integers(5)] if rng.random() < 0.5 else axes.copy()
        if axes.size:
            axes[rng.integers(axes.size)] = _one(SPECIAL, rng)
    return Event(kind, elapsed, lag, axes.tolist(), values)


def _elapsed(rng: np.random.Generator) -> float:
    """Mostly a moment; at times the clock jumps back, or nothing happens for long."""
    luck = rng.random()
    if luck < 0.85:
        return _one((0.0, 0.01, 0.05, 0.1, 0.19), rng)
    return float(rng.uniform(-3.0, 0.0) if luck < 0.93 else rng.uniform(0.2, 5.0))
