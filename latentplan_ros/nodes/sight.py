"""What a node sees: the newest camera picture and the goal, as the network's pictures."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image

from latentplan_ros.data.images import ImageError, decode
from latentplan_ros.data.preprocess import Preprocess
from latentplan_ros.models.checkpoint import TrainedModel
from latentplan_ros.models.latent_world_model import PictureError
from latentplan_ros.nodes import qos
from latentplan_ros.nodes.stamps import seconds


@dataclass(frozen=True)
class Frame:
    """``picture uint8 [S,S,3]`` after preprocessing, taken at ``stamp`` (s, the node's clock)."""

    picture: np.ndarray
    stamp: float


class Sight:
    """Subscribes camera and goal, decodes and preprocesses them for a model.

    A bad picture is dropped and named in ``problem`` until a good one comes; a bad goal, or one
    unlike anything that the model has learned from, removes the goal there was, because whoever
    sent it no longer wants the old one.
    """

    def __init__(
        self,
        node: Node,
        transport: str,
        model: TrainedModel,
        on_frame: Callable[[Frame], None],
        on_goal: Callable[[np.ndarray | None], None],
    ) -> None:
        self._node, self._model = node, model
        self._preprocess = Preprocess(model.header.image_size)
        self._on_frame, self._on_goal = on_frame, on_goal
        self._camera_problem = self._goal_problem = ""
        kind, topic = (
            (Image, "camera/image_raw")
            if transport == "raw"
            else (CompressedImage, "camera/image_raw/compressed")
        )
        self._camera = node.create_subscription(kind, topic, self._see, qos.CAMERA)
        self._goal = node.create_subscription(Image, "goal/image", self._aim, qos.GOAL)

    @property
    def problem(self) -> str:
        return self._camera_problem or self._goal_problem

    @property
    def camera_topic(self) -> str:
        return self._camera.topic_name

    def close(self) -> None:
        self._node.destroy_subscription(self._camera)
        self._node.destroy_subscription(self._goal)

    def _see(self, message: Image | CompressedImage) -> None:
        try:
            picture = self._preprocess.apply(decode(message, self._camera.topic_name))
        except ImageError as error:
            self._camera_problem = str(error)
            return
        self._camera_problem = ""
        self._on_frame(Frame(picture, seconds(message.header.stamp)))

    def _aim(self, message: Image) -> None:
        try:
            picture = self._preprocess.apply(decode(message, self._goal.topic_name))
            self._model.require_familiar(picture)
        except ImageError as error:
            self._refuse_goal(str(error))
            return
        except PictureError as error:
            self._refuse_goal(f"{self._goal.topic_name}: {error}")
            return
        self._goal_problem = ""
        self._on_goal(picture)

    def _refuse_goal(self, problem: str) -> None:
        self._goal_problem = problem
        self._on_goal(None)
