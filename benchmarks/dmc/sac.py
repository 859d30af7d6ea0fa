"""Soft actor-critic from pictures (Haarnoja et al. 2018), with what else teaches its encoder."""

import math
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.dmc.auxiliary import Auxiliary, Batch, Seen
from benchmarks.dmc.crops import centre_crop
from benchmarks.dmc.networks import Actor, Critic, FrameEncoder, Latent
from benchmarks.dmc.plan import SacSettings
from benchmarks.dmc.tasks import STACKED
from latentplan_ros.learning.frozen import frozen
from latentplan_ros.learning.target_network import TargetNetwork


class Sac(nn.Module):
    """Encoder, critic, actor, temperature and slow copies; ``update`` takes one step of all.

    The encoder is trained by the critic's loss and the auxiliary one, together in one step, and
    never by the actor's.
    """

    def __init__(
        self, actions: int, settings: SacSettings, auxiliary: Auxiliary | None = None
    ) -> None:
        super().__init__()
        self.settings, self.auxiliary = settings, auxiliary
        self.encoder, self.latent = FrameEncoder(), Latent()
        self.critic, self.actor = Critic(actions), Actor(actions)
        self.log_alpha = nn.Parameter(torch.tensor(math.log(settings.temperature)))
        self.target_encoder = TargetNetwork(self.encoder)
        self.target_latent = TargetNetwork(self.latent)
        self.target_critic = TargetNetwork(self.critic)
        self._target_entropy = -float(actions)

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        s = self.settings
        learners = [
            self.encoder,
            self.latent,
            self.critic,
            *([self.auxiliary] if self.auxiliary else []),
        ]
        weights = [w for part in learners for w in part.parameters() if w.requires_grad]
        return {
            "critic": torch.optim.Adam(weights, s.learning_rate, s.betas, fused=True),
            "actor": torch.optim.Adam(
                self.actor.parameters(), s.learning_rate, s.betas, fused=True
            ),
            "alpha": torch.optim.Adam([self.log_alpha], s.temperature_rate, s.temperature_betas),
        }

    def update(self, batch: Batch, optimizers: dict[str, Any], number: int) -> Batch:
        """One step; returns losses. number: of this update, which decides what is left out."""
        seen, after = self.look(batch)
        target = self.target(batch, after, seen.target_coarse)
        losses = {"critic": self.critic_loss(seen.latent, batch["actions"], target)}
        together = losses["critic"]
        if self.auxiliary is not None:
            extra = self.auxiliary(seen, batch["actions"])
            together = together + extra["loss"]
            losses |= {f"auxiliary_{name}": value for name, value in extra.items()}
        _step(optimizers["critic"], together)
        if number % self.settings.actor_every == 0:
            losses["actor"], log_density = self.actor_loss(seen.coarse)
            _step(optimizers["actor"], losses["actor"])
            losses["alpha"] = self.alpha_loss(log_density)
            _step(optimizers["alpha"], losses["alpha"])
        if number % self.settings.target_every == 0:
            self._follow()
        return {name: value.detach() for name, value in losses.items()}

    def look(self, batch: Batch) -> tuple[Seen, torch.Tensor]:
        """Each picture through the encoders once, and the next observation's coarse features.

        The next observation shares two pictures, and its window, with this one.
        """
        pictures = batch["pictures"]
        fine, coarse = self._features(self.encoder, pictures[:STACKED])
        with torch.no_grad():
            _, last = self.encoder(pictures[STACKED])
        target_fine, target_coarse = self._features(self.target_encoder, pictures[1:])
        other = None
        if "other" in batch:
            other = self.target_latent(self._features(self.target_encoder, batch["other"])[1])
        after = torch.cat([coarse[1:].detach(), last[None]])
        latent = self.latent(coarse)
        return Seen(pictures, fine, coarse, latent, target_fine, target_coarse, other), after

    @torch.no_grad()
    def target(self, batch: Batch, after: torch.Tensor, target_after: torch.Tensor) -> torch.Tensor:
        """r + gamma (min Q'(s', a') - alpha log pi(a'|s')), ``[B]``; no state is terminal.

        after, target_after: coarse features of the next observation by either encoder.
        """
        action, log_density = self.actor.sample(after)
        latent = self.target_latent(target_after)
        value = self.target_critic(latent, action).amin(0) - self.alpha * log_density
        target: torch.Tensor = batch["rewards"] + self.settings.discount * value
        return target

    def critic_loss(
        self, latent: torch.Tensor, actions: torch.Tensor, target: torch.Tensor
    ) -> torch.Tensor:
        """Squared errors of both Q; trains the encoder too."""
        return (self.critic(latent, actions) - target).square().mean(1).sum()

    def actor_loss(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """alpha log pi - min Q, and log pi ``[B]``; nothing but the actor learns from it.

        The features are those before this update's step of the encoder, to save a third of the
        encoding.
        """
        features = features.detach()
        action, log_density = self.actor.sample(features)
        value = frozen(self.critic, self.latent(features).detach(), action).amin(0)
        return (self.alpha * log_density - value).mean(), log_density.detach()

    def alpha_loss(self, log_density: torch.Tensor) -> torch.Tensor:
        """Pulls the entropy to minus the number of actions."""
        return (self.log_alpha.exp() * (-log_density - self._target_entropy)).mean()

    def _follow(self) -> None:
        s = self.settings
        self.target_critic.follow(self.critic, s.q_tau)
        self.target_encoder.follow(self.encoder, s.encoder_tau)
        self.target_latent.follow(self.latent, s.encoder_tau)
        if self.auxiliary is not None:
            self.auxiliary.follow(s.encoder_tau)

    @staticmethod
    def _features(encoder: nn.Module, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Fine and coarse, ``[K,B,...]``, of pictures ``[K,B,3,84,84]``."""
        fine, coarse = encoder(pictures.flatten(0, 1))
        return fine.unflatten(0, pictures.shape[:2]), coarse.unflatten(0, pictures.shape[:2])

    @property
    def alpha(self) -> torch.Tensor:
        return self.log_alpha.detach().exp()

    @torch.no_grad()
    def act(self, observation: np.ndarray, explore: bool) -> np.ndarray:
        """An action ``float32 [A]`` for an observation ``uint8 [3,100,100,3]``."""
        pictures = as_tensor(centre_crop(observation)[:, None], self.log_alpha.device)
        _, features = self._features(self.encoder, pictures)
        action = self.actor.sample(features)[0] if explore else self.actor(features)[0].tanh()
        chosen: np.ndarray = action[0].cpu().numpy()
        return chosen


def as_tensor(pictures: np.ndarray, device: torch.device) -> torch.Tensor:
    """``[K,B,H,W,3]`` to ``[K,B,3,H,W]``, in memory as before: what convolutions like best."""
    return torch.from_numpy(np.ascontiguousarray(pictures)).to(device).permute(0, 1, 4, 2, 3)


def _step(optimizer: torch.optim.Optimizer, loss: torch.Tensor) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
