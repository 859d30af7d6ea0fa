"""What the safety envelope promises, said once more and without any of its code.

A referee hears what the envelope hears and judges what it answers. It is written from the promises
in docs/safety.md: plain comparisons, points sampled along ways, no function of the envelope.
"""

import math

import numpy as np

from latentplan_ros.control.envelope import Command
from latentplan_ros.control.profile import RobotProfile

NEAR = 1e-9  # round-off, in metres and seconds
CLOCKS_S = 0.05  # what two machines' clocks may differ by
FASTER = 1.5  # commands leave at most this many times the control rate
_SHARES = np.linspace(0.0, 1.0, 50)[:, None]


class Referee:
    """Follows one envelope; every ``judge_`` method returns the promises that were broken."""

    def __init__(self, profile: RobotProfile) -> None:
        self.profile = profile
        self.low, self.high = np.array(profile.workspace.min), np.array(profile.workspace.max)
        self.boxes = [(np.array(b.min), np.array(b.max)) for b in profile.keep_out]
        self.limits = {
            "pose": profile.pose_timeout_s,
            "picture": profile.image_timeout_s,
            "action": profile.action_timeout_s,
        }
        self.now = self.resumed = self.left_at = self.began = -math.inf
        self.heard: dict[str, tuple[float, float]] = {}  # received, stamp
        self.measured: np.ndarray | None = None
        self.pose_before: tuple[float, np.ndarray] | None = None
        self.pose_good = self.action_good = self.joints_good = True
        self.two = self.stopped = self.must_hold = False
        self.target: np.ndarray | None = None  # of the motion under way
        self.stride = np.zeros(3)
        self.opening: float | None = None

    # What is heard --------------------------------------------------------------------------
    def at(self, now: float) -> None:
        """The clock shows ``now``. Turned back, or not looked at for too long: all is forgotten."""
        asleep = now - self.now > min(self.limits.values()) and self.now > -math.inf
        if now < self.now or asleep:
            self.heard.clear()
            self.resumed, self.left_at = -math.inf, now
            self.action_good = self.joints_good = True
            self.must_hold = self.target is not None
        if asleep:
            self.measured = self.pose_before = None
            self.pose_good = True
        self.now = now

    def newest(self, kind: str, stamp: float) -> bool:
        """Whether a message is newer than the last of its kind (one from the future is none)."""
        last = self.heard.get(kind, (0.0, -math.inf))[1]
        return not (stamp < last <= self.now + CLOCKS_S)

    def pose(self, stamp: float, position: list, orientation: list, frame: str) -> None:
        if not self.newest("pose", stamp):
            return
        p, q, profile = np.array(position), np.array(orientation), self.profile
        self.pose_good = (
            frame == profile.base_frame
            and bool(np.isfinite(p).all())
            and bool(np.isfinite(q).all())
            and abs(math.sqrt(float(q @ q)) - 1.0) <= 0.01
        )
        if not self.pose_good:
            return
        before, self.pose_before = self.pose_before, (self.now, p)
        if before is not None:
            can = profile.max_distance_m + profile.max_speed_m_s * max(self.now - before[0], 0.0)
            if _length(p - before[1]) > can:
                self.measured, self.target, self.pose_good = None, None, False
                return
        self.measured, self.heard["pose"] = p, (self.now, stamp)
        self.pose_good = _angle(q, profile.orientation_xyzw) <= profile.max_tilt_rad
        if self.target is not None and _length(self.target - p) > profile.max_distance_m:
            self.must_hold = True

    def picture(self, stamp: float) -> None:
        if self.newest("picture", stamp):
            self.heard["picture"] = (self.now, stamp)

    def action(self, stamp: float, axes: list) -> None:
        good = len(axes) == 4 and all(abs(a) <= 1.001 for a in axes)
        if not good:
            self.action_good = False
        elif not stamp < self.resumed and self.newest("action", stamp):
            self.action_good, self.heard["action"] = True, (self.now, stamp)
            if self.target is None:
                self.must_hold = False

    def resume(self) -> None:
        if self.stopped:
            self.stopped, self.resumed, self.action_good = False, self.now, True
            self.heard.pop("action", None)

    # What it must answer ----------------------------------------------------------------------
    def lost(self) -> list[str]:
        """Why the arm may not move now."""
        found = ["stopped"] if self.stopped else []
        found += ["two sources"] if self.two else []
        found += [] if self.pose_good else ["bad pose"]
        found += [] if self.joints_good else ["bad joints"]
        found += [] if self.action_good else ["bad action"]
        found += ["a motion that must end first"] if self.must_hold else []
        for kind, limit in self.limits.items():
            if kind not in self.heard:
                found.append(f"no {kind}")
                continue
            received, stamp = self.heard[kind]
            old = max(self.now - received, self.now - stamp) > limit + NEAR
            if old or not stamp - self.now <= CLOCKS_S + NEAR:
                found.append(f"stale {kind}")
        if self.measured is not None:
            slack = self.profile.max_lead_m + NEAR
            if (self.measured < self.low - slack).any() or (
                self.measured > self.high + slack
            ).any():
                found.append("outside workspace")
            if self._inside(self.measured):
                found.append("inside keep-out")
        return found

    def _inside(self, point: np.ndarray) -> bool:
        return self._crosses(point, point)

    def _crosses(self, a: np.ndarray, b: np.ndarray) -> bool:
        points = a + _SHARES * (b - a)
        return any(
            bool(((points > low + NEAR) & (points < high - NEAR)).all(axis=1).any())
            for low, high in self.boxes
        )

    def _anywhere(self, command: Command) -> list[str]:
        p = command.position
        if p.shape != (3,) or not np.isfinite(p).all():
            return ["not three finite numbers"]
        found = [] if (p >= self.low).all() and (p <= self.high).all() else ["left the workspace"]
        if self._inside(p):
            found.append("inside a keep-out box")
        if self.measured is None:
            return [*found, "nobody knows where the arm is"]
        if _length(p - self.measured) > self.profile.max_distance_m + NEAR:
            found.append("too far from the measured position")
        return found

    def judge_hold(self, command: Command) -> list[str]:
        """A command that ``watch`` or ``stop`` gave."""
        found = self._anywhere(command)
        if not command.hold or command.opening is not None:
            found.append("a hold that moves something")
        if self.target is None:
            found.append("a hold where nothing moved")
        self.target, self.stride = None, np.zeros(3)
        return found

    def judge_silence(self) -> list[str]:
        """``watch`` gave nothing."""
        why = self.lost()
        if self.target is None or self.measured is None or not why:
            return []
        place = np.minimum(np.maximum(self.measured, self.low), self.high)
        edge = any(bool((place >= low).all() and (place <= high).all()) for low, high in self.boxes)
        if edge or _length(place - self.measured) > self.profile.max_distance_m:
            return []
        return [f"no hold in spite of: {', '.join(why)}"]

    def judge_move(self, command: Command) -> list[str]:
        """A command that ``act`` gave."""
        found = [f"moved in spite of: {why}" for why in self.lost()] + self._anywhere(command)
        if self.measured is None or command.opening is None or command.hold:
            return [*found, "a motion without pose or opening"]
        profile, p = self.profile, command.position
        period = profile.action.period_s
        waited = min(self.now - self.left_at, period)
        if waited < period / FASTER - NEAR:
            found.append("more often than allowed")
        if self.target is None:
            self.began = self.now
        start = np.minimum(np.maximum(self.measured, self.low), self.high)
        stride = p - start
        soft = min(1.0, (self.now - self.began + period) / profile.soft_start_s)
        if _length(stride) > profile.max_speed_m_s * waited * soft + NEAR:
            found.append("faster than allowed")
        nearest = np.clip(_ratio(stride @ self.stride, self.stride @ self.stride), 0.0, 1.0)
        gain = _length(stride - nearest * self.stride)
        if gain > profile.max_acceleration_m_s2 * period * waited + NEAR:
            found.append("accelerates more than allowed")
        if self._crosses(self.measured, p):
            found.append("crosses a keep-out box")
        if self.target is not None:
            if _length(p - self.target) > profile.max_step_m + NEAR:
                found.append("too large a step")
            if self._crosses(self.target, p):
                found.append("the target crosses a keep-out box")
        closed, opened = sorted(profile.action.gripper_m)
        if not closed - NEAR <= command.opening <= opened + NEAR:
            found.append("opening out of range")
        if self.opening is not None:
            change = abs(command.opening - self.opening)
            if change > profile.max_gripper_speed_m_s * waited + NEAR:
                found.append("gripper faster than allowed")
        self.target, self.stride, self.opening, self.left_at = p, stride, command.opening, self.now
        return found


def _length(v: np.ndarray) -> float:
    return math.sqrt(float(v @ v))


def _ratio(a: float, b: float) -> float:
    return a / b if b > 0.0 else 0.0


def _angle(q: np.ndarray, kept: tuple[float, float, float, float]) -> float:
    """Angle of the turn from one orientation to another, rad: from the vector part of q k*."""
    x, y, z, w = q / math.sqrt(float(q @ q))
    a, b, c, d = kept
    vector = (
        -w * a + x * d - y * c + z * b,
        -w * b + x * c + y * d - z * a,
        -w * c - x * b + y * a + z * d,
    )
    return 2.0 * math.asin(min(1.0, math.sqrt(sum(v * v for v in vector))))
