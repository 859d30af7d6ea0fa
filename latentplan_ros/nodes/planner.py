"""Camera picture and goal in, action out: CEM in the world model, at the control rate."""

import sys
import threading
from collections import deque
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from geometry_msgs.msg import PoseStamped
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from sensor_msgs.msg import Image, Joy
from visualization_msgs.msg import MarkerArray

from latentplan_ros.control.profile import ProfileError, RobotProfile, load_profile
from latentplan_ros.models.checkpoint import CheckpointError, TrainedModel
from latentplan_ros.nodes import qos
from latentplan_ros.nodes.diagnostics import ERROR, OK, WARN, Diagnostics
from latentplan_ros.nodes.model import shared_model
from latentplan_ros.nodes.parameters import ParameterError, declare
from latentplan_ros.nodes.pictures import image_message
from latentplan_ros.nodes.plan_pictures import imagined_paths, triptych
from latentplan_ros.nodes.process import run
from latentplan_ros.nodes.sight import Frame, Sight
from latentplan_ros.planning import CEM, Controller, Plan, PlanningError

WATCH_PERIOD_S = 0.1
EARLY = 0.25  # of a control period: a picture that comes this much early is planned on at once
BUDGET = 0.75  # of a control period, for a plan
FEWEST = 5  # samples an elite, however late it is
REMEMBERED = 200  # plans that the reported times are taken over


class Planner(LifecycleNode):
    """``configure`` loads and checks the model, ``activate`` starts acting, ``deactivate`` stops.

    One thread plans, the other listens: there is one plan in flight at most, and the next is always
    made on the newest picture. A plan is thrown away where, by its end, its picture is older than
    the profile's limit, the goal has changed, or the node was deactivated.
    """

    def __init__(self, **node_options: Any) -> None:
        super().__init__("planner", **node_options)
        self._declare()
        self._diagnostics = Diagnostics(self, "not configured")
        self._action = self.create_publisher(Joy, "action", qos.ACTION)
        self._picture = self.create_publisher(Image, "plan/image", qos.REPORT)
        self._markers = self.create_publisher(MarkerArray, "plan/markers", qos.REPORT)
        self._changed = threading.Condition()
        self._active = self._closing = False
        self._frame: Frame | None = None
        self._seen = -np.inf  # stamp of the last picture, planned on or not
        self._goal: np.ndarray | None = None
        self._goal_number = 0
        self._position: np.ndarray | None = None
        self._due = -np.inf
        self._problem = ""
        self._plan_ms: deque[float] = deque(maxlen=REMEMBERED)
        self._latency_ms: deque[float] = deque(maxlen=REMEMBERED)
        self._sight: Sight | None = None
        self._worker: threading.Thread | None = None
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(WATCH_PERIOD_S, self._watch, clock=steady)
        if self.get_parameter("autostart").value:
            self._autostart = self.create_timer(0.0, self._start, clock=steady)

    def _declare(self) -> None:
        declare(self, "robot", "franka", "Robot profile: a name or a YAML file")
        declare(self, "checkpoint", "", "Model, a .safetensors file")
        declare(self, "camera", "", "Camera the checkpoint must be trained for; empty: any")
        declare(self, "device", "auto", "cpu, cuda, cuda:1, ..., or auto")
        declare(self, "threads", 0, "Torch's threads; 0: its own choice", 0, 256)
        declare(
            self,
            "image_transport",
            "raw",
            "Type of the camera topic",
            choices=("raw", "compressed"),
        )
        declare(self, "autostart", True, "Configure and activate without a lifecycle manager")
        declare(self, "samples", 200, "Most action sequences an iteration", 1, 1_000_000)
        declare(self, "iterations", 3, "Rounds of sampling", 1, 1000)
        declare(self, "elites", 10, "Best sequences the next round starts from", 1, 1_000_000)
        declare(self, "horizon", 13, "Steps ahead", 1, 1000)
        declare(self, "replan_every", 1, "Actions taken of each plan", 1, 1000)
        declare(self, "beta", 0.5, "Weight of new noise against the last", 0.01, 1.0)
        declare(
            self,
            "std",
            [0.0, 0.0, 0.0, 0.0],
            "Spread of x, y, z, gripper in the search; zeros: that of the checkpoint's data",
        )
        declare(self, "seed", 0, "Seed of the search", 0, 2**31 - 1)
        declare(self, "picture_rate", 5.0, "Most plan/image and plan/markers a second", 0.0, 30.0)

    def close(self) -> None:
        self._stop_worker()

    # Life -----------------------------------------------------------------------------------
    def _start(self) -> None:
        self.destroy_timer(self._autostart)
        if self.trigger_configure() == TransitionCallbackReturn.SUCCESS:
            self.trigger_activate()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        def value(name: str) -> Any:
            return self.get_parameter(name).value

        try:
            self._profile = load_profile(value("robot"))
            self._model = shared_model(
                value("checkpoint"),
                self._profile,
                value("camera"),
                value("device"),
                value("threads"),
            )
            self._controller = self._make_controller(self._model, self._profile)
        except (CheckpointError, ProfileError, PlanningError) as error:
            self._fault(f"cannot be configured: {error}")
            return TransitionCallbackReturn.FAILURE
        # Where imagined paths begin. current_pose would say it too, but a hundred or a thousand
        # times a second, and each time costs the thread that plans.
        self._target = self.create_subscription(
            PoseStamped, "target_pose", self._on_target, qos.TARGET
        )
        size = self._model.header.image_size
        self._sight = Sight(self, value("image_transport"), size, self._on_frame, self._on_goal)
        self._picture_period = 1.0 / max(value("picture_rate"), 1e-9)
        self._pictured = -np.inf
        self._closing = False
        self._worker = threading.Thread(target=self._work, name="planner", daemon=True)
        self._worker.start()
        self._problem = ""
        self._diagnostics.set(OK, "inactive: activate to act")
        return TransitionCallbackReturn.SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        with self._changed:
            self._active, self._problem = True, ""
            self._goal_number += 1  # begin without the plan from before the pause
            self._frame = None
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        with self._changed:  # an action that is being published leaves first, none after
            self._active = False
        self._diagnostics.set(OK, "inactive: activate to act")
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._release()
        self._diagnostics.set(OK, "not configured")
        return TransitionCallbackReturn.SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._release()
        self._diagnostics.set(OK, "shut down")
        return TransitionCallbackReturn.SUCCESS

    def _release(self) -> None:
        self._stop_worker()
        if self._sight is not None:
            self._sight.close()
            self.destroy_subscription(self._target)
            self._sight = None
        self._frame = self._goal = self._position = None

    def _stop_worker(self) -> None:
        with self._changed:
            self._active, self._closing = False, True
            self._changed.notify()
        if self._worker is not None:
            self._worker.join()
            self._worker = None

    def _make_controller(self, model: TrainedModel, profile: RobotProfile) -> Controller:
        value = {name: self.get_parameter(name).value for name in _SEARCH}
        std = tuple(self.get_parameter("std").value)
        if not any(std):
            std = model.header.exploration_std
        if len(std) != 4 or not all(np.isfinite(s) and s >= 0 for s in std) or not any(std):
            raise PlanningError(
                f"parameter std is {list(std)}; give 4 spreads, the checkpoint knows none"
            )
        self._full = self._cem = CEM(std, **value)
        controller = Controller(
            model,
            self._full,
            self.get_parameter("replan_every").value,
            next(model.parameters()).device,
            self.get_parameter("seed").value,
        )
        size = model.header.image_size
        nothing = np.zeros((size, size, 3), np.uint8)
        controller.set_goal(nothing)  # the first plan is slow: make it now
        controller.act(nothing)
        return controller

    # What arrives ---------------------------------------------------------------------------
    def _on_frame(self, frame: Frame) -> None:
        with self._changed:
            self._frame, self._seen = frame, frame.stamp
            self._changed.notify()

    def _on_goal(self, picture: np.ndarray | None) -> None:
        with self._changed:
            self._goal = picture
            self._goal_number += 1

    def _on_target(self, message: PoseStamped) -> None:
        p = message.pose.position
        self._position = np.array([p.x, p.y, p.z])

    # Planning -------------------------------------------------------------------------------
    def _now(self) -> float:
        return self.get_clock().now().nanoseconds * 1e-9

    def _ready(self) -> bool:
        if self._closing:
            return True
        if not self._active or self._goal is None or self._frame is None:
            return False
        now, period = self._now(), self._profile.action.period_s
        if self._due - now > 2 * period:  # the clock was turned back
            self._due = now
        return now >= self._due - EARLY * period and self._fresh(self._frame, now)

    def _fresh(self, frame: Frame, now: float) -> bool:
        return now - frame.stamp <= self._profile.image_timeout_s

    def _work(self) -> None:
        goal_number = -1
        while True:
            with self._changed:
                self._changed.wait_for(self._ready)
                if self._closing:
                    return
                frame, goal, number = self._frame, self._goal, self._goal_number
                self._frame = None
                now, period = self._now(), self._profile.action.period_s
                late = now - self._due > period / 2
                self._due = (now if late else self._due) + period
            assert frame is not None
            assert goal is not None
            try:
                if number != goal_number:
                    self._controller.set_goal(goal)
                    goal_number = number
                action, plan = self._controller.act(frame.picture)
                self._keep_pace(plan)
            except (PlanningError, RuntimeError) as error:
                self._problem = f"cannot plan: {error}"
                goal_number = -1
                continue
            if self._act(frame, number, action, plan):
                self._show(frame, goal, plan)

    def _keep_pace(self, plan: Plan) -> None:
        """Fewer samples where a plan takes too much of a control period, more where it may."""
        allowed = BUDGET * 1e3 * self._profile.action.period_s
        samples = int(self._cem.samples * allowed / plan.stats["milliseconds"])
        samples = min(max(samples, FEWEST * self._full.elites), self._full.samples)
        self._cem = replace(self._cem, samples=max(samples, self._full.elites))
        self._controller.use(self._cem)

    def _act(self, frame: Frame, number: int, action: np.ndarray, plan: Plan) -> bool:
        """Publish the action, unless it is no longer wanted or rests on too old a picture."""
        with self._changed:
            now = self._now()
            if not self._active or number != self._goal_number:
                return False
            self._plan_ms.append(plan.stats["milliseconds"])
            age = now - frame.stamp
            if not self._fresh(frame, now):
                self._problem = (
                    f"too slow: the picture was {age:.2f} s old when its plan was ready, the limit "
                    f"is {self._profile.image_timeout_s} s; lower samples, iterations or horizon"
                )
                return False
            message = Joy(axes=[float(a) for a in action])
            message.header.stamp = self.get_clock().now().to_msg()
            self._action.publish(message)
            self._latency_ms.append(1e3 * age)
            self._problem = ""
        return True

    def _show(self, frame: Frame, goal: np.ndarray, plan: Plan) -> None:
        now = self._now()
        if 0 <= now - self._pictured < self._picture_period:
            return
        self._pictured = now
        with torch.inference_mode():
            end = self._model.decode(plan.latents[-1:])[0]
        imagined = (255 * end.permute(1, 2, 0)).round().to(torch.uint8).cpu().numpy()
        stamp = self.get_clock().now().to_msg()
        self._picture.publish(image_message(triptych(frame.picture, goal, imagined), stamp, "plan"))
        if self._position is not None:
            self._markers.publish(imagined_paths(plan, self._position, self._profile, stamp))

    # Reports --------------------------------------------------------------------------------
    def _fault(self, problem: str) -> None:
        self._diagnostics.set(ERROR, problem)

    def _watch(self) -> None:
        if not self._active or self._sight is None:
            return
        values = {
            "plan_ms_median": _quantile(self._plan_ms, 50),
            "plan_ms_p99": _quantile(self._plan_ms, 99),
            "samples": self._cem.samples,
            "camera_to_command_ms_median": _quantile(self._latency_ms, 50),
            "camera_to_command_ms_p99": _quantile(self._latency_ms, 99),
        }
        limit, topic = self._profile.image_timeout_s, self._sight.camera_topic
        if self._sight.problem:
            self._diagnostics.set(ERROR, self._sight.problem, **values)
        elif self._goal is None:
            self._diagnostics.set(WARN, "not acting: no goal on goal/image yet", **values)
        elif self._seen == -np.inf:
            self._diagnostics.set(WARN, f"not acting: no picture on {topic} yet", **values)
        elif self._now() - self._seen > limit:
            self._diagnostics.set(
                WARN, f"not acting: the last picture on {topic} is older than {limit} s", **values
            )
        elif self._problem:
            self._diagnostics.set(ERROR, f"not acting: {self._problem}", **values)
        else:
            self._diagnostics.set(OK, "acting", **values)


_SEARCH = ("samples", "iterations", "elites", "horizon", "beta")


def _quantile(values: deque[float], percent: float) -> str:
    numbers = list(values)
    return f"{np.percentile(numbers, percent):.1f}" if numbers else ""


def main() -> None:
    sys.exit(run(Planner, ParameterError))


if __name__ == "__main__":
    main()
