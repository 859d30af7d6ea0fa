"""The last gate before a robot moves: what may leave as a command, and why the rest may not."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from latentplan_ros.control.profile import RobotProfile
from latentplan_ros.control.target import gripper_opening, next_target

RANGE_TOLERANCE = 1e-3  # float32 round-off of an action at the edge of [-1, 1]
FUTURE_TOLERANCE_S = 0.05  # what two machines' clocks may differ by
RATE_MARGIN = 1.5  # commands leave at most this many times the control rate


class Reason(str, Enum):
    """Why nothing moves."""

    STOPPED = "stopped"
    NO_POSE = "no pose"
    STALE_POSE = "stale pose"
    BAD_POSE = "bad pose"
    OUTSIDE_WORKSPACE = "outside workspace"
    BAD_JOINTS = "bad joints"
    NO_PICTURE = "no picture"
    STALE_PICTURE = "stale picture"
    NO_ACTION = "no action"
    STALE_ACTION = "stale action"
    BAD_ACTION = "bad action"
    TWO_SOURCES = "two sources of actions"
    CLOCK_JUMP = "clock jumped back"
    TOO_SOON = "too soon"


@dataclass(frozen=True)
class Refusal:
    """One reason with what was seen, and what to do about it."""

    reason: Reason
    detail: str

    def __str__(self) -> str:
        return f"{self.reason.value}: {self.detail}"


@dataclass(frozen=True)
class Command:
    """What may leave: target position ``float64 [3]`` (m, base frame), and finger opening (m), None
    to leave the gripper as it is. ``hold`` marks one that keeps the arm where it is."""

    position: np.ndarray
    opening: float | None
    hold: bool = False


@dataclass
class _Heard:
    """When something was last received (this clock) and made (its own stamp), seconds."""

    received: float
    stamp: float

    def age(self, now: float) -> float:
        return max(now - self.received, now - self.stamp)


class SafetyEnvelope:
    """Pure state machine around ``next_target``; all times in seconds of one clock, passed in.

    Tell it what arrives (``picture``, ``pose``, ``joints``, ``sources``), ask it with ``act`` for
    the command an action becomes, and call ``watch`` often: it answers with one hold command
    whenever the arm must stop moving. Holding ends by itself when its reason does; ``stop`` lasts
    until ``resume``.

    Guarantees of every Command: inside the workspace, no further from the measured position than
    ``max_speed_m_s`` covers, finite, never after ``stop``; if it moves the arm, it rests on a pose,
    a picture and an action younger than the profile's limits, and on one source of actions. A hold
    keeps the last measured position, for that is all there is when the pose is what was lost.
    """

    def __init__(self, profile: RobotProfile, needs_picture: bool = True) -> None:
        self.profile = profile
        self.needs_picture = needs_picture
        self._stopped = False
        self._forget()

    def _forget(self) -> None:
        self._now = -math.inf
        self._picture: _Heard | None = None
        self._pose: _Heard | None = None
        self._action: _Heard | None = None
        self._measured: np.ndarray | None = None
        self._target: np.ndarray | None = None
        self._bad_pose: Refusal | None = None
        self._bad_joints: Refusal | None = None
        self._bad_action: Refusal | None = None
        self._conflict: Refusal | None = None
        self._jump: Refusal | None = None
        self._commanded_at = -math.inf
        self._moving = False

    # What arrives ---------------------------------------------------------------------------
    def picture(self, now: float, stamp: float) -> None:
        """A camera picture made at ``stamp`` arrived."""
        self._tick(now)
        self._picture = _Heard(now, stamp)

    def pose(self, now: float, stamp: float, position: Sequence[float], frame: str) -> None:
        """A measured end-effector position ``[3]`` (m) in ``frame`` arrived."""
        self._tick(now)
        values = np.asarray(position, np.float64)
        base = self.profile.base_frame
        if frame != base:
            self._bad_pose = Refusal(
                Reason.BAD_POSE,
                f"current_pose is in frame {frame!r}, the profile {self.profile.name} works in "
                f"{base!r}; publish it in {base!r} or correct base_frame",
            )
        elif values.shape != (3,) or not np.isfinite(values).all():
            self._bad_pose = Refusal(
                Reason.BAD_POSE, f"current_pose has position {values.tolist()}, not 3 finite metres"
            )
        else:
            self._bad_pose = None
            self._pose = _Heard(now, stamp)
            self._measured = values

    def joints(self, now: float, names: Sequence[str], positions: Sequence[float]) -> None:
        """Joint positions arrived; one of the profile's joints that is not finite stops the arm."""
        self._tick(now)
        known = set(self.profile.joints)
        pairs = zip(names, positions, strict=False)
        bad = [f"{n} = {p}" for n, p in pairs if n in known and not math.isfinite(p)]
        self._bad_joints = (
            Refusal(Reason.BAD_JOINTS, f"joint_states has {', '.join(bad)}") if bad else None
        )

    def sources(self, names: Sequence[str]) -> None:
        """The nodes that publish actions at present; more than one is one too many."""
        self._conflict = None
        if len(names) > 1:
            listed = " and ".join(sorted(names))
            self._conflict = Refusal(
                Reason.TWO_SOURCES, f"{listed} both publish action; stop all but one"
            )

    # What may leave -------------------------------------------------------------------------
    def act(self, now: float, stamp: float, action: Sequence[float]) -> Command | Refusal:
        """The command for an action ``[4]`` decided at ``stamp``, or why there is none."""
        self._tick(now)
        values = np.asarray(action, np.float64)
        if self._jump is not None and self._pose is not None:
            self._jump = None  # an action after the jump, upon a pose after the jump
        self._bad_action = _check_action(values)
        if self._bad_action is None:
            self._action = _Heard(now, stamp)
        refusal = self.refusal(now)
        if refusal is not None:
            return refusal
        waited = now - self._commanded_at
        shortest = self.profile.action.period_s / RATE_MARGIN
        if waited < shortest:
            return Refusal(
                Reason.TOO_SOON, f"{waited:.3f} s after the last, at least {shortest:.3f}"
            )
        assert self._measured is not None
        previous = self._measured if self._target is None else self._target
        target = next_target(previous, self._measured, values, self.profile)
        target = self._slowed(target, waited)
        self._target, self._commanded_at, self._moving = target, now, True
        return Command(target, gripper_opening(values, self.profile))

    def watch(self, now: float) -> Command | None:
        """Call it several times within each limit: a hold command once when moving must end."""
        self._tick(now)
        return None if self.refusal(now) is None else self._hold()

    def stop(self, now: float) -> Command | None:
        """Latch; the returned hold (None where nothing was moving) is the last command."""
        self._tick(now)
        self._stopped = True
        return self._hold()

    def resume(self, now: float) -> None:
        """Let actions through again, from the measured pose on; earlier ones are forgotten."""
        self._tick(now)
        self._stopped = False
        self._action = self._bad_action = self._target = None

    def refusal(self, now: float) -> Refusal | None:
        """Why an action would not move the arm now; None when it would."""
        if self._stopped:
            return Refusal(Reason.STOPPED, "~/stop was called; ~/resume lets actions through again")
        for known in (self._jump, self._conflict, self._bad_pose, self._bad_joints):
            if known is not None:
                return known
        limits = self.profile
        stale = self._stale(now, self._pose, "current_pose", limits.pose_timeout_s, _POSE)
        if stale is None and self.needs_picture:
            stale = self._stale(now, self._picture, "camera", limits.image_timeout_s, _PICTURE)
        if stale is None:
            stale = self._outside() or self._bad_action
        if stale is None:
            stale = self._stale(now, self._action, "action", limits.action_timeout_s, _ACTION)
        return stale

    # Inside ---------------------------------------------------------------------------------
    def _tick(self, now: float) -> None:
        if now < self._now:
            # Ages measured across a jump are meaningless: everything must be heard anew.
            jumped, measured, moving = self._now - now, self._measured, self._moving
            conflict = self._conflict
            self._forget()
            self._measured, self._moving, self._conflict = measured, moving, conflict
            self._commanded_at = now
            self._jump = Refusal(
                Reason.CLOCK_JUMP, f"by {jumped:.3f} s; waiting for a new pose, picture and action"
            )
        self._now = now

    def _stale(
        self,
        now: float,
        heard: _Heard | None,
        topic: str,
        limit: float,
        kinds: tuple[Reason, Reason],
    ) -> Refusal | None:
        missing, stale = kinds
        if heard is None:
            return Refusal(missing, f"nothing has arrived on {topic}")
        age, ahead = heard.age(now), heard.stamp - now
        if ahead > FUTURE_TOLERANCE_S:
            return Refusal(
                stale,
                f"{topic} is stamped {ahead:.3f} s in the future; synchronise the machines' clocks",
            )
        if age > limit:
            unset = (
                " (its stamp is zero)" if heard.stamp == 0.0 and now - heard.received < age else ""
            )
            # Not the age itself: the reason must not change with every look.
            return Refusal(stale, f"{topic} is older than {limit} s{unset}")
        return None

    def _outside(self) -> Refusal | None:
        if self._measured is None:
            return None
        box = self.profile.workspace
        if box.contains(self._measured, tolerance=self.profile.max_lead_m):
            return None
        place = ", ".join(f"{v:.3f}" for v in self._measured)
        return Refusal(
            Reason.OUTSIDE_WORKSPACE,
            f"the end effector is at ({place}), the workspace is {box.min} to {box.max}; "
            "move the arm into it by hand",
        )

    def _slowed(self, target: np.ndarray, waited: float) -> np.ndarray:
        """The target, nearer where an action came before its control period was over."""
        assert self._measured is not None
        start = self.profile.workspace.clip(self._measured)
        stride = target - start
        reach = self.profile.max_speed_m_s * min(waited, self.profile.action.period_s)
        stride *= min(1.0, reach / max(float(np.linalg.norm(stride)), 1e-9))
        return self.profile.workspace.clip(start + stride)

    def _hold(self) -> Command | None:
        """Keep the last measured position; None where no motion that left here needs an end."""
        if not self._moving or self._measured is None:
            return None
        self._moving = False
        self._target = None
        return Command(self.profile.workspace.clip(self._measured), None, hold=True)


_POSE = (Reason.NO_POSE, Reason.STALE_POSE)
_PICTURE = (Reason.NO_PICTURE, Reason.STALE_PICTURE)
_ACTION = (Reason.NO_ACTION, Reason.STALE_ACTION)


def _check_action(values: np.ndarray) -> Refusal | None:
    shown = np.array2string(values, precision=4, separator=", ")
    if values.shape != (4,):
        return Refusal(
            Reason.BAD_ACTION, f"action has axes {shown}; it must be 4: x, y, z, gripper"
        )
    if not np.isfinite(values).all():
        return Refusal(Reason.BAD_ACTION, f"action has axes {shown}, which are not all finite")
    if np.abs(values).max() > 1.0 + RANGE_TOLERANCE:
        return Refusal(Reason.BAD_ACTION, f"action has axes {shown}, outside [-1, 1]")
    return None
