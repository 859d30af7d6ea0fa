"""CURL's loss (Laskin et al. 2020, section 4) for the encoder of SAC."""

import torch
from torch import nn
from torch.nn import functional

from benchmarks.dmc.auxiliary import Auxiliary, Batch, Seen
from benchmarks.dmc.networks import LATENT


class Curl(Auxiliary):
    """An observation in one window is told from the batch's others by the same in another window.

    Queries are latents by the trained encoder, keys by the slow one, likeness is bilinear.
    """

    def __init__(self) -> None:
        super().__init__()
        self.product = nn.Parameter(torch.rand(LATENT, LATENT))

    def forward(self, seen: Seen, actions: torch.Tensor) -> Batch:
        if seen.other_latent is None:
            raise ValueError("CURL needs observations in two windows; the batch has one")
        logits = seen.latent @ self.product @ seen.other_latent.T
        own = torch.arange(len(logits), device=logits.device)
        return {"loss": functional.cross_entropy(logits, own)}
