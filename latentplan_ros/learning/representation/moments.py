"""Moments drawn within windows, one for each, and the pictures there."""

import torch


def drawn(low: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
    """Whole numbers from low to high, both included, alike likely; int64 ``[B]`` all three."""
    share = torch.rand(low.shape, device=low.device)
    # A share just below 1 may be rounded up to the next number.
    return torch.minimum(low + (share * (high - low + 1)).long(), high)


def at(frames: torch.Tensor, moments: torch.Tensor) -> torch.Tensor:
    """Of ``[B,F,...]`` those at moments int64 ``[B]`` or ``[B,M]``: ``[B,...]``, ``[B,M,...]``."""
    which = torch.arange(len(frames), device=frames.device)
    return frames[which.reshape(-1, *[1] * (moments.dim() - 1)), moments]
