"""The n-pairs loss (Sohn 2016): each anchor's positive is told from those of the others."""

import torch
from torch.nn import functional


def n_pairs(
    anchors: torch.Tensor,
    positives: torch.Tensor,
    norm_weight: float,
    negatives: torch.Tensor | None = None,
) -> torch.Tensor:
    """Cross-entropy of a_i . p_i among all a_i . p_j, and the weighted squared lengths of both.

    anchors, positives: ``[B,F]``; negatives: one more that each anchor is compared with, its own
    alone.
    """
    products = anchors @ positives.T
    if negatives is not None:
        products = torch.cat([products, (anchors * negatives).sum(1, keepdim=True)], dim=1)
    own = torch.arange(len(anchors), device=anchors.device)
    lengths = anchors.square().sum(1) + positives.square().sum(1)
    return functional.cross_entropy(products, own) + norm_weight * lengths.mean()
