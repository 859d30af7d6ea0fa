"""The thread that plans: newest picture in, action out, at the control rate."""

import threading
from collections import deque
from collections.abc import Callable

import numpy as np

from latentplan_ros.control.profile import RobotProfile
from latentplan_ros.nodes.effort import Effort
from latentplan_ros.nodes.pace import Pace
from latentplan_ros.nodes.sight import Frame
from latentplan_ros.planning import CEM, Controller, ModelError, Plan, PlanningError, UnderWay

LOOK_S = 0.005  # how often an early picture looks at the clock, which may be a simulated one
REMEMBERED = 200  # plans that the reported times are taken over


class PlanningLoop:
    """Plans in a thread of its own, so that the newest picture is there when a plan begins.

    There is one plan in flight at most. It is thrown away where, by its end, its picture is older
    than the profile's limit, the goal has changed, or ``pause`` was called.

    now: the clock that pictures are stamped by, s. publish: sends an action ``[4]`` and returns its
    stamp, s. show: called after that, when nothing is urgent, with the picture, the goal and the
    plan. Both are called in the planning thread.
    """

    def __init__(
        self,
        controller: Controller,
        search: CEM,
        profile: RobotProfile,
        now: Callable[[], float],
        publish: Callable[[np.ndarray], float],
        show: Callable[[np.ndarray, np.ndarray, Plan], None],
    ) -> None:
        period = profile.action.period_s
        self.problem = ""  # why the last picture led to no action
        self.pictured = -np.inf  # stamp of the last picture, planned on or not
        self._controller, self._profile = controller, profile
        self._now, self._publish, self._show = now, publish, show
        self._effort, self._pace = Effort(search, period), Pace(period)
        self._under_way = UnderWay(period, profile.action_timeout_s)
        self._model_error = ModelError(period)
        self._ahead = 0
        self._planned: Plan | None = None  # the newest plan; with replan_every it serves more ticks
        self._plan_ms: deque[float] = deque(maxlen=REMEMBERED)
        self._latency_ms: deque[float] = deque(maxlen=REMEMBERED)
        self._errors: deque[float] = deque(maxlen=REMEMBERED)
        self._changed = threading.Condition()
        self._active = self._closing = False
        self._frame: Frame | None = None
        self._goal: np.ndarray | None = None
        self._goal_number = 0
        self._thread = threading.Thread(target=self._work, name="planner", daemon=True)
        self._thread.start()

    # From the node's thread -----------------------------------------------------------------
    def see(self, frame: Frame) -> None:
        with self._changed:
            self._frame, self.pictured = frame, frame.stamp
            self._changed.notify()

    def blink(self) -> None:
        """The newest picture could not be read: don't act on one from before it either."""
        with self._changed:
            self._frame = None

    def aim(self, goal: np.ndarray | None) -> None:
        """Plan for this goal from now on, ``uint8 [S,S,3]``; None: for none."""
        with self._changed:
            self._goal = goal
            self._goal_number += 1
            self._pace.rest()

    def resume(self) -> None:
        """Begin to act, without the plan from before the pause."""
        with self._changed:
            self._active, self.problem = True, ""
            self._goal_number += 1
            self._frame = None

    def pause(self) -> None:
        """Stop acting: an action that is being published leaves first, none after."""
        with self._changed:
            self._active = False
            self._pace.rest()

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._active, self._closing = False, True
            self._changed.notify()
        self._thread.join()

    @property
    def alive(self) -> bool:
        """False after an error that is no fault of the model or the picture."""
        return self._thread.is_alive()

    @property
    def active(self) -> bool:
        return self._active

    @property
    def aimed(self) -> bool:
        return self._goal is not None

    def figures(self) -> dict[str, object]:
        """What /diagnostics reports beside the status."""
        jitter_ms = [1e3 * s for s in list(self._pace.jitter)]
        return {
            "plan_ms_median": _quantile(self._plan_ms, 50),
            "plan_ms_p99": _quantile(self._plan_ms, 99),
            "camera_to_command_ms_median": _quantile(self._latency_ms, 50),
            "camera_to_command_ms_p99": _quantile(self._latency_ms, 99),
            "tick_jitter_ms_median": _quantile(jitter_ms, 50),
            "tick_jitter_ms_p99": _quantile(jitter_ms, 99),
            "missed_ticks": self._pace.missed,
            "samples": self._effort.cem.samples,
            "cut_plans": self._effort.cut,
            "overruns": self._effort.overruns,
            "periods_ahead": self._ahead,
            "model_error_median": _quantile(self._errors, 50, 3),
            "model_error_p99": _quantile(self._errors, 99, 3),
        }

    # The planning thread --------------------------------------------------------------------
    def _work(self) -> None:
        goal_number = -1
        while (job := self._next()) is not None:
            frame, goal, number = job
            try:
                if number != goal_number:
                    self._controller.set_goal(goal)
                    goal_number = number
                action, plan = self._decide(frame)
            except (PlanningError, RuntimeError) as error:
                self.problem = f"cannot plan: {error}"
                goal_number = -1
                continue
            stamp = self._act(frame, number, action, plan)
            self._compare(frame, stamp, plan)
            if stamp is not None:
                self._show(frame.picture, goal, plan)

    def _next(self) -> tuple[Frame, np.ndarray, int] | None:
        """What to plan on, when it is time to; None when the thread shall end."""
        with self._changed:
            while not self._closing:
                frame, goal, now = self._frame, self._goal, self._now()
                if not self._active or goal is None or frame is None or not self._fresh(frame, now):
                    self._changed.wait()
                elif (early := self._pace.wait(now)) > 0:
                    # A newer picture may take this one's place meanwhile.
                    self._changed.wait(min(early, LOOK_S))
                else:
                    self._frame = None
                    self._pace.begin(now)
                    return frame, goal, self._goal_number
        return None

    def _fresh(self, frame: Frame, now: float) -> bool:
        return now - frame.stamp <= self._profile.image_timeout_s

    def _decide(self, frame: Frame) -> tuple[np.ndarray, Plan]:
        now = self._now()
        self._controller.use(self._effort.fit(now - frame.stamp))
        situation = self._under_way.at(frame.stamp, now + self._effort.expected_s)
        action, plan = self._controller.act(frame.picture, situation)
        if plan is not self._planned:
            self._ahead = len(situation.ahead)
            self._effort.learn(plan)
        return action, plan

    def _act(self, frame: Frame, number: int, action: np.ndarray, plan: Plan) -> float | None:
        """Publish the action, unless it is no longer wanted or rests on too old a picture."""
        with self._changed:
            now = self._now()
            if not self._active or number != self._goal_number:
                return None
            self._plan_ms.append(plan.stats["milliseconds"])
            age, limit = now - frame.stamp, self._profile.image_timeout_s
            if not self._fresh(frame, now):
                self.problem = (
                    f"too slow: the picture was {age:.2f} s old when its plan was ready, the limit "
                    f"is {limit} s; lower samples, iterations or horizon"
                )
                return None
            stamp = self._publish(action)
            self._under_way.sent(stamp, action)
            self._pace.sent(now)
            self._latency_ms.append(1e3 * age)
            self.problem = ""
        return stamp

    def _compare(self, frame: Frame, stamp: float | None, plan: Plan) -> None:
        """Imagined against seen; after the action is out, for nobody waits for it."""
        if plan is self._planned:
            return
        self._planned = plan
        self._errors.extend(self._model_error.seen(frame.stamp, self._controller.seen))
        if stamp is not None:
            self._model_error.imagined(stamp, plan.latents[0])


def _quantile(values: "deque[float] | list[float]", percent: float, digits: int = 1) -> str:
    numbers = list(values)
    return f"{np.percentile(numbers, percent):.{digits}f}" if numbers else ""
