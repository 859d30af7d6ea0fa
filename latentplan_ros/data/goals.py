"""Goal relabelling for distance learning (MBOLD section 4 and A.1)."""

from dataclasses import dataclass

import faiss
import numpy as np

from latentplan_ros.data.dataset import Dataset


@dataclass(frozen=True)
class Transitions:
    """Frame indices ``int64 [B]``: state at t (the next is t+1) and goal.

    steps: t+steps is the goal; 0 for negatives.
    """

    state: np.ndarray
    goal: np.ndarray
    steps: np.ndarray


class GoalSampler:
    """Transitions with reached goals (offset geometric in p) and arm-pose negatives, half and half.

    A negative goal is a nearest neighbour, in the arm's joint positions, of the state that was
    reached: the arm is where it would be, the objects likely are not. Neighbours come from at most
    ``index_size`` frames of other episodes through FAISS; where the nearest are all of the state's
    own episode, in which they may well be reached, the goal stays the reached one.
    """

    def __init__(
        self,
        dataset: Dataset,
        episodes: np.ndarray,
        rng: np.random.Generator,
        p: float = 0.3,
        negatives: float = 0.5,
        neighbours: int = 32,
        index_size: int = 200_000,
    ) -> None:
        starts, ends = dataset.episode_starts[episodes], dataset.episode_ends[episodes]
        self._states = dataset.frames(episodes, before_end=1)
        self._first = np.repeat(starts, ends - starts - 1)
        self._last = np.repeat(ends - 1, ends - starts - 1)
        self._p, self._negatives, self._neighbours = p, negatives, neighbours
        joints = len(dataset.info.state_names) - 3  # the tool position, last, is a function of them
        kept = np.sort(rng.permutation(dataset.frames(episodes))[:index_size])
        self._pose = np.ascontiguousarray(dataset.state[:, :joints], np.float32)
        keys = self._pose[kept]
        self._kept = kept
        if len(kept) > 10_000:
            # Exact search over 2e5 poses would cost more than the network update it serves.
            cells = faiss.IndexIVFFlat(faiss.IndexFlatL2(joints), joints, 256)
            cells.train(keys)
            cells.nprobe = 4
            self._index: faiss.Index = cells
        else:
            self._index = faiss.IndexFlatL2(joints)
        self._index.add(keys)

    def draw(self, rng: np.random.Generator, count: int) -> Transitions:
        rows = rng.integers(len(self._states), size=count)
        state, last = self._states[rows], self._last[rows]
        steps = np.minimum(rng.geometric(self._p, size=count), last - state)
        goal = state + steps
        negative = count - round(count * self._negatives)
        reached = goal[negative:]
        _, near = self._index.search(self._pose[reached], min(self._neighbours, len(self._kept)))
        frames = self._kept[near]
        first, final = self._first[rows[negative:], None], last[negative:, None]
        # FAISS pads with -1 where a cell holds too few.
        usable = (near >= 0) & ((frames < first) | (frames > final))
        pick = np.where(usable, rng.random(near.shape), -1.0).argmax(axis=1)
        found = usable.any(axis=1)
        goal[negative:] = np.where(found, frames[np.arange(len(reached)), pick], reached)
        steps[negative:] = np.where(found, 0, steps[negative:])
        return Transitions(state, goal, steps)
