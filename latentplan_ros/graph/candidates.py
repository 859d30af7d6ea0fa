"""Which frames may be near which, by FAISS: the local metric then looks at few pairs."""

import faiss
import numpy as np

_SPARSE, _MOST = 16, 1000  # one frame in so many is in the sample, and no more than that


def candidates(features: np.ndarray, count: int) -> np.ndarray:
    """Pairs of frames worth asking about, both ways, ``int64 [P,2]``, each once, in order.

    features: ``[N,D]`` whose l2 says what is near; count: for each frame, half of it are its
    nearest, and half the nearest of a sample of one frame in 16, 1,000 at most: where frames are
    dense its nearest are all at hand, and paths need edges as long as the threshold allows.
    Exact; 100,000 frames of 32 numbers take under a minute.
    """
    features = np.ascontiguousarray(features, np.float32)
    frames = np.arange(len(features))
    size = min(max(1, len(frames) // _SPARSE), _MOST)
    sample = np.random.default_rng(0).permutation(frames)[:size]
    half = max(1, count // 2)
    found = [_nearest(features, others, half) for others in (frames, np.sort(sample))]
    pairs = np.concatenate(found)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    keys = np.concatenate([pairs @ [len(frames), 1], pairs @ [1, len(frames)]])
    return np.stack(np.divmod(np.unique(keys), len(frames)), axis=1)


def _nearest(features: np.ndarray, others: np.ndarray, count: int) -> np.ndarray:
    """Each frame with its ``count`` nearest of ``others``, itself aside, ``int64 [P,2]``."""
    index = faiss.IndexFlatL2(features.shape[1])
    index.add(features[others])
    # One more: a frame is mostly its own nearest.
    _, found = index.search(features, min(count + 1, len(others)))
    first = np.repeat(np.arange(len(features)), found.shape[1])
    return np.stack([first, others[found.reshape(-1)]], axis=1)
