"""Video prediction over the planner's horizon, weaned from recorded pictures as it learns."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.special import lambertw

from latentplan_ros.data.dataset import Dataset
from latentplan_ros.data.windows import Windows
from latentplan_ros.learning.stage import Batch, Stage
from latentplan_ros.models.video_world_model import VideoWorldModel


@dataclass(frozen=True)
class VideoRecipe:
    """The paper: 200,000 updates of 32 filters. updates 0: no video prediction is trained."""

    updates: int = 0
    batch_size: int = 8
    learning_rate: float = 1e-3
    horizon: int = 13
    # Share of the updates after which half of the inputs are pictures of its own making.
    weaned: float = 0.15
    filters: int = 8
    kernels: int = 4
    kernel_size: int = 9

    def sizes(self) -> dict[str, int]:
        """What the network is built from."""
        return {
            "filters": self.filters,
            "kernels": self.kernels,
            "kernel_size": self.kernel_size,
        }


class VideoStage(Stage):
    """Squared error of all predicted pictures.

    Scheduled sampling: each step starts from the recorded picture with a probability that falls
    along an inverse sigmoid, and else from the predicted one, which is all that there is later.
    """

    name = "video"

    def __init__(
        self, model: VideoWorldModel, dataset: Dataset, episodes: np.ndarray, recipe: VideoRecipe
    ) -> None:
        super().__init__()
        self.video, self.recipe, self._dataset = model.video, recipe, dataset
        self.updates, self.batch_size = recipe.updates, recipe.batch_size
        self._windows = Windows(dataset, episodes, recipe.horizon)
        self._done = 0

    def rate(self, progress: float) -> float:
        """The last half of the updates takes the learning rate down to nothing."""
        return min(1.0, 2.0 * (1.0 - progress))

    def truth_share(self) -> float:
        """Probability that a step after the first starts from the recorded picture."""
        half = max(self.recipe.weaned * self.recipe.updates, 1.0)
        k = half / float(lambertw(half).real)  # so that it is a half there: exp(half / k) = k
        return k / (k + math.exp(min(self._done / k, 700.0)))

    def parameter_groups(self) -> list[dict[str, Any]]:
        return [{"params": list(self.video.parameters()), "lr": self.recipe.learning_rate}]

    def sample(self, rng: np.random.Generator, count: int) -> Batch:
        rows = rng.integers(len(self._windows.starts), size=count)
        indices = self._windows.starts[rows][:, None] + np.arange(self.recipe.horizon + 1)
        images = self._dataset.images(indices).transpose(0, 1, 4, 2, 3)
        return {
            "images": torch.from_numpy(np.ascontiguousarray(images)),
            "actions": torch.from_numpy(self._windows.actions(rows)),
        }

    def forward(self, batch: Batch) -> Batch:
        pictures, actions = batch["images"].float() / 255.0, batch["actions"]
        first = picture = pictures[:, 0]
        state = first.new_zeros(len(first), self.video.state_size)
        recorded = torch.rand(pictures.shape[:2], device=first.device) < self.truth_share()
        errors, unchanged = [], []
        for step in range(self.recipe.horizon):
            if step:
                true = recorded[:, step, None, None, None]
                picture = torch.where(true, pictures[:, step], picture)
            picture, state = self.video(
                picture, first, state, actions[:, step : step + 2].flatten(1)
            )
            errors.append((picture - pictures[:, step + 1]).square().mean())
            unchanged.append((first - pictures[:, step + 1]).square().mean())
        return {
            "loss": torch.stack(errors).mean(),
            "first_step": errors[0].detach(),
            "last_step": errors[-1].detach(),
            "unchanged": torch.stack(unchanged).mean().detach(),
        }

    def after_update(self, batch: Batch, losses: Batch) -> None:
        self._done += 1

    def extra_state(self) -> dict[str, torch.Tensor]:
        return {"done": torch.tensor(self._done)}

    def load_extra_state(self, state: dict[str, torch.Tensor]) -> None:
        self._done = int(state["done"])
