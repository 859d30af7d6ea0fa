"""Checkpoints: one safetensors file, weights plus a JSON header. Reading one runs no code of it."""

import json
import os
import tempfile
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from latentplan_ros.control.action_space import ActionSpace
from latentplan_ros.control.profile import RobotProfile
from latentplan_ros.models.latent_world_model import LatentWorldModel

_FORMAT = 1
_HEADER = "latentplan"
_MAX_SIZE = 4096


class CheckpointError(ValueError):
    """A checkpoint is missing, not ours, damaged or for another robot; the message says which."""


@dataclass(frozen=True)
class CheckpointHeader:
    """Everything needed to rebuild and to trust a checkpoint.

    spec rebuilds the network; exploration_std starts the planner's search where the data was;
    success: measured rates by goal kind, with their numbers of tries.
    """

    method: str
    spec: dict[str, Any]
    recipe: dict[str, Any]
    action_space: ActionSpace
    camera: str
    image_size: int
    exploration_std: tuple[float, ...]
    task: str
    dataset_hash: str
    seed: int
    versions: dict[str, str]
    success: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        return json.dumps({"format": _FORMAT, **asdict(self)}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "CheckpointHeader":
        values = json.loads(text)
        if values.pop("format") != _FORMAT:
            raise KeyError("format")
        values["action_space"] = ActionSpace.from_dict(values["action_space"])
        values["exploration_std"] = tuple(values["exploration_std"])
        return cls(**{f.name: values[f.name] for f in fields(cls)})

    def require(self, profile: RobotProfile, camera: str | None = None) -> None:
        """Raises CheckpointError naming each way in which robot or camera are not the data's."""
        differences = self.action_space.differences(profile.action)
        if camera is not None and camera != self.camera:
            differences.append(f"camera: {self.camera!r} is not {camera!r}")
        if differences:
            raise CheckpointError(
                f"this checkpoint was trained for robot {self.action_space.robot!r} and does not "
                f"fit profile {profile.name!r}: {'; '.join(differences)}. Use the matching profile "
                "or train on this robot's data."
            )


class TrainedModel(LatentWorldModel):
    """A loaded checkpoint: the world model and where it comes from."""

    def __init__(self, header: CheckpointHeader) -> None:
        super().__init__(header.spec)
        self.header = header


def save_checkpoint(path: str | Path, model: LatentWorldModel, header: CheckpointHeader) -> None:
    """Writes the file whole or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    weights = {
        name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()
    }
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".partial")
    os.close(handle)
    try:
        save_file(weights, temporary, metadata={_HEADER: header.to_json()})
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def read_header(path: str | Path) -> CheckpointHeader:
    """The header alone, without reading weights. Raises CheckpointError."""
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"no checkpoint at {path}: train one with `latentplan train`")
    try:
        with safe_open(str(path), "pt") as file:
            text = (file.metadata() or {})[_HEADER]
        return CheckpointHeader.from_json(text)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is not a whole safetensors file: {error}") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(
            f"{path} is not a checkpoint of this package: header field {error}"
        ) from None


def load_checkpoint(path: str | Path, device: str = "cpu") -> TrainedModel:
    """The model in evaluation mode.

    Raises CheckpointError when it is missing, damaged or of another architecture.
    """
    header = read_header(path)
    spec = header.spec if isinstance(header.spec, dict) else {}
    for name in ("latent", "channels", "hidden", "layers"):
        size = spec.get(name)
        if not isinstance(size, int) or not 0 < size <= _MAX_SIZE:
            raise CheckpointError(f"{path}: {name} size {size!r} is not one of ours")
    try:
        model = TrainedModel(header)
        with safe_open(str(path), "pt") as file:
            names = file.keys()
            model.load_state_dict({name: file.get_tensor(name) for name in names})
    except (RuntimeError, KeyError, TypeError, ValueError, SafetensorError) as error:
        raise CheckpointError(f"{path}: weights do not fit its own header: {error}") from None
    if not all(torch.isfinite(parameter).all() for parameter in model.parameters()):
        raise CheckpointError(f"{path} holds weights that are not finite")
    return model.to(device).eval()
