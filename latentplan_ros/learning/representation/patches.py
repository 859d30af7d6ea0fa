"""Parts of pictures ``[B,C,H,W]``, and their size for the encoder."""

import torch
from torch.nn import functional

PICTURE = 64  # pixels a side, of what the encoder sees


def cut(pictures: torch.Tensor, top: torch.Tensor, left: torch.Tensor, size: int) -> torch.Tensor:
    """Squares ``[B,P,C,size,size]``, P of each picture; top, left: pixels, int64 ``[B,P]``."""
    along = torch.arange(size, device=pictures.device)
    rows = (top[..., None] + along)[..., :, None]
    columns = (left[..., None] + along)[..., None, :]
    which = torch.arange(len(pictures), device=pictures.device).reshape(-1, 1, 1, 1)
    return pictures.permute(0, 2, 3, 1)[which, rows, columns].permute(0, 1, 4, 2, 3)


def tiles(pictures: torch.Tensor, across: int) -> torch.Tensor:
    """All of a picture as ``[B,across*across,3,H/across,W/across]``, row by row."""
    halved = pictures.unflatten(3, (across, -1)).unflatten(2, (across, -1))
    return halved.permute(0, 2, 4, 1, 3, 5).flatten(1, 2)


def enlarged(patches: torch.Tensor) -> torch.Tensor:
    """``[...,3,h,w]`` as large as the encoder's pictures are, ``[...,3,64,64]``."""
    flat = patches.reshape(-1, *patches.shape[-3:])
    large = functional.interpolate(flat, (PICTURE, PICTURE), mode="bilinear", align_corners=False)
    return large.reshape(*patches.shape[:-2], PICTURE, PICTURE)
