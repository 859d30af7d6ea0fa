"""Square pictures changed at random in ways that keep what they show: ``[B,3,S,S]`` in [0, 1].

Each picture of a batch gets its own draw, from torch's generator.
"""

import math

import torch
from torch.nn import functional

from latentplan_ros.learning.representation.patches import cut

_LUMA = (0.299, 0.587, 0.114)  # of red, green and blue in how bright a colour looks (ITU-R BT.601)


def random_shift(pictures: torch.Tensor, pad: int) -> torch.Tensor:
    """Moved by up to ``pad`` pixels along each axis; the border repeats (DrQ, Yarats et al. 2021,
    section 3)."""
    padded = functional.pad(pictures, (pad, pad, pad, pad), mode="replicate")
    top, left = torch.randint(2 * pad + 1, (2, len(pictures), 1), device=pictures.device)
    return cut(padded, top, left, pictures.shape[2])[:, 0].contiguous()


def intensity_jitter(pictures: torch.Tensor, scale: float) -> torch.Tensor:
    """Times 1 + scale * n with n normal, cut at 2 deviations (SPR, Schwarzer et al. 2021,
    section 2.3); bright pixels may exceed 1, as there."""
    noise = torch.randn_like(pictures[:, :1, :1, :1]).clamp(-2.0, 2.0)
    return pictures * (1.0 + scale * noise)


def colour_jitter(
    pictures: torch.Tensor, brightness: float, contrast: float, saturation: float, hue: float
) -> torch.Tensor:
    """Brightness, contrast, saturation (each times 1 +- its number at most), then hue.

    hue: how far colours turn around the axis of greys at most, as a share of the circle.
    """
    luma = torch.tensor(_LUMA, device=pictures.device).reshape(1, 3, 1, 1)
    jittered = (pictures * _factors(pictures, brightness)).clamp(0.0, 1.0)
    mean = (jittered * luma).sum(1, keepdim=True).mean((2, 3), keepdim=True)
    jittered = (mean + (jittered - mean) * _factors(pictures, contrast)).clamp(0.0, 1.0)
    gray = (jittered * luma).sum(1, keepdim=True)
    jittered = (gray + (jittered - gray) * _factors(pictures, saturation)).clamp(0.0, 1.0)
    turns = hue * (2.0 * torch.rand(len(pictures), device=pictures.device) - 1.0)
    return torch.einsum("bij,bjhw->bihw", _hue_turns(turns), jittered).clamp(0.0, 1.0)


def _factors(pictures: torch.Tensor, spread: float) -> torch.Tensor:
    return 1.0 + spread * (2.0 * torch.rand_like(pictures[:, :1, :1, :1]) - 1.0)


def _hue_turns(turns: torch.Tensor) -> torch.Tensor:
    """Rotations ``[B,3,3]`` of colours around the axis of greys (Rodrigues' formula)."""
    axis = torch.tensor([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]], device=turns.device)
    angle = 2.0 * math.pi * turns[:, None, None]
    along = (1.0 - angle.cos()) / 3.0
    return angle.cos() * torch.eye(3, device=turns.device) + along + angle.sin() / 3.0**0.5 * axis
