"""Camera picture and goal in, action out: CEM in the world model, at the control rate."""

import sys
import time
from typing import Any

import numpy as np
import torch
from geometry_msgs.msg import PoseStamped
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from sensor_msgs.msg import Image, Joy
from visualization_msgs.msg import MarkerArray

from latentplan_ros.control.profile import ProfileError, load_profile
from latentplan_ros.models.checkpoint import CheckpointError
from latentplan_ros.nodes import qos
from latentplan_ros.nodes.diagnostics import ERROR, OK, WARN, Diagnostics
from latentplan_ros.nodes.model import shared_model
from latentplan_ros.nodes.parameters import ParameterError, declare
from latentplan_ros.nodes.pictures import image_message
from latentplan_ros.nodes.plan_pictures import imagined_paths, triptych
from latentplan_ros.nodes.planning_loop import PlanningLoop
from latentplan_ros.nodes.process import run
from latentplan_ros.nodes.search import declare_search, make_controller, make_search
from latentplan_ros.nodes.sight import Sight
from latentplan_ros.nodes.stamps import seconds
from latentplan_ros.planning import Plan, PlanningError

WATCH_PERIOD_S = 0.1
FIGURES_PERIOD_S = 1.0


class Planner(LifecycleNode):
    """``configure`` loads and checks the model, ``activate`` starts acting, ``deactivate`` stops.

    This thread listens and reports; a ``PlanningLoop`` plans in another.
    """

    def __init__(self, **node_options: Any) -> None:
        super().__init__("planner", **node_options)
        self._declare()
        self._diagnostics = Diagnostics(self, "not configured")
        self._action = self.create_publisher(Joy, "action", qos.ACTION)
        self._picture = self.create_publisher(Image, "plan/image", qos.REPORT)
        self._markers = self.create_publisher(MarkerArray, "plan/markers", qos.REPORT)
        self._loop: PlanningLoop | None = None
        self._sight: Sight | None = None
        self._position: np.ndarray | None = None
        self._figures: dict[str, object] = {}
        self._figures_due = 0.0
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(WATCH_PERIOD_S, self._watch, clock=steady)
        if self.get_parameter("autostart").value:
            self._autostart = self.create_timer(0.0, self._start, clock=steady)

    def _declare(self) -> None:
        declare(self, "robot", "franka", "Robot profile: a name or a YAML file")
        declare(self, "checkpoint", "", "Model, a .safetensors file")
        declare(self, "camera", "", "Camera the checkpoint must be trained for; empty: any")
        declare(self, "device", "auto", "cpu, cuda, cuda:1, ..., or auto")
        declare(
            self,
            "image_transport",
            "raw",
            "Type of the camera topic",
            choices=("raw", "compressed"),
        )
        declare(self, "autostart", True, "Configure and activate without a lifecycle manager")
        declare_search(self)
        declare(self, "picture_rate", 5.0, "Most plan/image and plan/markers a second", 0.0, 30.0)

    def close(self) -> None:
        if self._loop is not None:
            self._loop.close()
            self._loop = None

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
                threads=1,  # of torch itself; SplitModel says why
            )
            search = make_search(self, self._model)
            controller = make_controller(self, self._model, search)
        except (CheckpointError, ProfileError, PlanningError) as error:
            self._diagnostics.set(ERROR, f"cannot be configured: {error}")
            return TransitionCallbackReturn.FAILURE
        # Where imagined paths begin. current_pose would say it too, but a hundred or a thousand
        # times a second, and each time costs the thread that plans.
        self._target = self.create_subscription(
            PoseStamped, "target_pose", self._on_target, qos.TARGET
        )
        self._picture_period = 1.0 / max(value("picture_rate"), 1e-9)
        self._pictured = -np.inf
        self._loop = PlanningLoop(
            controller, search, self._profile, self._now, self._send, self._show
        )
        self._sight = Sight(
            self, value("image_transport"), self._model, self._loop.see, self._loop.aim
        )
        self._diagnostics.set(OK, "inactive: activate to act")
        return TransitionCallbackReturn.SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        if self._loop is not None:
            self._loop.resume()
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        if self._loop is not None:
            self._loop.pause()
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
        self.close()
        if self._sight is not None:
            self._sight.close()
            self.destroy_subscription(self._target)
            self._sight = self._position = None

    # What arrives ---------------------------------------------------------------------------
    def _on_target(self, message: PoseStamped) -> None:
        p = message.pose.position
        self._position = np.array([p.x, p.y, p.z])

    # What leaves, in the planning thread ----------------------------------------------------
    def _now(self) -> float:
        return self.get_clock().now().nanoseconds * 1e-9

    def _send(self, action: np.ndarray) -> float:
        message = Joy(axes=[float(a) for a in action])
        message.header.stamp = self.get_clock().now().to_msg()
        self._action.publish(message)
        return seconds(message.header.stamp)

    def _show(self, picture: np.ndarray, goal: np.ndarray, plan: Plan) -> None:
        now = self._now()
        if 0 <= now - self._pictured < self._picture_period:
            return
        self._pictured = now
        with torch.inference_mode():
            end = self._model.decode(plan.latents[-1:])[0]
        imagined = (255 * end.permute(1, 2, 0)).round().to(torch.uint8).cpu().numpy()
        stamp = self.get_clock().now().to_msg()
        self._picture.publish(image_message(triptych(picture, goal, imagined), stamp, "plan"))
        if self._position is not None:
            self._markers.publish(imagined_paths(plan, self._position, self._profile, stamp))

    # Reports --------------------------------------------------------------------------------
    def _watch(self) -> None:
        loop, sight = self._loop, self._sight
        if loop is None or sight is None or not loop.active:
            return
        if not loop.alive:
            raise RuntimeError("the planning thread has ended; its traceback is above")
        if time.monotonic() >= self._figures_due:  # as often as they are published
            self._figures_due = time.monotonic() + FIGURES_PERIOD_S
            self._figures = loop.figures()
        if sight.problem:
            loop.blink()
        level, message = self._status(loop, sight)
        self._diagnostics.set(level, message, **self._figures)

    def _status(self, loop: PlanningLoop, sight: Sight) -> tuple[bytes, str]:
        limit, topic = self._profile.image_timeout_s, sight.camera_topic
        if sight.problem:
            return ERROR, sight.problem
        if not loop.aimed:
            return WARN, "not acting: no goal on goal/image yet"
        if loop.pictured == -np.inf:
            return WARN, f"not acting: no picture on {topic} yet"
        if self._now() - loop.pictured > limit:
            return WARN, f"not acting: the last picture on {topic} is older than {limit} s"
        if loop.problem:
            return ERROR, f"not acting: {loop.problem}"
        return OK, "acting"


def main() -> None:
    sys.exit(run(Planner, ParameterError))


if __name__ == "__main__":
    main()
