"""The latent world model: encoder, open-loop dynamics, decoder for people, and a distance on latents."""

from typing import Any

import torch
from torch import nn

from latentplan_ros.models.networks import Decoder, Dynamics, Encoder
from latentplan_ros.models.q_distance import QDistance
from latentplan_ros.models.value_distance import ValueDistance

DISTANCES: dict[str, type[nn.Module]] = {"q": QDistance, "value": ValueDistance}


class LatentWorldModel(nn.Module):
    """Built from a plain spec, so that a checkpoint's header is all it takes to rebuild it.

    spec: {"latent", "channels", "hidden", "layers", "distance": {"kind": "q" | "value", ...} or None}. Without
    a distance of its own it measures l2 between latents.
    """

    def __init__(self, spec: dict[str, Any]) -> None:
        super().__init__()
        self.spec = spec
        latent = spec["latent"]
        self.encoder = Encoder(latent, spec["channels"])
        self.dynamics = Dynamics(latent, spec["hidden"], spec["layers"])
        self.decoder = Decoder(latent, spec["channels"])
        self.head: nn.Module | None = None
        if spec.get("distance"):
            options = dict(spec["distance"])
            self.head = DISTANCES[options.pop("kind")](latent, **options)

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        return self.encoder(images)

    def rollout(self, latent: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        latent = latent.expand(actions.shape[0], -1)
        latents = []
        for step in range(actions.shape[1]):
            latent = self.dynamics(latent, actions[:, step])
            latents.append(latent)
        return torch.stack(latents, dim=1)

    def distance(self, latent: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        goal = goal.expand(latent.shape[0], -1)
        if self.head is None:
            return (latent - goal).norm(dim=-1)
        return self.head(latent, goal)

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        flat = self.decoder(latents.reshape(-1, latents.shape[-1])).clamp(0.0, 1.0)
        return flat.reshape(*latents.shape[:-1], *flat.shape[1:])
