"""What was seen and done, each picture once; observations are put together when drawn."""

from dataclasses import dataclass

import numpy as np

from benchmarks.dmc.tasks import RENDERED, STACKED

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Drawn:
    """pictures: ``uint8 [4,B,100,100,3]``, of which the first three are an observation and the last
    three the next one; actions ``float32 [B,A]``; rewards ``float32 [B]``."""

    pictures: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray


class Replay:
    """The latest ``capacity`` pictures, whole episodes in a row; the oldest are overwritten."""

    def __init__(self, capacity: int, actions: int) -> None:
        # Zeros that are not written yet take no memory.
        self._arrays: Arrays = {
            "pictures": np.zeros((capacity, RENDERED, RENDERED, 3), np.uint8),
            "actions": np.zeros((capacity, actions), np.float32),
            "rewards": np.zeros(capacity, np.float32),
            "begins": np.zeros(capacity, np.int64),  # number of its episode's first picture
            "leads_on": np.zeros(capacity, bool),  # to the next picture, by action and reward
        }
        self._capacity, self._count = capacity, 0

    def begin(self, picture: np.ndarray) -> None:
        """An episode's first picture, ``uint8 [100,100,3]``."""
        self._put(picture, self._count)

    def add(self, action: np.ndarray, reward: float, picture: np.ndarray) -> None:
        """What was done at the latest picture, and the picture that came of it."""
        here = (self._count - 1) % self._capacity
        self._arrays["actions"][here] = action
        self._arrays["rewards"][here] = reward
        self._arrays["leads_on"][here] = True
        self._put(picture, int(self._arrays["begins"][here]))

    def sample(self, rng: np.random.Generator, count: int) -> Drawn:
        """``count`` transitions, with replacement."""
        oldest = max(0, self._count - self._capacity)
        # Where pictures were overwritten, those at the edge lack what came before them.
        numbers = np.arange(oldest + (STACKED - 1 if oldest else 0), self._count)
        numbers = numbers[self._arrays["leads_on"][numbers % self._capacity]]
        chosen = rng.choice(numbers, count)
        begins = self._arrays["begins"][chosen % self._capacity]
        offsets = np.arange(1 - STACKED, 2)[:, None]
        pictures = np.maximum(chosen + offsets, begins) % self._capacity
        here = chosen % self._capacity
        return Drawn(
            self._arrays["pictures"][pictures],
            self._arrays["actions"][here],
            self._arrays["rewards"][here],
        )

    def state(self) -> tuple[int, Arrays]:
        """How many pictures were ever seen, and what is kept of them, without a copy."""
        kept = min(self._count, self._capacity)
        return self._count, {name: array[:kept] for name, array in self._arrays.items()}

    def restore(self, count: int, arrays: Arrays) -> None:
        """Takes back what ``state`` gave."""
        self._count = count
        for name, array in arrays.items():
            self._arrays[name][: len(array)] = array

    def _put(self, picture: np.ndarray, begins: int) -> None:
        here = self._count % self._capacity
        self._arrays["pictures"][here] = picture
        self._arrays["begins"][here] = begins
        self._arrays["leads_on"][here] = False
        self._count += 1
