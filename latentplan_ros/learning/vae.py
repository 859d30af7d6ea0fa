"""A variational autoencoder of the pictures, for the distance between their codes (MBOLD C.1)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from latentplan_ros.data.dataset import Dataset
from latentplan_ros.learning.stage import Batch, Stage
from latentplan_ros.models.latent_world_model import LatentWorldModel
from latentplan_ros.models.rig_policy import RigPolicy
from latentplan_ros.models.vae_distance import CHANNELS, FEATURES, VaeDistance


@dataclass(frozen=True)
class VaeRecipe:
    updates: int = 50_000  # ours; the paper's 3,125,000 are beyond two cores
    batch_size: int = 32
    learning_rate: float = 3e-4  # Table 2, as for the distance of MBOLD
    kl_weight: float = 1e-5


class VaeStage(Stage):
    """Squared error a pixel, summed over its colours, and the weighted KL divergence from N(0, I).

    The decoder belongs to the training alone; distances need the encoder.
    """

    name = "vae"

    def __init__(
        self,
        model: LatentWorldModel,
        latents: torch.Tensor,
        dataset: Dataset,
        episodes: np.ndarray,
        recipe: VaeRecipe,
        seed: int,
    ) -> None:
        super().__init__()
        head = model.head.vae if isinstance(model.head, RigPolicy) else model.head
        assert isinstance(head, VaeDistance)
        self.head, self.recipe, self._dataset = head, recipe, dataset
        self.decoder = _decoder(head.hidden, head.code)
        self.updates, self.batch_size = recipe.updates, recipe.batch_size
        self._frames = dataset.frames(episodes)

    def parameter_groups(self) -> list[dict[str, Any]]:
        return [{"params": list(self.parameters()), "lr": self.recipe.learning_rate}]

    def sample(self, rng: np.random.Generator, count: int) -> Batch:
        images = self._dataset.images(rng.choice(self._frames, size=count))
        return {"images": torch.from_numpy(images.transpose(0, 3, 1, 2).copy())}

    def forward(self, batch: Batch) -> Batch:
        pictures = batch["images"].float() / 255.0
        mean, log_variance = self.head.moments(pictures)
        code = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        error = (self.decoder(code) - pictures).square().sum(dim=1).mean()
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).sum(1).mean()
        return {
            "loss": error + self.recipe.kl_weight * divergence,
            "error": error.detach(),
            "divergence": divergence.detach(),
        }


def _decoder(hidden: int, code: int) -> nn.Module:
    """The encoder turned round."""
    a, b, c, d = CHANNELS
    return nn.Sequential(
        nn.Linear(code, hidden),
        nn.BatchNorm1d(hidden),
        nn.ReLU(),
        nn.Linear(hidden, hidden),
        nn.BatchNorm1d(hidden),
        nn.ReLU(),
        nn.Linear(hidden, FEATURES),
        nn.Unflatten(1, (d, 4, 4)),
        nn.ConvTranspose2d(d, c, 4, 2, 1),
        nn.LeakyReLU(),
        nn.BatchNorm2d(c),
        nn.ConvTranspose2d(c, b, 4, 2, 1),
        nn.LeakyReLU(),
        nn.BatchNorm2d(b),
        nn.ConvTranspose2d(b, a, 4, 2, 1),
        nn.LeakyReLU(),
        nn.ConvTranspose2d(a, 3, 4, 2, 1),
    )
