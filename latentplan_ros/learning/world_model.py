"""The latent world model: representation and open-loop dynamics, trained together on pictures."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from latentplan_ros.data.dataset import Dataset
from latentplan_ros.data.windows import Windows
from latentplan_ros.learning.representation.chosen import Beside
from latentplan_ros.learning.stage import Batch, Stage
from latentplan_ros.models.latent_world_model import LatentWorldModel
from latentplan_ros.models.networks import mlp

_BESIDE = "beside."  # what begins so in a batch is the objective's


@dataclass(frozen=True)
class WorldModelRecipe:
    """Hyperparameters; each is explained where it is used."""

    updates: int = 10_000
    batch_size: int = 24
    learning_rate: float = 8e-4
    horizon: int = 13
    pictures: int = 2  # predicted moments a window that are compared with pictures
    motion_weight: float = 10.0  # weight of a pixel that moved, above one that did not
    consistency: float = 0.3
    inverse: float = 0.05
    # Spread of each window's gain and offset in brightness: cameras are not renderers.
    jitter: float = 0.04


class WorldModelStage(Stage):
    """Encode one frame, imagine ``horizon`` steps with the recorded actions, decode some of them.

    Loss: squared error of decoded pictures (present and imagined), weighted towards pixels that
    moved; imagined latents against encoded ones; and the action between neighbouring frames, read
    from their latents (inverse dynamics, so that the arm's pose is in the latent precisely). With
    ``beside`` the weighted loss of an objective for the encoder is added.
    """

    name = "world_model"

    def __init__(
        self,
        model: LatentWorldModel,
        dataset: Dataset,
        episodes: np.ndarray,
        recipe: WorldModelRecipe,
        beside: Beside | None = None,
    ):
        super().__init__()
        # The parts by themselves: the distance is another stage's.
        self.encoder, self.dynamics, self.decoder = model.encoder, model.dynamics, model.decoder
        self.recipe, self._dataset = recipe, dataset
        self.updates, self.batch_size = recipe.updates, recipe.batch_size
        self.inverse_head = mlp(2 * model.spec["latent"], 128, 1, 4)
        self._windows = Windows(dataset, episodes, recipe.horizon)
        self.objective = beside.objective if beside else None
        self._beside = beside
        self.recordable = beside is None

    def parameter_groups(self) -> list[dict[str, Any]]:
        trained = [weight for weight in self.parameters() if weight.requires_grad]
        return [{"params": trained, "lr": self.recipe.learning_rate}]

    def sample(self, rng: np.random.Generator, count: int) -> Batch:
        rows = self._windows.draw(rng, count)
        starts = self._windows.starts[rows]
        steps = np.sort(
            rng.permuted(np.tile(np.arange(1, self.recipe.horizon + 1), (count, 1)), axis=1)[
                :, : self.recipe.pictures
            ],
            axis=1,
        )
        # Frame 0, its successor (for the inverse dynamics), then the moments to be compared.
        offsets = np.concatenate(
            [np.zeros((count, 1), int), np.ones((count, 1), int), steps], axis=1
        )
        images = self._dataset.images(starts[:, None] + offsets).transpose(0, 1, 4, 2, 3)
        batch = {
            "images": torch.from_numpy(np.ascontiguousarray(images)),
            "actions": torch.from_numpy(self._windows.actions(rows)),
            "steps": torch.from_numpy(steps),
            "rows": torch.from_numpy(rows),
        }
        if self._beside:
            share = max(
                2, round(self._beside.objective.recipe.batch_size * count / self.batch_size)
            )
            other = self._beside.clips.draw(rng, share)
            batch |= {f"{_BESIDE}{name}": part for name, part in other.items()}
        return batch

    def forward(self, batch: Batch) -> Batch:
        recipe, images = self.recipe, batch["images"]
        count, frames = images.shape[:2]
        gain, offset = recipe.jitter * torch.randn(2, count, 1, 1, 1, 1, device=images.device)
        jittered = images.float() * (1.0 + gain) + 255.0 * offset
        latents = self.encoder(jittered.flatten(0, 1)).unflatten(0, (count, frames))
        start, following, seen = latents[:, 0], latents[:, 1], latents[:, 2:]
        latent, every = start, []
        for step in range(recipe.horizon):
            last, action = batch["actions"][:, step], batch["actions"][:, step + 1]
            latent = self.dynamics(latent, action, last)
            every.append(latent)
        chosen = (batch["steps"] - 1)[..., None].expand(-1, -1, latent.shape[-1])
        imagined = torch.stack(every, dim=1).gather(1, chosen)

        pictures = images.float() / 255.0
        first, later = pictures[:, 0], pictures[:, 2:]
        moved = (later - first[:, None]).abs().amax(dim=2, keepdim=True)
        weight = 1.0 + recipe.motion_weight * (moved > 0.06)
        decoded = self.decoder(torch.cat([start[:, None], imagined], dim=1).flatten(0, 1))
        decoded = decoded.unflatten(0, (count, -1))
        present = (decoded[:, 0] - first).square().mean()
        future = (weight * (decoded[:, 1:] - later).square()).mean(dim=(1, 2, 3, 4))
        consistency = (imagined - seen.detach()).square().mean(dim=(1, 2))
        inverse = F.mse_loss(
            self.inverse_head(torch.cat([start, following], dim=-1)), batch["actions"][:, 1]
        )
        loss = (
            10.0 * (present + future.mean())
            + recipe.consistency * consistency.mean()
            + recipe.inverse * inverse
        )
        logged = {}
        if self._beside:
            logged["objective"] = self._beside.objective(
                {n.removeprefix(_BESIDE): p for n, p in batch.items() if n.startswith(_BESIDE)}
            )["loss"]
            loss = loss + self._beside.weight * logged["objective"]
            logged["objective"] = logged["objective"].detach()
        return {
            **logged,
            "loss": loss,
            "present": present.detach(),
            "future": future.mean().detach(),
            "consistency": consistency.mean().detach(),
            "inverse": inverse.detach(),
            "errors": future.detach(),
        }

    def after_update(self, batch: Batch, losses: Batch) -> None:
        self._windows.report(batch["rows"].cpu().numpy(), losses["errors"].cpu().numpy())
        if self._beside:
            self._beside.objective.after_update()

    def extra_state(self) -> dict[str, torch.Tensor]:
        return {"priority": torch.from_numpy(self._windows.priority)}

    def load_extra_state(self, state: dict[str, torch.Tensor]) -> None:
        self._windows.priority = state["priority"].cpu().numpy()
