"""Volumes and global vectors that are to be alike (PSRL, Choi et al. 2023, equation 6)."""

import torch
from torch import nn
from torch.nn import functional

from latentplan_ros.learning.target_network import TargetNetwork

_NEVER_ZERO = 1e-5  # range of a volume that is the same everywhere


def min_max(volumes: torch.Tensor) -> torch.Tensor:
    """``[B,C,h,w]``, each volume brought to [0, 1] by its own smallest and largest number."""
    low = volumes.amin((1, 2, 3), keepdim=True)
    high = volumes.amax((1, 2, 3), keepdim=True)
    return (volumes - low) / (high - low + _NEVER_ZERO)


def global_loss(guess: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """L_s: the negative cosine of vectors ``[B,P]``; no gradient reaches the target."""
    return -functional.cosine_similarity(guess, target.detach(), dim=1).mean()


def local_loss(guess: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """L_1: the mean distance of volumes ``[B,C,h,w]``; no gradient reaches the target."""
    return (guess - target.detach()).abs().mean()


class ActionAwareTransform(nn.Module):
    """G: the volume after an action, from the one before (supplement, table 3)."""

    def __init__(self, channels: int, actions: int, narrower: int) -> None:
        """actions: numbers in one; narrower: what the paper's 256 hidden channels are divided by,
        while its last 64 are as many here as the volume has."""
        super().__init__()
        hidden = 256 // narrower
        self.layers = nn.Sequential(
            nn.Conv2d(channels + actions, hidden, 3, 1, 1),
            nn.ReLU(),
            nn.Conv2d(hidden, channels, 3, 1, 1),
            nn.ReLU(),
        )

    def forward(self, volumes: torch.Tensor, action: torch.Tensor) -> torch.Tensor:
        """``[B,C,h,w]`` and ``[B,A]`` to ``[B,C,h,w]`` in [0, 1]."""
        everywhere = action[:, :, None, None].expand(-1, -1, *volumes.shape[2:])
        return min_max(self.layers(torch.cat([volumes, everywhere], dim=1)))


class Projection(nn.Sequential):
    """psi and phi: a hidden layer with batch norm, as in BYOL (Grill et al. 2020).

    The batch norms keep vectors of a batch apart: without them, and without the reinforcement
    learner that the paper has beside, all pictures would soon have the same vector.
    """

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__(
            nn.Linear(inputs, 2 * width),
            nn.BatchNorm1d(2 * width),
            nn.ReLU(),
            nn.Linear(2 * width, width),
        )


class VolumeProjection(nn.Sequential):
    """psi of a volume ``[B,C,h,w]``, of any size: where things are remains in a 4 x 4 grid."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__(
            nn.Conv2d(channels, 16, 3, 2, 1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(4),
            nn.Flatten(),
            Projection(16 * 16, width),
        )


class PairedSimilarity(nn.Module):
    """L_sim of a stack's volume, moved by correspondences and predicted by the action, with the
    observed one; and the networks that it needs."""

    def __init__(self, stack: int, channels: int, actions: int, narrower: int, width: int) -> None:
        """stack: pictures; channels: of each one's maps; actions, narrower: as of G; width: of
        global vectors."""
        super().__init__()
        self.mix = nn.Conv2d(stack * channels, channels, 1)
        self.transform = ActionAwareTransform(channels, actions, narrower)
        self.project, self.predict = VolumeProjection(channels, width), Projection(width, width)
        self.target_mix, self.target_project = TargetNetwork(self.mix), TargetNetwork(self.project)

    def forward(
        self, moved: torch.Tensor, query: torch.Tensor, target: torch.Tensor, action: torch.Tensor
    ) -> torch.Tensor:
        """L_s(y^{q,tr}, y^t) + L_s(y^{q,pr}, y^t) + L_1(Z^{q,tr}, Z^t) + L_1(Z^{q,pr}, Z^t).

        moved, query, target: the maps of a stack's pictures side by side, ``[B,stack*C,h,w]``.
        """
        transformed = min_max(self.mix(moved))
        predicted = self.transform(self.mix(query), action)
        observed = min_max(self.target_mix(target))
        vector = self.target_project(observed)
        losses = [
            global_loss(self.predict(self.project(guess)), vector) + local_loss(guess, observed)
            for guess in (transformed, predicted)
        ]
        return losses[0] + losses[1]

    def follow(self, rate: float) -> None:
        """Moves the slow copies."""
        self.target_mix.follow(self.mix, rate)
        self.target_project.follow(self.project, rate)
