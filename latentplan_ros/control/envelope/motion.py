"""What may leave for one action: a target on the way to the one asked for, as far as limits let."""

import math

import numpy as np

from latentplan_ros.control.envelope import geometry
from latentplan_ros.control.envelope.reasons import Command, Limit, Reason, Refusal
from latentplan_ros.control.profile import RobotProfile
from latentplan_ros.control.target import gripper_opening, next_target

RATE_MARGIN = 1.5  # commands leave at most this many times the control rate
CLEARANCE_M = 0.001  # between a shortened target and the keep-out box it was on its way into


class Motion:
    """The commands of one uninterrupted motion, each limited by the one before.

    A command's stride leads from the measured position (pulled into the workspace) to its target,
    and takes one control period; stride over period is the commanded speed. Every limit leaves an
    interval of the way from here to where ``next_target`` points; the furthest point in all of them
    is the target. So a limit never bends the way, and what training knew is met where none applies.

    The acceleration limit holds for getting faster and for turning. Braking is always allowed.
    """

    def __init__(self, profile: RobotProfile) -> None:
        self._profile = profile
        self.target: np.ndarray | None = None
        self._stride = np.zeros(3)
        self._opening: float | None = None
        self._began = self.commanded_at = -math.inf

    @property
    def moving(self) -> bool:
        """Whether a target has left that no hold has ended yet."""
        return self.target is not None

    def end(self) -> None:
        """The arm holds: the next command starts from rest."""
        self.target, self._stride = None, np.zeros(3)

    def too_soon(self, now: float) -> Refusal | None:
        waited, shortest = now - self.commanded_at, self._profile.action.period_s / RATE_MARGIN
        if waited >= shortest:
            return None
        return Refusal(Reason.TOO_SOON, f"{waited:.3f} s after the last, at least {shortest:.3f}")

    def next(self, now: float, measured: np.ndarray, action: np.ndarray) -> Command | Refusal:
        """The command for an action ``[4]`` from a measured position ``[3]``; it then has left."""
        profile = self._profile
        began = self._began if self.moving else now
        period = profile.action.period_s
        waited = min(now - self.commanded_at, period)
        previous = measured if self.target is None else self.target
        wanted = next_target(previous, measured, action, profile)
        start = profile.workspace.clip(measured)
        ways = self._ways(start, wanted, measured, waited, now - began)
        reach = min(high for _, _, high in ways)
        narrowest, low, _ = max(ways, key=lambda way: way[1])
        if low > reach:
            return self._unreachable(narrowest)
        stride = wanted - start
        target = wanted if reach >= 1.0 else profile.workspace.clip(start + reach * stride)
        for origin in (measured, previous):
            for box in profile.keep_out:
                if box.contains(target) or box.entry(origin, target) is not None:
                    return Refusal(
                        Reason.KEEP_OUT, f"the way to the target leads through {box.name!r}"
                    )
        limited = [limit for limit, _, high in ways if high < 1.0 - 1e-9 and high <= reach]
        opening = self._limited_opening(gripper_opening(action, profile), waited)
        if opening != gripper_opening(action, profile):
            limited.append(Limit.GRIPPER_SPEED)
        self.target, self._stride, self._opening = target, target - start, opening
        self._began, self.commanded_at = began, now
        return Command(target, opening, limited=tuple(limited))

    def _ways(
        self,
        start: np.ndarray,
        wanted: np.ndarray,
        measured: np.ndarray,
        waited: float,
        moved_for: float,
    ) -> list[tuple[Limit, float, float]]:
        """The interval of fractions of the way from start to wanted that each limit allows."""
        profile, stride, rest = self._profile, wanted - start, np.zeros(3)
        period = profile.action.period_s
        speed = profile.max_speed_m_s * waited
        ramp = min(1.0, (moved_for + period) / profile.soft_start_s)
        gain = profile.max_acceleration_m_s2 * period * waited
        ways = [
            (Limit.SPEED, *geometry.within(rest, stride, speed)),
            (Limit.SOFT_START, *geometry.within(rest, stride, speed * ramp)),
            (Limit.ACCELERATION, 0.0, geometry.beside(self._stride, stride, gain)),
            (Limit.DISTANCE, *geometry.within(start - measured, stride, profile.max_distance_m)),
        ]
        if self.target is not None:
            off = start - self.target
            ways.append((Limit.STEP, *geometry.within(off, stride, profile.max_step_m)))
        for box in profile.keep_out:
            entry = box.entry(start, wanted)
            if entry is not None:
                gap = CLEARANCE_M / max(float(np.linalg.norm(stride)), 1e-9)
                ways.append((Limit.KEEP_OUT, 0.0, max(0.0, entry - gap)))
        return ways

    def _limited_opening(self, wanted: float, waited: float) -> float:
        if self._opening is None:
            return wanted
        most = self._profile.max_gripper_speed_m_s * waited
        return min(max(wanted, self._opening - most), self._opening + most)

    def _unreachable(self, limit: Limit) -> Refusal:
        if limit is Limit.STEP:
            return Refusal(
                Reason.TOO_LARGE_STEP,
                f"the target would have to jump by more than {self._profile.max_step_m} m from the "
                "last one to stay within the other limits",
            )
        return Refusal(
            Reason.TOO_FAR,
            f"every target inside the workspace is further than {self._profile.max_distance_m} m "
            "from the measured position",
        )
