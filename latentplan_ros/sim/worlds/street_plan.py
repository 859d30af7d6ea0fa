"""Where the streets of a made-up town run, and the places along them where views are taken."""

import heapq
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

SPACING_M = 10.0  # between views, about
AVENUE_HALF_M, STREET_HALF_M = 14.0, 9.0  # from the middle of the road to the facades
# Blocks, from the middle of one road to the middle of the next, east and north: those of lower
# Manhattan, where Plan2vec's towns are.
_BLOCK_M = ((100.0, 160.0), (60.0, 90.0))
_PLACES_PER_M2 = 0.0021  # that streets so far apart have
_VISTA_M = 450.0  # streets go on for so long beyond the views, so that no view shows the end
_SAME_CORNER_M = 6.0  # the diagonal bends to a corner that it would miss by less


@dataclass(frozen=True)
class StreetPlan:
    """Avenues north to south, streets east to west, and one diagonal avenue through (0, 0).

    avenues: east of each, streets: north of each, ascending, ``float64 [A]`` and ``[S]``, metres;
    across: the unit vector across the diagonal, ``float64 [2]``.
    """

    avenues: np.ndarray
    streets: np.ndarray
    across: np.ndarray

    @classmethod
    def draw(cls, views: int, rng: np.random.Generator) -> "StreetPlan":
        """Streets for a town of so many views, and beyond it as far as one sees."""
        half = 1.1 * np.sqrt(views / (np.pi * _PLACES_PER_M2)) + _VISTA_M
        roads = []
        for low, high in _BLOCK_M:
            blocks = rng.uniform(low, high, int(2 * half / low) + 1)
            middles = np.cumsum(blocks) - blocks.sum() / 2
            roads.append(middles[np.abs(middles) <= half])
        angle = np.radians(rng.uniform(20.0, 35.0))
        # Like Broadway, the diagonal leads north and somewhat west.
        return cls(roads[0], roads[1], np.array([np.cos(angle), np.sin(angle)]))

    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """Places about 10 m apart, ``float64 [P,2]`` metres east and north, and ``int64 [E,2]``.

        The latter are the pairs of places next to each other, each once. Roads that cross share
        one place there.
        """
        crossings, roads = self._crossings()
        places, pairs = list(crossings), set()
        for road in roads:
            for start, end in pairwise(road):
                way = crossings[end] - crossings[start]
                parts = max(1, round(float(np.hypot(*way)) / SPACING_M))
                between = range(len(places), len(places) + parts - 1)
                places += [crossings[start] + way * part / parts for part in range(1, parts)]
                chain = [start, *between, end]
                pairs |= {(min(pair), max(pair)) for pair in pairwise(chain)}
        return np.array(places), np.array(sorted(pairs))

    def _crossings(self) -> tuple[np.ndarray, list[list[int]]]:
        """Where roads cross, ``[C,2]``, and which of these lie along each road, in order."""
        points = [np.array([x, y]) for x in self.avenues for y in self.streets]
        corner = np.arange(len(points)).reshape(len(self.avenues), len(self.streets))
        roads = [corner.tolist(), corner.T.tolist()]
        diagonal: set[int] = set()
        grid = (self.avenues, self.streets)
        for axis, other in ((0, 1), (1, 0)):
            for number, at in enumerate(grid[axis]):
                point = np.empty(2)
                point[axis] = at
                point[other] = -at * self.across[axis] / self.across[other]
                if not grid[other][0] <= point[other] <= grid[other][-1]:
                    continue
                near = int(np.abs(grid[other] - point[other]).argmin())
                close = corner[number, near] if axis == 0 else corner[near, number]
                if abs(points[close] @ self.across) < _SAME_CORNER_M:
                    diagonal.add(int(close))
                    continue
                diagonal.add(len(points))
                roads[axis][number].append(len(points))
                points.append(point)
        along = np.array([-self.across[1], self.across[0]])
        every = [(road, np.array([0.0, 1.0])) for road in roads[0]]
        every += [(road, np.array([1.0, 0.0])) for road in roads[1]]
        every += [(list(diagonal), along)]
        crossings = np.array(points)
        ordered = [np.array(road)[np.argsort(crossings[road] @ way)] for road, way in every]
        return crossings, [road.tolist() for road in ordered]


def nearest_part(places: np.ndarray, pairs: np.ndarray, count: int) -> np.ndarray:
    """The ``count`` places nearest (0, 0) that hang together, ``int64 [count]``.

    Grown from the nearest: the next is always the nearest of those beside what there is.
    """
    beside: list[list[int]] = [[] for _ in places]
    for start, end in pairs.tolist():
        beside[start].append(end)
        beside[end].append(start)
    far = np.linalg.norm(places, axis=1).tolist()
    first = int(np.argmin(far))
    found: list[int] = []
    known, rim = {first}, [(far[first], first)]
    while len(found) < count:
        _, place = heapq.heappop(rim)
        found.append(place)
        for other in beside[place]:
            if other not in known:
                known.add(other)
                heapq.heappush(rim, (far[other], other))
    return np.array(found)
