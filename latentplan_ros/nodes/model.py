"""The one loaded model that all nodes of a process share."""

from functools import lru_cache
from pathlib import Path

import torch

from latentplan_ros.control.profile import RobotProfile
from latentplan_ros.models.checkpoint import CheckpointError, TrainedModel, load_checkpoint


def shared_model(
    checkpoint: str, profile: RobotProfile, camera: str, device: str, threads: int
) -> TrainedModel:
    """The checkpoint's model on ``device`` ("auto": a GPU where there is one).

    camera: name of the camera the checkpoint must be trained for, empty for any. threads: of torch,
    in this process; 0 leaves its own choice. Raises CheckpointError when the file cannot be used,
    or belongs to another robot, action space or camera.
    """
    if not checkpoint:
        raise CheckpointError("no checkpoint: set parameter checkpoint to a .safetensors file")
    if threads:
        torch.set_num_threads(threads)
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    path = Path(checkpoint).expanduser()
    changed = path.stat().st_mtime_ns if path.exists() else 0
    model = _load(path, device, changed)
    try:
        model.header.require(profile, camera or None)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from None
    return model


@lru_cache(maxsize=1)
def _load(path: Path, device: str, changed: int) -> TrainedModel:
    try:
        return load_checkpoint(path, device)
    except RuntimeError as error:  # torch's way to say that there is no such device
        raise CheckpointError(f"{path} cannot be loaded on device {device!r}: {error}") from None
