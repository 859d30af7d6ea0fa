"""Maps moved by a flow: backward warping, as a correspondence c_{a->b} has it.

A flow ``[B,2,h,w]`` says for each cell p of a which place p + c(p) of b shows the same: x to the
right, then y down, in cells of its own grid.
"""

import torch
from torch.nn import functional


def warped(maps: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
    """b as seen from a: ``maps[p + flow(p)]``, bilinear between cells; the border goes on for ever.

    maps: b, ``[B,C,h,w]``; flow: c_{a->b} of the same size.
    """
    height, width = maps.shape[2:]
    rows = torch.arange(height, device=maps.device, dtype=flow.dtype)[:, None]
    columns = torch.arange(width, device=maps.device, dtype=flow.dtype)
    # grid_sample has places in [-1, 1] from the outer edge of the first cell to that of the last.
    x = (2.0 * (columns + flow[:, 0]) + 1.0) / width - 1.0
    y = (2.0 * (rows + flow[:, 1]) + 1.0) / height - 1.0
    places = torch.stack([x, y], dim=-1)
    return functional.grid_sample(maps, places, padding_mode="border", align_corners=False)


def resized(flow: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """The same flow on a grid of ``size`` (height, width), in cells of that."""
    scale = flow.new_tensor([size[1] / flow.shape[3], size[0] / flow.shape[2]])
    flow = functional.interpolate(flow, size, mode="bilinear", align_corners=False)
    return flow * scale[:, None, None]
