"""The last gate before a robot moves: what may leave as a command, and why the rest may not."""

import math
from collections.abc import Sequence

import numpy as np

from latentplan_ros.control.envelope.motion import Motion
from latentplan_ros.control.envelope.reasons import Command, Reason, Refusal
from latentplan_ros.control.envelope.stream import Stream
from latentplan_ros.control.envelope.whereabouts import Whereabouts
from latentplan_ros.control.profile import RobotProfile

RANGE_TOLERANCE = 1e-3  # float32 round-off of an action at the edge of [-1, 1]


class SafetyEnvelope:
    """Pure state machine around ``next_target``; all times in seconds of one clock, passed in.

    Tell it what arrives (``picture``, ``pose``, ``joints``, ``sources``), ask it with ``act`` for
    the command an action becomes, and call ``watch`` often: it answers with one hold command
    whenever the arm must stop moving. Holding ends by itself when its reason does; ``stop`` lasts
    until ``resume``. Whatever ended a motion, the next one starts slowly, from the measured pose.

    Guarantees of every Command: finite, inside the workspace, in no keep-out box, at most
    ``max_distance_m`` from the measured position, never after ``stop``. One that moves the arm
    leads past keep-out boxes, keeps the limits of speed, acceleration, step and gripper, and rests
    on a pose, a picture and an action younger than the profile's limits, and on one source of
    actions. A hold keeps the last measured position where the arm was allowed to be.
    """

    def __init__(self, profile: RobotProfile, needs_picture: bool = True) -> None:
        self.profile = profile
        self.needs_picture = needs_picture
        self._picture = Stream(
            "camera", profile.image_timeout_s, Reason.NO_PICTURE, Reason.STALE_PICTURE
        )
        self._pose = Stream(
            "current_pose", profile.pose_timeout_s, Reason.NO_POSE, Reason.STALE_POSE
        )
        self._action = Stream(
            "action", profile.action_timeout_s, Reason.NO_ACTION, Reason.STALE_ACTION
        )
        self._arm = Whereabouts(profile)
        self._motion = Motion(profile)
        self._patience = min(
            profile.image_timeout_s, profile.pose_timeout_s, profile.action_timeout_s
        )
        self._now = self._resumed_at = -math.inf
        self._stopped = False
        self._interruption: Refusal | None = None
        self._conflict: Refusal | None = None
        self._bad_joints: Refusal | None = None
        self._bad_action: Refusal | None = None
        self._runaway: Refusal | None = None

    # What arrives ---------------------------------------------------------------------------
    def picture(self, now: float, stamp: float) -> None:
        """A camera picture made at ``stamp`` arrived; NaN for one without a readable stamp."""
        self._tick(now)
        self._picture.hear(now, stamp)

    def pose(
        self,
        now: float,
        stamp: float,
        position: Sequence[float],
        orientation: Sequence[float],
        frame: str,
    ) -> None:
        """A measured end-effector pose in ``frame`` arrived: ``[3]`` m, quaternion xyzw ``[4]``."""
        self._tick(now)
        if not self._pose.in_order(now, stamp):
            return
        self._arm.arrive(now, position, orientation, frame)
        if self._arm.trusted:
            self._pose.hear(now, stamp)
        if self._arm.jumped:
            self._motion.end()
        elif self._arm.measured is not None and self._motion.target is not None:
            apart = float(np.linalg.norm(self._motion.target - self._arm.measured))
            if apart > self.profile.max_distance_m:
                self._runaway = Refusal(
                    Reason.TOO_FAR,
                    f"the arm is further than {self.profile.max_distance_m} m from where it was "
                    "sent; something pushes it, or its controller does not follow",
                )

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
        self._settle()
        values = np.asarray(action, np.float64)
        malformed = _check_action(values)
        if malformed is None:
            if stamp < self._resumed_at or not self._action.hear(now, stamp):
                return Refusal(Reason.OUT_OF_ORDER, "an action older than the last, or than resume")
            if not self._motion.moving:  # the motion that it ended has had its hold
                self._runaway = None
        self._bad_action = malformed
        refusal = self.refusal(now) or self._motion.too_soon(now)
        if refusal is not None:
            return refusal
        assert self._arm.measured is not None
        answer = self._motion.next(now, self._arm.measured, values)
        if isinstance(answer, Refusal):
            self._bad_action = answer
        return answer

    def watch(self, now: float) -> Command | None:
        """Call it several times within each limit: a hold command once when moving must end."""
        self._tick(now)
        self._settle()
        return None if self.refusal(now) is None else self._hold()

    def stop(self, now: float) -> Command | None:
        """Latch; the returned hold (None where nothing was moving) is the last command."""
        self._tick(now)
        self._stopped = True
        hold = self._hold()
        self._motion.end()
        return hold

    def resume(self, now: float) -> None:
        """Let actions through again, from the measured pose on; earlier ones are forgotten."""
        self._tick(now)
        if self._stopped:
            self._stopped, self._resumed_at = False, now
            self._bad_action = None
            self._action.forget()

    def refusal(self, now: float) -> Refusal | None:
        """Why an action would not move the arm now; None when it would."""
        if self._stopped:
            return Refusal(Reason.STOPPED, "~/stop was called; ~/resume lets actions through again")
        known = self._interruption or self._conflict or self._arm.refusal()
        known = known or self._bad_joints or self._pose.refusal(now)
        if known is None and self.needs_picture:
            known = self._picture.refusal(now)
        return known or self._runaway or self._bad_action or self._action.refusal(now)

    # Inside ---------------------------------------------------------------------------------
    def _tick(self, now: float) -> None:
        gap = now - self._now
        if gap < 0.0:
            self._interrupt(now, Reason.CLOCK_JUMP, f"by {-gap:.3f} s")
        elif math.isfinite(gap) and gap > self._patience:
            # Asleep: what was heard before says nothing of where the arm is now.
            self._interrupt(
                now,
                Reason.PAUSED,
                f"for {gap:.3f} s: this process was paused, or its clock jumped ahead",
            )
            self._arm.forget()
        self._now = now

    def _interrupt(self, now: float, reason: Reason, how: str) -> None:
        """Ages measured across it are meaningless: everything must be heard anew."""
        for stream in (self._picture, self._pose, self._action):
            stream.forget()
        self._bad_joints = self._bad_action = self._runaway = None
        self._resumed_at = -math.inf
        self._motion.commanded_at = now  # never in the future, which would last
        self._interruption = Refusal(reason, f"{how}; waiting for all to come anew")

    def _settle(self) -> None:
        """An interruption is over when its motion has been ended and the world is seen anew; what
        is missing then is an action."""
        seen = self._picture.received is not None or not self.needs_picture
        if not self._motion.moving and self._pose.received is not None and seen:
            self._interruption = None

    def _hold(self) -> Command | None:
        """Stay where the arm was last allowed to be; None where no motion needs an end, or, until
        the next pose, where nothing is known of where the arm is."""
        if not self._motion.moving or self._arm.place is None:
            return None
        self._motion.end()
        return Command(self._arm.place, None, hold=True)


def _check_action(values: np.ndarray) -> Refusal | None:
    if values.shape != (4,):
        wrong = "; it must be 4: x, y, z, gripper"
    elif not np.isfinite(values).all():
        wrong = ", which are not all finite"
    elif np.abs(values).max() > 1.0 + RANGE_TOLERANCE:
        wrong = ", outside [-1, 1]"
    else:
        return None
    shown = np.array2string(values, precision=4, separator=", ", threshold=8)
    return Refusal(Reason.BAD_ACTION, f"action has axes {shown}{wrong}")
