"""The distance of visual foresight: squared pixels instead of time steps (MBOLD B.5)."""

from collections.abc import Callable

import torch

from latentplan_ros.models.world_model import WorldModel, nowhere


class PixelDistance:
    """The same model, but how far two situations are apart is how far their pictures are.

    A latent here is the model's own followed by its picture's pixels, so that a goal is compared as
    the camera saw it; imagined latents have no picture and are decoded. features: what is compared
    of pictures ``float32 [B,3,S,S]`` in [0, 1], ``[B,F]``, if not their pixels.
    """

    def __init__(
        self,
        model: WorldModel,
        features: Callable[[torch.Tensor], torch.Tensor] = lambda pictures: pictures.flatten(1),
    ) -> None:
        self.model, self.features = model, features
        self._width = 0

    def encode(self, images: torch.Tensor, last: torch.Tensor | None = None) -> torch.Tensor:
        """``uint8 [B,3,S,S]`` to ``float32 [B, D + 3*S*S]``, or ``[B, D + F]``."""
        latent = self.model.encode(images, last)
        self._width = latent.shape[1]
        return torch.cat([latent, self.features(images.float() / 255.0)], dim=1)

    def rollout(self, latent: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        """``[1 or N, D + pixels]`` and ``[N,H,4]`` to ``[N,H,D]``."""
        return self.model.rollout(latent[:, : self._width], actions)

    def distance(self, latent: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        """l2 norm between decoded and goal pixels, each in [0, 1]: ``[N]``."""
        seen = self.features(self.model.decode(latent[..., : self._width]))
        return torch.linalg.vector_norm(seen - goal[:, self._width :], dim=1)

    def arrived(self, latent: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        """Nowhere: what the model itself may know of it is no part of this distance."""
        return nowhere(latent)

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """``[..., D or more]`` to ``float32 [...,3,S,S]`` in [0, 1]."""
        return self.model.decode(latents[..., : self._width])
