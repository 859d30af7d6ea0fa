"""A world model whose every answer is known: a point in space that moves by the action."""

import torch

from latentplan_ros.models.world_model import nowhere

REACH = 0.1


class PointMass:
    """Latent ``[B,3]``: position, read from the mean of each colour. An action of 1 moves by REACH.

    distance: steps that the straight way takes at full speed in every axis at once.
    """

    def __init__(self) -> None:
        self.rollouts = 0

    def encode(self, images: torch.Tensor, last: torch.Tensor | None = None) -> torch.Tensor:
        return images.float().mean(dim=(2, 3)) / 255.0 * 2.0 - 1.0

    def rollout(self, latent: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        self.rollouts += 1
        assert len(latent) in (1, len(actions))
        return latent[:, None] + REACH * actions[..., :3].cumsum(dim=1)

    def distance(self, latent: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        assert len(goal) in (1, len(latent))
        return (latent - goal).abs().amax(dim=1) / REACH

    def arrived(self, latent: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        return nowhere(latent)

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        shade = (latents + 1.0) / 2.0
        return shade[..., None, None].expand(*shade.shape, 64, 64)


def picture(position: tuple[float, float, float]) -> torch.Tensor:
    """``uint8 [1,3,64,64]`` of the point there."""
    levels = (torch.tensor(position) + 1.0) / 2.0 * 255.0
    return levels.round().to(torch.uint8)[None, :, None, None].expand(1, 3, 64, 64).clone()
