"""CIE Lab: lightness L in [0, 100], and colour as a (green to red) and b (blue to yellow).

sRGB under D65. Pictures are ``[B,3,H,W]``: red, green and blue in [0, 1], or L, a and b.
"""

from functools import cache

import numpy as np
import torch
from scipy.spatial import ConvexHull

# Of linear red, green and blue to CIE XYZ; a row sums to what white is (ITU-R BT.709).
_XYZ = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
_KNEE = 6.0 / 29.0  # below it Lab goes on as a straight line
_GRID = 10.0  # of a and b


def to_lab(pictures: torch.Tensor) -> torch.Tensor:
    """Of red, green and blue."""
    curved = ((pictures + 0.055) / 1.055).pow(2.4)
    linear = torch.where(pictures > 0.04045, curved, pictures / 12.92)
    xyz = torch.einsum("ij,bjhw->bihw", _relative_to_white(pictures), linear)
    straight = xyz / (3.0 * _KNEE**2) + 4.0 / 29.0
    x, y, z = torch.where(xyz > _KNEE**3, xyz.clamp_min(0.0).pow(1 / 3), straight).unbind(1)
    return torch.stack([116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)], dim=1)


def to_rgb(lab: torch.Tensor) -> torch.Tensor:
    """Of L, a and b; what sRGB cannot show is clipped."""
    y = (lab[:, 0] + 16.0) / 116.0
    cubed = torch.stack([y + lab[:, 1] / 500.0, y, y - lab[:, 2] / 200.0], dim=1)
    xyz = torch.where(cubed > _KNEE, cubed.pow(3), 3.0 * _KNEE**2 * (cubed - 4.0 / 29.0))
    linear = torch.einsum("ij,bjhw->bihw", torch.linalg.inv(_relative_to_white(lab)), xyz)
    linear = linear.clamp(0.0, 1.0)
    return torch.where(linear > 0.0031308, 1.055 * linear.pow(1 / 2.4) - 0.055, 12.92 * linear)


def gray(lab: torch.Tensor) -> torch.Tensor:
    """L alone, as red, green and blue."""
    return to_rgb(lab * lab.new_tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1))


@cache
def ab_bins() -> torch.Tensor:
    """The 313 pairs of a and b, multiples of 10, that stand for all colours ``[313,2]``.

    They are those in the convex hull of what sRGB shows, and their eight neighbours: the set that
    Zhang et al. 2016 (section 2.1) call in gamut.
    """
    shades = torch.linspace(0.0, 1.0, 33)
    cube = torch.cartesian_prod(shades, shades, shades)
    shown = to_lab(cube.T[None, :, :, None])[0, 1:, :, 0].T.double().numpy()
    sides = ConvexHull(shown).equations  # a normal that points out, and an offset
    steps = np.arange(-12, 13)
    grid = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1)
    inside = (_GRID * grid @ sides[:, :2].T + sides[:, 2] <= 0.0).all(-1)
    padded = np.pad(inside, 1)
    size = len(steps)
    near = [padded[i : i + size, j : j + size] for i in range(3) for j in range(3)]
    return torch.from_numpy(_GRID * grid[np.any(near, axis=0)]).float()


def nearest(values: torch.Tensor, bins: torch.Tensor, count: int) -> tuple[torch.Tensor, ...]:
    """Distances to the ``count`` nearest bins ``[K,D]`` of values ``[N,D]``, and their indices;
    both ``[N,count]``, nearest first."""
    distances, indices = torch.cdist(values, bins).topk(count, largest=False)
    return distances, indices


def _relative_to_white(like: torch.Tensor) -> torch.Tensor:
    matrix = like.new_tensor(_XYZ)
    return matrix / matrix.sum(1, keepdim=True)
