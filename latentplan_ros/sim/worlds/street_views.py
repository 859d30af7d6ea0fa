"""What one sees from a place in a made-up town: all around, unrolled, north in the middle.

A view is a whole panorama, as StreetLearn's are, so that it does not depend on which way the car
was driving. Columns are compass directions, rows tangents of the elevation. Each ray's way to the
facade is exact, and so is the share of each pixel along it that sky, wall, windows and road cover.
"""

import numpy as np

from latentplan_ros.data.sequences import SIZE
from latentplan_ros.sim.worlds.street_plan import AVENUE_HALF_M, STREET_HALF_M, StreetPlan

_EYE_M = 2.5
_LOW, _HIGH = -0.8, 2.0  # tangents of the elevations that a picture shows
_RAYS = 3 * SIZE  # around; three to a column, so that what is narrow does not flicker
_FAR_M = 400.0
_HAZE_M = 150.0  # over which contrast falls to a third
_LOT_M = 18.0  # width of a house, about
_SHOP_M, _PAVEMENT_M = 4.0, 3.0
_ROAD, _PAVEMENT, _SKY, _HAZE = 0.3, 0.55, 1.0, 0.8  # gray
_SUN = np.array([0.6, -0.8])  # in the south-east
_AT_ONCE = 128  # views; few enough that they fit a processor's cache


def render(plan: StreetPlan, places: np.ndarray, seed: int) -> np.ndarray:
    """Views from ``places [N,2]`` (metres east and north, on a road), ``uint8 [N,64,64]``.

    seed: of the houses' looks.
    """
    turn = (np.arange(_RAYS) + 0.5) / _RAYS * 2 * np.pi - np.pi
    ways = np.stack([np.sin(turn), np.cos(turn)], axis=1)
    pictures = np.empty((len(places), SIZE, SIZE), np.uint8)
    for first in range(0, len(places), _AT_ONCE):
        chunk = places[first : first + _AT_ONCE]
        rays = np.tile(ways, (len(chunk), 1))
        columns = _columns(plan, np.repeat(chunk, _RAYS, axis=0), rays, seed)
        gray = columns.reshape(len(chunk), SIZE, -1, SIZE).mean(2).transpose(0, 2, 1)[:, ::-1]
        pictures[first : first + _AT_ONCE] = np.round(255.0 * gray.clip(0.0, 1.0))
    return pictures


def cast(
    plan: StreetPlan, starts: np.ndarray, ways: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where rays from ``starts [R,2]`` along unit vectors ``ways [R,2]`` meet a facade.

    Returns how far away, ``float64 [R]`` metres, at most 400; the row of houses, a number for each
    side of each road, ``int64 [R]``; and the unit vector out of the facade, ``float64 [R,2]``.
    """
    length, row = np.zeros(len(starts)), np.zeros(len(starts), int)
    facing = np.zeros((len(starts), 2))
    roads = (
        (np.array([1.0, 0.0]), plan.avenues, AVENUE_HALF_M),
        (np.array([0.0, 1.0]), plan.streets, STREET_HALF_M),
        (plan.across, np.zeros(1), AVENUE_HALF_M),
    )
    going = np.arange(len(starts))
    while len(going):
        # A ray goes on to the end of any road that it is in, until it ends in none.
        before = length[going]
        for kind, (across, middles, half) in enumerate(roads):
            at, speed = starts[going] @ across, ways[going] @ across
            here = at + speed * (before + 1e-6)
            nearest = np.searchsorted((middles[1:] + middles[:-1]) / 2, here)
            side = np.where(speed > 0, 1, -1)
            speed = side * np.maximum(np.abs(speed), 1e-9)
            leaves = (middles[nearest] + side * half - at) / speed
            further = (np.abs(here - middles[nearest]) < half) & (leaves > length[going])
            chosen = going[further]
            length[chosen] = leaves[further]
            row[chosen] = 10_000 * kind + 2 * nearest[further] + (side[further] > 0)
            facing[chosen] = -side[further, None] * across
        going = going[(length[going] > before) & (length[going] < _FAR_M)]
    return np.minimum(length, _FAR_M), row, facing


def _columns(plan: StreetPlan, starts: np.ndarray, ways: np.ndarray, seed: int) -> np.ndarray:
    """Gray along each ray from bottom to top, ``float32 [R,64]``."""
    length, row, facing = cast(plan, starts, ways)
    slant = np.maximum(-(ways * facing).sum(1), 1e-3)  # cosine to the facade
    end = starts + length[:, None] * ways
    along = end[:, 1] * facing[:, 0] - end[:, 0] * facing[:, 1]
    lot, into = _lots(row, along, seed)
    looks = _bytes(seed, row, lot)  # 8 numbers in [0, 1) a house
    light = 0.8 + 0.2 * facing @ _SUN
    clear = np.exp(-length / _HAZE_M)
    wall, window, shop = (
        _HAZE + clear * (light * (low + (high - low) * looks[:, number]) - _HAZE)
        for number, (low, high) in enumerate(((0.25, 1.0), (0.0, 0.6), (0.0, 0.9)))
    )
    storey = 3.0 + 1.5 * looks[:, 3]
    roof = _SHOP_M + storey * (2 + np.floor(9 * looks[:, 4]))
    # Share of the ray's width that windows cover, were it at their height.
    period, share = 3.0 + 4.0 * looks[:, 5], 0.3 + 0.5 * looks[:, 6]
    width = 2 * np.pi / _RAYS * length / slant
    glass = period * (
        _stripes((into + width / 2) / period, share) - _stripes((into - width / 2) / period, share)
    )
    return _gray(
        length,
        # From the middle of a road it never begins nearer; from a crossing it would, were the row
        # of houses to go on across.
        pavement=np.maximum(length - _PAVEMENT_M / slant, 0.6 * length),
        grays=np.stack([wall, shop, (window - wall) * glass / width]),
        roof=roof,
        storey=storey,
        tall=0.4 + 0.4 * looks[:, 7],
    )


def _gray(
    length: np.ndarray,
    pavement: np.ndarray,
    grays: np.ndarray,
    roof: np.ndarray,
    storey: np.ndarray,
    tall: np.ndarray,
) -> np.ndarray:
    """Mean gray of each pixel of a ray, bottom to top: the integral between its edges, exactly.

    All ``[R]``; pavement: how far away it begins; grays: of wall and shop, and what windows add;
    tall: the share of a storey that windows are high.
    """
    length, pavement, roof, storey, tall = (
        values[:, None].astype(np.float32) for values in (length, pavement, roof, storey, tall)
    )
    wall, shop, windows = grays[:, :, None].astype(np.float32)
    edges = np.linspace(_LOW, _HIGH, SIZE + 1, dtype=np.float32)[None]
    base, top = (_SHOP_M - _EYE_M) / length, (roof - _EYE_M) / length
    total = _SKY * edges + (wall - _SKY) * np.minimum(edges, top)
    total += (shop - wall) * np.minimum(edges, base)
    total += (_PAVEMENT - shop) * np.minimum(edges, -_EYE_M / length)
    total += (_ROAD - _PAVEMENT) * np.minimum(edges, -_EYE_M / pavement)
    floors = (np.clip(edges, base, top) - base) * (length / storey)
    total += windows * (storey / length) * _stripes(floors, tall)
    return np.diff(total, axis=1) * np.float32(SIZE / (_HIGH - _LOW))


def _stripes(at: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Integral from 0 of stripes, one in the middle of each unit, that cover ``share`` of it."""
    whole = np.floor(at)
    return whole * share + np.clip(at - whole - (1 - share) / 2, 0, share)


def _lots(row: np.ndarray, along: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Number of the house at each place along a row of them, and how far into it, metres."""
    lot = np.floor(along / _LOT_M).astype(int)
    # A house begins up to 0.6 of a lot late, so that houses are of different widths.
    begin = (lot + 0.6 * _bytes(seed + 1, row, lot)[:, 0]) * _LOT_M
    early = along < begin
    lot = lot - early
    begin = np.where(early, (lot + 0.6 * _bytes(seed + 1, row, lot)[:, 0]) * _LOT_M, begin)
    return lot, along - begin


def _bytes(seed: int, row: np.ndarray, lot: np.ndarray) -> np.ndarray:
    """8 numbers in [0, 1) that look drawn at random but belong to the house, ``float64 [R,8]``."""
    mixed = np.full(len(row), seed % 2**64, np.uint64)
    for part in (row, lot, row):  # the last but stirs once more
        mixed = (mixed ^ part.astype(np.int64).view(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
        mixed *= np.uint64(0xBF58476D1CE4E5B9)
        mixed ^= mixed >> np.uint64(32)
    return mixed.view(np.uint8).reshape(-1, 8) / 256.0
