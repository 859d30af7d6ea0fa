"""The corridor's recordings: an arm that slides along it, seen from above."""

import numpy as np

from latentplan_ros.control.action_space import ActionSpace
from latentplan_ros.data.dataset import Dataset, DatasetInfo, DatasetWriter
from latentplan_ros.data.episode import Episode

CELLS = 12
INFO = DatasetInfo(
    action_space=ActionSpace("franka", 0.1, 10.0, (0.0, 0.08)),
    camera="main",
    image_size=64,
    state_names=("joint1", "tcp_x", "tcp_y", "tcp_z"),
    source="sim",
    task="corridor",
    exploration_std=(0.5, 0.5, 0.5, 0.5),
)


def slide(rng, length):
    """One episode: a step left or right by the sign of the first action, walls at both ends."""
    action = rng.uniform(-1, 1, (length, 4)).astype(np.float32)
    heading = np.where(rng.random(length) < 0.2, -1.0, 1.0).cumprod() * rng.choice([-1, 1])
    action[:, 0] = np.abs(action[:, 0]) * heading
    cells = np.zeros(length, int)
    cells[0] = rng.integers(CELLS)
    for t in range(length - 1):
        cells[t + 1] = np.clip(cells[t] + np.sign(action[t, 0]), 0, CELLS - 1)
    action[-1] = 0
    image = np.full((length, 64, 64, 3), 30, np.uint8)
    for t, cell in enumerate(cells):
        image[t, 28:36, 2 + 5 * cell : 7 + 5 * cell] = (250, 200, 20)
    state = np.repeat(cells[:, None], 4, axis=1).astype(np.float32)
    return Episode(image, action, state, None)


def write_corridor(path, generators):
    """A dataset with an episode from each."""
    with DatasetWriter(path, INFO) as writer:
        for rng in generators:
            writer.append(slide(rng, 25))
    return Dataset.open(path)
