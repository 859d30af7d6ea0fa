"""Where the arm and the objects truly are; read by evaluation and nothing else."""

import numpy as np

from latentplan_ros.data.dataset import Dataset, DatasetError


def places(dataset: Dataset, frames: np.ndarray) -> dict[str, np.ndarray]:
    """``arm`` ``float32 [N,1,3]``, the tool, and ``object`` ``[N,P,K]``, each of P things, metres.

    Names of the truth that end in _x, _y, _z belong to one thing; a drawer or a door is one number.
    The tool is taken from the measured state, which every task has. Raises DatasetError for a
    dataset without either.
    """
    info = dataset.info
    tool = [i for i, name in enumerate(info.state_names) if name.startswith("tcp_")]
    things = [i for i, name in enumerate(info.truth_names) if not name.startswith("tcp_")]
    if dataset.truth is None or not things or len(tool) != 3:
        raise DatasetError(
            f"{dataset.path} does not say where arm and objects are: its state is "
            f"{', '.join(info.state_names) or 'empty'}, its truth "
            f"{', '.join(info.truth_names) or 'empty'}. Simulated datasets of tasks with objects do"
        )
    count = len({_thing(info.truth_names[i]) for i in things})
    return {
        "arm": dataset.state[frames][:, None, tool],
        "object": dataset.truth[frames][:, things].reshape(len(frames), count, -1),
    }


def _thing(name: str) -> str:
    return name[:-2] if name.endswith(("_x", "_y", "_z")) else name
