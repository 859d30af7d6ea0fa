"""How alike the cells of two feature maps are: what a correspondence is read from."""

import torch
from torch.nn import functional


def correlation_volume(a: torch.Tensor, b: torch.Tensor, radius: int) -> torch.Tensor:
    """V(u, v) = <z_a(u), z_b(v)> (PSRL, Choi et al. 2023), ``[B,(2 radius + 1)^2,h,w]``.

    a, b: feature maps ``[B,C,h,w]``, of which every cell is scaled to unit length, so that the
    volume holds cosines and not how strong features are. Channel (2 radius + 1) i + j is for v = u
    moved by j - radius cells right and i - radius down; outside of b it is 0. The volume has a
    window of v around u and not all pairs, as things move little between two pictures, and as its
    channels then mean the same move everywhere, whatever the size of the maps. The paper's offset
    delta is 0 here: the convolution that follows looks at neighbouring cells itself.
    """
    height, width = a.shape[2:]
    moves = torch.arange(-radius, radius + 1, device=a.device)
    rows = torch.arange(height, device=a.device)[:, None, None, None] + moves[:, None]
    columns = torch.arange(width, device=a.device)[:, None, None] + moves
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    cells = rows.clamp(0, height - 1) * width + columns.clamp(0, width - 1)
    a, b = (functional.normalize(maps, dim=1).flatten(2) for maps in (a, b))
    pairs = a.transpose(1, 2) @ b  # all of them: on so small maps one product is the fastest way
    window = height * width, len(moves) ** 2
    near = pairs.gather(2, cells.reshape(window).expand(len(a), -1, -1)) * inside.reshape(window)
    return near.transpose(1, 2).unflatten(2, (height, width))
