"""A variational autoencoder of gray pictures: the baseline whose l2 knows looks alone (Table 1)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from latentplan_ros.learning.stage import Batch, Stage
from latentplan_ros.models.picture_encoder import PictureEncoder


@dataclass(frozen=True)
class PictureVaeRecipe:
    updates: int = 1000
    batch_size: int = 128
    learning_rate: float = 1e-3
    kl_weight: float = 1e-3  # of one number of the code, against the mean error of a pixel


class PictureVaeStage(Stage):
    """Squared error of pictures at half their resolution, and the divergence from N(0, I).

    Its ``means`` are the codes; the decoder belongs to the training alone.
    """

    name = "picture_vae"

    def __init__(self, pictures: np.ndarray, code: int, recipe: PictureVaeRecipe) -> None:
        super().__init__()
        self.recipe, self.updates, self.batch_size = recipe, recipe.updates, recipe.batch_size
        self.encoder = PictureEncoder(2 * code)
        self.decoder = nn.Sequential(
            nn.Linear(code, 256),
            nn.SiLU(),
            nn.Linear(256, 64 * 16),
            nn.SiLU(),
            nn.Unflatten(1, (64, 4, 4)),
            nn.ConvTranspose2d(64, 32, 4, 2, 1),
            nn.SiLU(),
            nn.ConvTranspose2d(32, 16, 4, 2, 1),
            nn.SiLU(),
            nn.ConvTranspose2d(16, 1, 4, 2, 1),
        )
        self._pictures = torch.from_numpy(pictures)
        # Of the pixels over the data: a small block on a wide floor is most of what changes.
        self._spread = float(pictures.std(0).mean()) / 255.0

    def parameter_groups(self) -> list[dict[str, Any]]:
        return [{"params": list(self.parameters()), "lr": self.recipe.learning_rate}]

    def sample(self, rng: np.random.Generator, count: int) -> Batch:
        rows = torch.from_numpy(rng.integers(len(self._pictures), size=count))
        return {"pictures": self._pictures[rows]}

    def forward(self, batch: Batch) -> Batch:
        mean, log_variance = self.encoder(batch["pictures"]).chunk(2, dim=1)
        code = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        wanted = nn.functional.avg_pool2d(batch["pictures"][:, None].float() / 255.0, 2)
        error = (self.decoder(code) - wanted).square().mean() / self._spread**2
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).sum(1).mean()
        return {
            "loss": error + self.recipe.kl_weight * divergence,
            "error": error.detach(),
            "divergence": divergence.detach(),
        }

    def means(self, pictures: torch.Tensor) -> torch.Tensor:
        """Codes, ``uint8 [B,64,64]`` to ``[B,code]``."""
        return self.encoder(pictures).chunk(2, dim=1)[0]
