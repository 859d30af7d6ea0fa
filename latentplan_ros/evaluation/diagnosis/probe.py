"""Reading ground truth from latents: what is in them, and where an imagined latent has gone."""

import torch
from torch import nn

from latentplan_ros.models.networks import mlp

UPDATES, BATCH = 2000, 512


class Probe(nn.Module):
    """Two hidden layers: a linear probe misses positions that are there (nonlinearly)."""

    def __init__(self, latents: torch.Tensor, truth: torch.Tensor, seed: int = 0) -> None:
        """Fits to latents ``[N,D]`` and truth ``[N,K]``."""
        super().__init__()
        self.mean, self.std = truth.mean(0), truth.std(0).clamp_min(1e-6)
        wanted = (truth - self.mean) / self.std
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.network = mlp(latents.shape[1], 256, 2, truth.shape[1])
            optimizer = torch.optim.Adam(self.network.parameters(), 1e-3)
            rates = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, UPDATES)
            for _ in range(UPDATES):
                rows = torch.randint(len(latents), (BATCH,))
                loss = (self.network(latents[rows]) - wanted[rows]).square().mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                rates.step()
        self.requires_grad_(False)

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        """``[...,D]`` to ``[...,K]``, in the truth's units."""
        return self.network(latents) * self.std + self.mean


def probe_errors(probe: Probe, latents: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Median absolute error of each number of the truth, ``[K]``."""
    return (probe(latents) - truth).abs().flatten(0, -2).median(0).values
