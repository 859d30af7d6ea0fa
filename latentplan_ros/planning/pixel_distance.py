"""The distance of visual foresight: squared pixels instead of time steps (MBOLD B.5)."""

import torch

from latentplan_ros.models.world_model import WorldModel


class PixelDistance:
    """The same model, but how far two situations are apart is how far their pictures are.

    A latent here is the model's own followed by its picture's pixels, so that a goal is compared as
    the camera saw it; imagined latents have no picture and are decoded.
    """

    def __init__(self, model: WorldModel) -> None:
        self.model = model
        self._width = 0

    def encode(self, images: torch.Tensor, last: torch.Tensor | None = None) -> torch.Tensor:
        """``uint8 [B,3,S,S]`` to ``float32 [B, D + 3*S*S]``."""
        latent = self.model.encode(images, last)
        self._width = latent.shape[1]
        return torch.cat([latent, images.flatten(1).float() / 255.0], dim=1)

    def rollout(self, latent: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        """``[1 or N, D + pixels]`` and ``[N,H,4]`` to ``[N,H,D]``."""
        return self.model.rollout(latent[:, : self._width], actions)

    def distance(self, latent: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        """l2 norm between decoded and goal pixels, each in [0, 1]: ``[N]``."""
        pixels = self.model.decode(latent[..., : self._width]).flatten(1)
        return torch.linalg.vector_norm(pixels - goal[:, self._width :], dim=1)

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """``[..., D or more]`` to ``float32 [...,3,S,S]`` in [0, 1]."""
        return self.model.decode(latents[..., : self._width])
