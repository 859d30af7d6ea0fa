"""Latches the goal picture: a file, or what the camera shows when ~/capture is called."""

import sys
import time
from pathlib import Path

import numpy as np
import rclpy.node
from rcl_interfaces.msg import SetParametersResult
from rclpy.parameter import Parameter
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CompressedImage, Image
from std_srvs.srv import Trigger

from latentplan_ros.data.images import ImageError, decode, load
from latentplan_ros.nodes import qos
from latentplan_ros.nodes.diagnostics import ERROR, OK, WARN, Diagnostics
from latentplan_ros.nodes.parameters import ParameterError, declare
from latentplan_ros.nodes.pictures import image_message
from latentplan_ros.nodes.process import run

OLDEST_PICTURE_S = 1.0
ASPECT_TOLERANCE = 0.02


class Goal(rclpy.node.Node):
    """Publishes on goal/image once for each goal; late subscribers get the present one.

    Setting the parameter ``image`` to a path, the same one again included, loads that file. A file
    that can't be the goal is refused with the reason, and the goal stays what it was.
    """

    def __init__(self) -> None:
        super().__init__("goal")
        image = declare(self, "image", "", "Goal picture, jpeg or png; empty: none yet")
        self._smallest = declare(
            self, "smallest", 64, "Least width and height of a goal picture, pixels", 1, 10_000
        )
        transport = declare(
            self,
            "image_transport",
            "raw",
            "Type of the camera topic",
            choices=("raw", "compressed"),
            read_only=True,
        )
        self._diagnostics = Diagnostics(self, "no goal yet: set parameter image or call ~/capture")
        self._goal = self.create_publisher(Image, "goal/image", qos.GOAL)
        self._kind, topic = (
            (Image, "camera/image_raw")
            if transport == "raw"
            else (CompressedImage, "camera/image_raw/compressed")
        )
        self._seen: bytes | None = None
        self._seen_at = 0.0
        # Undecoded: a picture is looked at only when somebody asks for it.
        self._camera = self.create_subscription(
            self._kind, topic, self._on_picture, qos.CAMERA, raw=True
        )
        self.create_service(Trigger, "~/capture", self._on_capture)
        if image:
            self._show_file(image)
        self.add_on_set_parameters_callback(self._on_parameters)

    def _on_picture(self, raw: bytes) -> None:
        self._seen, self._seen_at = raw, time.monotonic()

    def _on_parameters(self, parameters: list[Parameter]) -> SetParametersResult:
        for parameter in parameters:
            if parameter.name == "smallest":
                self._smallest = parameter.value
            if parameter.name == "image" and parameter.value:
                problem = self._show_file(parameter.value)
                if problem:
                    return SetParametersResult(successful=False, reason=problem)
        return SetParametersResult(successful=True)

    def _show_file(self, path: str) -> str:
        """Publish the picture in a file; why it can't be the goal, or nothing."""
        try:
            picture = load(Path(path).expanduser())
            self._check_size(picture, path)
        except ImageError as error:
            self._diagnostics.set(ERROR, f"goal refused: {error}")
            return str(error)
        self._show(picture, path)
        return ""

    def _on_capture(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        topic = self._camera.topic_name
        age = time.monotonic() - self._seen_at
        if self._seen is None or age > OLDEST_PICTURE_S:
            seen = "no picture yet" if self._seen is None else f"the last picture {age:.1f} s ago"
            response.success, response.message = False, f"{topic}: {seen}"
            self._diagnostics.set(WARN, f"goal not captured: {response.message}")
            return response
        try:
            picture = self._camera_picture(self._seen)
            self._check_size(picture, topic)
        except ImageError as error:
            response.success, response.message = False, str(error)
            self._diagnostics.set(ERROR, f"goal not captured: {error}")
            return response
        self._show(picture, topic)
        response.success = True
        response.message = f"the goal is what {topic} showed {1e3 * age:.0f} ms ago"
        return response

    def _show(self, picture: np.ndarray, source: str) -> None:
        self._goal.publish(image_message(picture, self.get_clock().now().to_msg(), "goal"))
        height, width = picture.shape[:2]
        self._diagnostics.set(OK, f"goal: {source}", width=width, height=height)

    def _camera_picture(self, raw: bytes) -> np.ndarray:
        """A camera message's picture. Raises ImageError."""
        topic = self._camera.topic_name
        try:
            message = deserialize_message(raw, self._kind)
        except RuntimeError:  # what rclpy says to bytes that are no such message
            kind = self._kind.__name__
            raise ImageError(topic, kind, f"{len(raw)} bytes that are no such message") from None
        return decode(message, topic)

    def _check_size(self, picture: np.ndarray, source: str) -> None:
        """A goal is no smaller than the network's picture, and square or of the camera's shape.

        Otherwise the crop to the network's square would show another part of the scene.
        """
        height, width = picture.shape[:2]
        if min(height, width) < self._smallest:
            raise ImageError(
                source, f"{width}x{height}", f"a goal is at least {self._smallest} pixels each way"
            )
        if height == width or self._seen is None:
            return
        try:
            camera = self._camera_picture(self._seen)
        except ImageError:
            return  # the camera's fault is not the goal's, and the planner reports it
        ratio = (width / height) / (camera.shape[1] / camera.shape[0])
        if abs(ratio - 1.0) > ASPECT_TOLERANCE:
            raise ImageError(
                source,
                f"{width}x{height}",
                f"the camera's pictures are {camera.shape[1]}x{camera.shape[0]}: "
                "give a goal of the same shape, or a square one",
            )


def main() -> None:
    sys.exit(run(Goal, ParameterError))


if __name__ == "__main__":
    main()
