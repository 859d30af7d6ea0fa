"""The learned distance from now to the goal, live."""

import os
import sys
from typing import Any

import numpy as np
import rclpy.node
import torch
from std_msgs.msg import Float32

from latentplan_ros.control.profile import ProfileError, load_profile
from latentplan_ros.models.checkpoint import CheckpointError
from latentplan_ros.nodes import qos
from latentplan_ros.nodes.diagnostics import ERROR, OK, WARN, Diagnostics
from latentplan_ros.nodes.model import shared_model
from latentplan_ros.nodes.parameters import ParameterError, declare
from latentplan_ros.nodes.process import run
from latentplan_ros.nodes.sight import Frame, Sight


class Distance(rclpy.node.Node):
    """One Float32 on distance, in time steps, for each camera picture while there is a goal."""

    def __init__(self, **node_options: Any) -> None:
        super().__init__("distance", **node_options)
        robot = declare(
            self, "robot", "franka", "Robot profile: a name or a YAML file", read_only=True
        )
        checkpoint = declare(self, "checkpoint", "", "Model, a .safetensors file", read_only=True)
        camera = declare(
            self,
            "camera",
            "",
            "Camera the checkpoint must be trained for; empty: any",
            read_only=True,
        )
        device = declare(self, "device", "auto", "cpu, cuda, cuda:1, ..., or auto", read_only=True)
        threads = declare(
            self, "threads", 0, "Torch's threads; 0: its own choice", 0, 256, read_only=True
        )
        transport = declare(
            self,
            "image_transport",
            "raw",
            "Type of the camera topic",
            choices=("raw", "compressed"),
            read_only=True,
        )
        self._model = shared_model(checkpoint, load_profile(robot), camera, device, threads)
        self._device = next(self._model.parameters()).device
        self._diagnostics = Diagnostics(self)
        self._distance = self.create_publisher(Float32, "distance", qos.REPORT)
        self._goal: torch.Tensor | None = None
        self._pictures = 0
        self._sight = Sight(self, transport, self._model, self._on_frame, self._on_goal)
        self.create_timer(1.0, self._report)

    @torch.inference_mode()
    def _encode(self, picture: np.ndarray) -> torch.Tensor:
        batch = torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))[None]
        return self._model.encode(batch.to(self._device))

    def _on_goal(self, picture: np.ndarray | None) -> None:
        self._goal = None if picture is None else self._encode(picture)

    @torch.inference_mode()
    def _on_frame(self, frame: Frame) -> None:
        self._pictures += 1
        if self._goal is None:
            return
        steps = float(self._model.distance(self._encode(frame.picture), self._goal))
        self._distance.publish(Float32(data=steps))

    def _report(self) -> None:
        rate, self._pictures = self._pictures, 0
        if self._sight.problem:
            self._diagnostics.set(ERROR, self._sight.problem, pictures_per_s=rate)
        elif self._goal is None:
            self._diagnostics.set(WARN, "no goal on goal/image yet", pictures_per_s=rate)
        elif rate == 0:
            topic = self._sight.camera_topic
            self._diagnostics.set(WARN, f"no picture on {topic}", pictures_per_s=rate)
        else:
            self._diagnostics.set(OK, "measuring", pictures_per_s=rate)


def main() -> None:
    os.nice(5)  # it only reports, and shares the cores with the planner, which has a tick to meet
    sys.exit(run(Distance, ParameterError, ProfileError, CheckpointError))


if __name__ == "__main__":
    main()
