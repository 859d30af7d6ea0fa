"""Plan2vec's mazes: a square block that slides about a room, seen from above (section 5.1).

Sizes and moves are those of the released environments. The room is drawn by the exact share of each
pixel that a rectangle covers, so that a picture shows the block's place to a fraction of a pixel.
"""

from dataclasses import dataclass

import numpy as np

HALF_M = 0.3  # of the arena; its walls stand at 0.29
_WALL_M = 0.29
BLOCK_HALF_M = 0.04
STEP_M = 0.05  # how far one move goes where nothing is in the way
SUBSTEPS = 20  # of a move, for corners
SIZE = 64
_AT_ONCE = 1000  # pictures drawn; a hundred thousand at once would take 13 GB
# East, north-east and so on, against the clock.
MOVES = np.array([[np.cos(a), np.sin(a)] for a in np.arange(8) * np.pi / 4])
_FLOOR, _OBSTACLE, _BLOCK = 0.85, 0.45, 0.1  # gray


@dataclass(frozen=True)
class Maze:
    """A room.

    obstacles: (centre x, centre y, half width, half height) each; success_m: how close to the goal
    counts as reached.
    """

    name: str
    obstacles: tuple[tuple[float, float, float, float], ...]
    success_m: float

    def free(self, places: np.ndarray) -> np.ndarray:
        """Whether the block may be there, ``[...,2]`` to ``bool [...]``."""
        inside = (np.abs(places) <= _WALL_M - BLOCK_HALF_M + 1e-9).all(-1)
        for x, y, width, height in self.obstacles:
            apart = np.abs(places - [x, y]) >= np.add([width, height], BLOCK_HALF_M) - 1e-9
            inside &= apart.any(-1)
        return inside

    def draw_places(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Free places, uniform over the room, ``float64 [count,2]``."""
        found = np.empty((0, 2))
        limit = _WALL_M - BLOCK_HALF_M
        while len(found) < count:
            drawn = rng.uniform(-limit, limit, (2 * count, 2))
            found = np.concatenate([found, drawn[self.free(drawn)]])
        return found[:count]

    def step(self, places: np.ndarray, moves: np.ndarray) -> np.ndarray:
        """Each block ``[N,2]`` by one of the 8 moves ``int [N]``; along what it meets it slides."""
        return self.slide(places, MOVES[moves] * (STEP_M / SUBSTEPS))

    def slide(self, places: np.ndarray, parts: np.ndarray) -> np.ndarray:
        """Each block ``[N,2]`` by 20 times its part ``[N,2]``, metres; along what it meets."""
        places = np.array(places, float)
        for _ in range(SUBSTEPS):
            for axis in (0, 1):
                tried = places.copy()
                tried[:, axis] += parts[:, axis]
                free = self.free(tried)
                places[free] = tried[free]
        return places

    def render(self, places: np.ndarray) -> np.ndarray:
        """From above, x to the right and y up, ``[N,2]`` to ``uint8 [N,64,64]``."""
        picture = np.full((SIZE, SIZE), _FLOOR)
        room = _coverage(np.zeros((1, 2)), (_WALL_M, _WALL_M))[0]
        picture = room * picture + (1.0 - room) * _OBSTACLE
        for x, y, width, height in self.obstacles:
            share = _coverage(np.array([[x, y]]), (width, height))[0]
            picture = share * _OBSTACLE + (1.0 - share) * picture
        places = np.asarray(places, float)
        pictures = np.empty((len(places), SIZE, SIZE), np.uint8)
        for first in range(0, len(places), _AT_ONCE):
            chunk = places[first : first + _AT_ONCE]
            share = _coverage(chunk, (BLOCK_HALF_M, BLOCK_HALF_M))
            gray = np.round(255.0 * (share * _BLOCK + (1.0 - share) * picture))
            pictures[first : first + _AT_ONCE] = gray
        return pictures


def _coverage(centres: np.ndarray, half: tuple[float, float]) -> np.ndarray:
    """Share of each pixel under a rectangle at each of ``centres [N,2]``, ``[N,64,64]``."""
    edges = np.linspace(-HALF_M, HALF_M, SIZE + 1)
    pixel = edges[1] - edges[0]
    shares = []
    for axis in (0, 1):
        low, high = (centres[:, axis, None] + sign * half[axis] for sign in (-1, 1))
        overlap = np.minimum(edges[1:], high) - np.maximum(edges[:-1], low)
        shares.append(overlap.clip(0.0) / pixel)
    x, y = shares
    return y[:, ::-1, None] * x[:, None, :]


MAZES = {
    maze.name: maze
    for maze in (
        Maze("open", (), 0.04),
        Maze("table", ((0.0, 0.0, 0.05, 0.05),), 0.04),
        Maze("cmaze", ((-0.1, 0.0, 0.18, 0.05),), 0.02),
    )
}


@dataclass(frozen=True)
class Rollouts:
    """R sequences of T pictures ``uint8 [R,T,64,64]`` and the moves between, ``int [R,T-1]``.

    truth: places ``float64 [R,T,2]``; evaluation reads it and nothing else.
    """

    pictures: np.ndarray
    moves: np.ndarray
    truth: np.ndarray


def random_rollouts(maze: Maze, count: int, steps: int, seed: int, policies: int = 20) -> Rollouts:
    """What random policies record, each with its own liking for the 8 moves (B.1).

    The same every time for a seed; count rollouts are shared evenly between the policies.
    """
    rng = np.random.default_rng(seed)
    likings = rng.dirichlet(np.ones(len(MOVES)), policies)[np.arange(count) % policies]
    places = [maze.draw_places(rng, count)]
    moves = np.empty((count, steps), int)
    for step in range(steps):
        # One uniform number a rollout, looked up in its policy's cumulative distribution.
        drawn = rng.random((count, 1))
        moves[:, step] = (drawn > likings.cumsum(1)[:, :-1]).sum(1)
        places.append(maze.step(places[-1], moves[:, step]))
    truth = np.stack(places, axis=1)
    pictures = maze.render(truth.reshape(-1, 2)).reshape(count, steps + 1, SIZE, SIZE)
    return Rollouts(pictures, moves, truth)
