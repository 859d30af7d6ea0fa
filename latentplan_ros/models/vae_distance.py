"""l2 between the codes of a variational autoencoder of pictures (MBOLD B.1 and C.1)."""

import torch
from torch import nn

CHANNELS = (8, 16, 32, 64)
FEATURES = CHANNELS[-1] * 4 * 4


class VaeDistance(nn.Module):
    """The autoencoder's encoder: the convolutions of A.1 and two fully connected layers.

    It sees pictures and not the world model's latents; ``latent`` is not used. code: numbers in a
    picture's code. The distance is in no unit of time.
    """

    def __init__(self, latent: int, hidden: int, code: int) -> None:
        super().__init__()
        self.hidden, self.code = hidden, code
        a, b, c, d = CHANNELS
        self.encoder = nn.Sequential(
            nn.Conv2d(3, a, 4, 2, 1),
            nn.LeakyReLU(),
            nn.Conv2d(a, b, 4, 2, 1),
            nn.LeakyReLU(),
            nn.BatchNorm2d(b),
            nn.Conv2d(b, c, 4, 2, 1),
            nn.LeakyReLU(),
            nn.BatchNorm2d(c),
            nn.Conv2d(c, d, 4, 2, 1),
            nn.Flatten(),
            nn.Linear(FEATURES, hidden),
            nn.ReLU(),
            nn.BatchNorm1d(hidden),
            nn.Linear(hidden, 2 * code),
        )

    def moments(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """``[B,3,64,64]`` in [0, 1] to the codes' means and log variances, ``[B,code]`` each."""
        mean, log_variance = self.encoder(pictures).chunk(2, dim=1)
        return mean, log_variance

    def means(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.moments(pictures)[0]

    def forward(self, pictures: torch.Tensor, goals: torch.Tensor) -> torch.Tensor:
        """Pictures ``[N,3,64,64]`` and ``[1 or N,3,64,64]`` in [0, 1] to ``[N]``."""
        return torch.linalg.vector_norm(self.means(pictures) - self.means(goals), dim=1)
