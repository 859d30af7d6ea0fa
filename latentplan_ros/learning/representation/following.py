"""The thing that moves most, found in one picture and found again in a later one."""

from itertools import pairwise

import torch

from latentplan_ros.learning.representation.patches import cut

_FLAT = 1e-4  # variance below which a window shows nothing that could be recognised


def most_moving(
    before: torch.Tensor, here: torch.Tensor, after: torch.Tensor, size: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Top and left, int64 ``[B]``, of the window of ``size`` pixels in which most moves.

    Of three pictures in a row ``[B,3,H,W]``. What changes in the middle of a window counts most, so
    that the thing is in its middle.
    """
    change = ((here - before).abs() + (after - here).abs()).sum(1, keepdim=True)
    half = size // 2
    # Two means in a row weigh like a tent.
    tent = _means(_means(change, half), size - half + 1)
    return _peak(tent[:, 0])


def followed(
    frames: torch.Tensor, top: torch.Tensor, left: torch.Tensor, size: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Where a window of the first of ``[B,F,3,H,W]`` is in the last: top and left, int64 ``[B]``.

    From each picture to the next by normalised cross-correlation with every window there.
    """
    for here, later in pairwise(frames.unbind(1)):
        patch = cut(here, top[:, None], left[:, None], size)[:, 0]
        patch = patch - patch.mean((2, 3), keepdim=True)
        alike = _correlation(later, patch)
        mean, square = _means(later, size), _means(later.square(), size)
        variance = (square - mean.square()).mean(1)
        top, left = _peak(alike / variance.clamp_min(_FLAT).sqrt())
    return top, left


def _correlation(pictures: torch.Tensor, patches: torch.Tensor) -> torch.Tensor:
    """Sum of products of each picture's patch with all its windows, ``[B,H-size+1,W-size+1]``."""
    size, height, width = patches.shape[2], *pictures.shape[2:]
    seen = torch.fft.rfft2(pictures) * torch.fft.rfft2(patches, (height, width)).conj()
    everywhere = torch.fft.irfft2(seen.sum(1), (height, width))
    # Beyond these a window would go on at the picture's other side.
    return everywhere[:, : height - size + 1, : width - size + 1]


def _means(maps: torch.Tensor, size: int) -> torch.Tensor:
    """Over all windows of ``[B,C,H,W]``, ``[B,C,H-size+1,W-size+1]``."""
    rows, columns = (
        maps.new_ones(side, side).triu().tril(size - 1)[: side - size + 1] / size
        for side in maps.shape[2:]
    )
    return rows @ maps @ columns.T


def _peak(scores: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Row and column of the largest of ``[B,H,W]``."""
    best, width = scores.flatten(1).argmax(1), scores.shape[2]
    return best // width, best % width
