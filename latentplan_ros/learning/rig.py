"""RIG: soft actor-critic towards codes that a VAE imagines (MBOLD B.1), on recordings alone."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from latentplan_ros.data.dataset import Dataset
from latentplan_ros.learning.every_frame import every_frame
from latentplan_ros.learning.frozen import frozen
from latentplan_ros.learning.stage import Batch, Stage
from latentplan_ros.learning.target_network import TargetNetwork
from latentplan_ros.learning.vae import VaeRecipe, VaeStage
from latentplan_ros.models.latent_world_model import LatentWorldModel
from latentplan_ros.models.rig_policy import RigPolicy, relu_mlp


@dataclass(frozen=True)
class RigRecipe:
    """B.1 and the defaults of the SAC that it used. The paper collects new episodes meanwhile; here
    are the recordings and no more."""

    updates: int = 50_000  # ours, of the autoencoder and then of SAC
    batch_size: int = 256
    learning_rate: float = 3e-4
    discount: float = 0.95
    polyak: float = 0.995
    imagined: float = 0.5  # share of goals from the prior; the others are their episode's last code
    kl_weight: float = 1e-3


def vae_stage(
    model: LatentWorldModel,
    latents: torch.Tensor,
    dataset: Dataset,
    episodes: np.ndarray,
    recipe: RigRecipe,
    seed: int,
) -> VaeStage:
    """What comes first: the codes."""
    vae = VaeRecipe(updates=recipe.updates, kl_weight=recipe.kl_weight)
    stage = VaeStage(model, latents, dataset, episodes, vae, seed)
    stage.name = "rig_vae"  # not that of the method vae_l2, which may be trained beside it
    return stage


class RigStage(Stage):
    """SAC with the reward -||e(s') - z_g||, twin Q and an entropy of -4 that is kept by itself."""

    name = "rig"

    def __init__(
        self,
        model: LatentWorldModel,
        latents: torch.Tensor,
        dataset: Dataset,
        episodes: np.ndarray,
        recipe: RigRecipe,
        seed: int,
    ) -> None:
        super().__init__()
        assert isinstance(model.head, RigPolicy)
        sizes = model.spec["distance"]
        self.head, self.recipe = model.head, recipe
        inputs = 2 * sizes["code"] + 4
        self.q: Any = nn.ModuleList(
            relu_mlp(inputs, sizes["hidden"], sizes["layers"], 1) for _ in range(2)
        )
        self.target = TargetNetwork(self.q)
        self.log_alpha = nn.Parameter(torch.zeros(()))
        self.updates, self.batch_size = recipe.updates, recipe.batch_size
        self._codes = _codes(model.head, dataset)
        self._actions = torch.from_numpy(dataset.action)
        self._frames = dataset.frames(episodes, before_end=1)
        self._last = dataset.episode_ends - 1

    def parameter_groups(self) -> list[dict[str, Any]]:
        trained = [*self.head.actor.parameters(), *self.q.parameters(), self.log_alpha]
        return [{"params": trained, "lr": self.recipe.learning_rate}]

    def sample(self, rng: np.random.Generator, count: int) -> Batch:
        state = rng.choice(self._frames, size=count)
        last = self._last[np.searchsorted(self._last, state)]
        prior = torch.from_numpy(rng.standard_normal((count, self._codes.shape[1]), np.float32))
        imagined = torch.from_numpy(rng.random((count, 1)) < self.recipe.imagined)
        return {
            "code": self._codes[torch.from_numpy(state)],
            "next": self._codes[torch.from_numpy(state + 1)],
            "goal": torch.where(imagined, prior, self._codes[torch.from_numpy(last)]),
            "action": self._actions[torch.from_numpy(state)],
        }

    def forward(self, batch: Batch) -> Batch:
        code, following, goal = batch["code"], batch["next"], batch["goal"]
        alpha = self.log_alpha.exp()
        with torch.no_grad():
            action, density = self.head.sample(following, goal)
            future = self._least(self.target.network, following, action, goal) - alpha * density
            reward = -torch.linalg.vector_norm(following - goal, dim=-1)
            wanted = reward + self.recipe.discount * future
        inputs = torch.cat([code, batch["action"], goal], dim=-1)
        bellman = sum((q(inputs).squeeze(-1) - wanted).square().mean() for q in self.q)
        action, density = self.head.sample(code, goal)
        chosen = torch.cat([code, action, goal], dim=-1)
        values = [frozen(q, chosen).squeeze(-1) for q in self.q]
        actor = (alpha.detach() * density - torch.minimum(*values)).mean()
        temperature = -self.log_alpha * (density.detach().mean() - 4.0)
        return {
            "loss": bellman + actor + temperature,
            "bellman": torch.as_tensor(bellman).detach(),
            "q": wanted.mean(),
            "entropy": -density.detach().mean(),
            "alpha": alpha.detach(),
        }

    @staticmethod
    def _least(
        twins: Any, code: torch.Tensor, action: torch.Tensor, goal: torch.Tensor
    ) -> torch.Tensor:
        inputs = torch.cat([code, action, goal], dim=-1)
        return torch.minimum(*(q(inputs).squeeze(-1) for q in twins))

    def after_update(self, batch: Batch, losses: Batch) -> None:
        self.target.follow(self.q, 1.0 - self.recipe.polyak)


def _codes(head: RigPolicy, dataset: Dataset) -> torch.Tensor:
    """Every frame's code, ``[F,code]``."""
    head.vae.eval()  # its batch norm has learned what it shall
    device = next(head.parameters()).device
    return every_frame(dataset, lambda images: head.vae.means(images.float() / 255.0), device)
