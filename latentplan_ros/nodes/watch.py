"""The running graph in a browser: subscribes to what there is to see and logs it to Rerun."""

import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import rclpy.node
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PoseStamped
from sensor_msgs.msg import CompressedImage, Image, Joy
from std_msgs.msg import Float32
from visualization_msgs.msg import MarkerArray

from latentplan_ros.control.profile import ProfileError, load_profile
from latentplan_ros.data.images import ImageError, decode
from latentplan_ros.nodes import qos
from latentplan_ros.nodes.diagnostics import OK, WARN, Diagnostics
from latentplan_ros.nodes.live_view import LiveView
from latentplan_ros.nodes.parameters import ParameterError, declare
from latentplan_ros.nodes.process import run
from latentplan_ros.nodes.viewer import Viewer, ViewerError

POSE_RATE_HZ = 10.0
_LEVELS = {DiagnosticStatus.OK: "OK", DiagnosticStatus.WARN: "WARN"}


class Watch(rclpy.node.Node):
    """Reads only; publishes nothing but its own diagnostics, and serves nobody but this machine
    unless ``bind`` says so."""

    def __init__(self) -> None:
        super().__init__("watch")

        def fixed(
            name: str,
            default: Any,
            text: str,
            low: float | None = None,
            high: float | None = None,
        ) -> Any:
            return declare(self, name, default, text, low, high, read_only=True)

        robot = fixed("robot", "franka", "Robot profile: a name or a YAML file")
        bind = fixed("bind", "127.0.0.1", "Address to serve on; 0.0.0.0: to the whole network")
        web_port = fixed("web_port", 9090, "Port of the page", 1, 65535)
        data_port = fixed("data_port", 9876, "Port of the data behind the page", 1, 65535)
        save = fixed("save", "", "File to keep what was shown in, *.rrd; empty: none")
        rate = fixed("picture_rate", 5.0, "Most pictures a second of each topic", 0.1, 60.0)
        simulated = bool(self.get_parameter("use_sim_time").value)
        profile = load_profile(robot)
        self._viewer = Viewer(bind, web_port, data_port)
        file = Path(save).expanduser() if save else None
        self._view = LiveView(profile, self._viewer.data, file, simulated)
        self._shortest = {"picture": 1.0 / rate, "pose": 1.0 / POSE_RATE_HZ}
        self._last: dict[str, float] = {}
        self._diagnostics = Diagnostics(self)
        self._diagnostics.set(OK, f"open {self._viewer.page}")
        self._subscribe()

    def _subscribe(self) -> None:
        for kind, topic, show, quality in (
            (Image, "camera/image_raw", self._on_camera, qos.CAMERA),
            (CompressedImage, "camera/image_raw/compressed", self._on_camera, qos.CAMERA),
            (Image, "goal/image", self._on_goal, qos.GOAL),
            (Image, "plan/image", self._on_plan, qos.REPORT),
            (PoseStamped, "current_pose", self._on_pose, qos.STATE_IN),
            (PoseStamped, "target_pose", self._on_target, qos.TARGET),
            (Joy, "action", self._on_action, qos.ACTION),
            (Float32, "distance", self._on_distance, qos.REPORT),
            (MarkerArray, "plan/markers", self._on_paths, qos.REPORT),
            (DiagnosticArray, "/diagnostics", self._on_diagnostics, qos.REPORT),
        ):
            self.create_subscription(kind, topic, self._timed(show), quality)

    def _timed(self, show: Callable[[Any], None]) -> Callable[[Any], None]:
        """Shown when it arrives, not when it was stamped: a driver whose clock is wrong would
        otherwise move all the others out of sight."""

        def arrive(message: Any) -> None:
            self._view.at(self._now())
            show(message)

        return arrive

    def close(self) -> None:
        self._view.close()
        self._viewer.close()

    def _now(self) -> float:
        return self.get_clock().now().nanoseconds * 1e-9

    def _due(self, entity: str, kind: str) -> bool:
        """Whether it is time for another of these; a clock that went back makes it so too."""
        now = self._now()
        if 0.0 <= now - self._last.get(entity, -math.inf) < self._shortest[kind]:
            return False
        self._last[entity] = now
        return True

    # What arrives ---------------------------------------------------------------------------
    def _on_camera(self, message: Image | CompressedImage) -> None:
        self._show_picture("camera", message)

    def _on_goal(self, message: Image) -> None:
        self._show_picture("goal", message)

    def _on_plan(self, message: Image) -> None:
        self._show_picture("plan", message)

    def _show_picture(self, entity: str, message: Image | CompressedImage) -> None:
        if not self._due(entity, "picture"):
            return
        try:
            picture = decode(message, entity)
        except ImageError as error:
            self._diagnostics.set(WARN, str(error))
        else:
            self._view.picture(entity, picture)

    def _on_pose(self, message: PoseStamped) -> None:
        if self._due("pose", "pose"):
            self._view.pose(_position(message))

    def _on_target(self, message: PoseStamped) -> None:
        self._view.target(_position(message))

    def _on_action(self, message: Joy) -> None:
        self._view.action(list(message.axes))

    def _on_distance(self, message: Float32) -> None:
        self._view.number("distance", message.data)

    def _on_paths(self, message: MarkerArray) -> None:
        self._view.paths(message)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            values = {item.key: item.value for item in status.values}
            level = _LEVELS.get(status.level, "ERROR")
            self._view.status(status.name, level, values.get("reason", ""), status.message)
            for key, value in values.items():
                number = _number(value)
                if number is not None:
                    self._view.value(status.name, key, number)


def _position(message: PoseStamped) -> np.ndarray:
    p = message.pose.position
    return np.array([p.x, p.y, p.z])


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def main() -> None:
    sys.exit(run(Watch, ParameterError, ProfileError, ViewerError))


if __name__ == "__main__":
    main()
