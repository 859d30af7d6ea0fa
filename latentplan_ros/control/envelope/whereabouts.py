"""Where the arm is, as far as that can be believed, and where it may be told to stay."""

import math
from collections.abc import Sequence

import numpy as np

from latentplan_ros.control.box import KeepOut
from latentplan_ros.control.envelope.reasons import Reason, Refusal
from latentplan_ros.control.profile import RobotProfile

UNIT_TOLERANCE = 0.01  # of a quaternion's length


class Whereabouts:
    """The measured pose and what is wrong with it.

    measured: last position ``float64 [3]`` (m, base frame) that was well-formed and plausible;
    place: where a hold may be, the last measured position inside the workspace and outside of every
    keep-out box; None where nothing is known. trusted: whether the last pose was of that kind;
    jumped: whether it contradicted the one before.
    """

    def __init__(self, profile: RobotProfile) -> None:
        self._profile = profile
        self._kept = np.asarray(profile.orientation_xyzw, np.float64)
        self.forget()

    def forget(self) -> None:
        self.measured: np.ndarray | None = None
        self.place: np.ndarray | None = None
        self.trusted = self.jumped = False
        self._problem: Refusal | None = None
        self._last: tuple[float, np.ndarray] | None = None

    def arrive(
        self, now: float, position: Sequence[float], orientation: Sequence[float], frame: str
    ) -> None:
        """A pose came."""
        values = np.asarray(position, np.float64)
        self._problem = self._malformed(values, np.asarray(orientation, np.float64), frame)
        self.trusted, self.jumped = False, False
        if self._problem is not None:
            return
        before, self._last = self._last, (now, values)
        if before is not None and self._jumped(now, values, *before):
            # One of the two is wrong, and nobody can say which: until two agree, neither counts.
            self.measured = self.place = None
            self.jumped = True
            self._problem = Refusal(
                Reason.POSE_JUMP,
                "two poses in a row lie further apart than the arm can move; nothing is sent until "
                "they agree again, and the last target stands",
            )
            return
        self.trusted = True
        self.measured = values
        limit = self._profile.max_distance_m
        clipped = self._profile.workspace.clip(values)
        if self._keep_out(clipped) is None and _apart(clipped, values) <= limit:
            self.place = clipped
        elif self.place is not None and _apart(self.place, values) > limit:
            self.place = None
        self._problem = self._tilted(np.asarray(orientation, np.float64))

    def refusal(self) -> Refusal | None:
        """Why the arm must not move from where it is."""
        if self._problem is not None or self.measured is None:
            return self._problem
        box, at = self._profile.workspace, self.measured
        if not box.contains(at, tolerance=self._profile.max_lead_m):
            place = ", ".join(f"{v:.2f}" for v in at)
            return Refusal(
                Reason.OUTSIDE_WORKSPACE,
                f"the end effector is at ({place}), the workspace is {box.min} to {box.max}; "
                "move the arm into it by hand",
            )
        inside = self._keep_out(at)
        if inside is not None:
            return Refusal(
                Reason.KEEP_OUT,
                f"the end effector is inside {inside.name!r}; move the arm out of it by hand",
            )
        return None

    def _malformed(
        self, position: np.ndarray, orientation: np.ndarray, frame: str
    ) -> Refusal | None:
        base = self._profile.base_frame
        if frame != base:
            return Refusal(
                Reason.BAD_POSE,
                f"current_pose is in frame {frame!r}, the profile {self._profile.name} works in "
                f"{base!r}; publish it in {base!r} or correct base_frame",
            )
        if position.shape != (3,) or not np.isfinite(position).all():
            return Refusal(
                Reason.BAD_POSE,
                f"current_pose has position {position.tolist()}, not 3 finite metres",
            )
        if orientation.shape != (4,) or not (
            abs(float(np.linalg.norm(orientation)) - 1.0) <= UNIT_TOLERANCE
        ):
            return Refusal(
                Reason.BAD_POSE,
                f"current_pose has orientation {orientation.tolist()}, not a unit quaternion",
            )
        return None

    def _jumped(self, now: float, to: np.ndarray, since: float, origin: np.ndarray) -> bool:
        can = self._profile.max_distance_m + self._profile.max_speed_m_s * max(now - since, 0.0)
        return _apart(to, origin) > can

    def _tilted(self, orientation: np.ndarray) -> Refusal | None:
        cosine = min(1.0, abs(float(orientation @ self._kept) / float(np.linalg.norm(orientation))))
        if 2.0 * math.acos(cosine) <= self._profile.max_tilt_rad:
            return None
        return Refusal(
            Reason.TILTED,
            f"the end effector is turned by more than {self._profile.max_tilt_rad} rad from "
            "orientation_xyzw, which every target has; turn it back by hand",
        )

    def _keep_out(self, position: np.ndarray) -> KeepOut | None:
        return next((b for b in self._profile.keep_out if b.contains(position)), None)


def _apart(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.linalg.norm(a - b))
