"""Checkpoints: one safetensors file, weights plus a JSON header. Reading one runs no code of it."""

import json
import math
import os
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from latentplan_ros.control.action_space import ActionSpace
from latentplan_ros.control.profile import RobotProfile
from latentplan_ros.data.dataset import DatasetInfo
from latentplan_ros.models.familiarity import reconstruction_rms
from latentplan_ros.models.latent_world_model import (
    DistanceError,
    LatentWorldModel,
    PictureError,
    require_pictures,
)
from latentplan_ros.models.video_world_model import VideoWorldModel

_FORMAT = 1
_HEADER = "latentplan"
_MAX_SIZE, _MAX_LAYERS = 4096, 64
# Times the header's reconstruction_rms: goals of the same scene stay within; those of other scenes,
# of other light, or of a camera that has turned by 5 % of the picture do not.
FAMILIAR = 1.6
# What a header that is no header of ours makes the reading of it raise.
_FOREIGN = (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)


class CheckpointError(ValueError):
    """A checkpoint is missing, not ours, damaged or for another robot; the message says which."""


@dataclass(frozen=True)
class CheckpointHeader:
    """Everything needed to rebuild and to trust a checkpoint.

    spec rebuilds the network; exploration_std starts the planner's search where the data was;
    success: measured rates by goal kind, with their numbers of tries; reconstruction_rms: what 99 %
    of held-out pictures stay below (familiarity.py), infinite where there was none to measure;
    world_model: SHA-256 of the checkpoint whose encoder, decoder and dynamics these are (the
    dynamics perhaps calibrated since), "" where they were trained for this one.
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
    reconstruction_rms: float = math.inf
    world_model: str = ""

    def to_json(self) -> str:
        return json.dumps({"format": _FORMAT, **asdict(self)}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "CheckpointHeader":
        values = json.loads(text)
        if values.pop("format") != _FORMAT:
            raise KeyError("format")
        values.setdefault("world_model", "")  # files from before it could be another's say nothing
        values["action_space"] = ActionSpace.from_dict(values["action_space"])
        values["exploration_std"] = tuple(map(float, values["exploration_std"]))
        header = cls(**{f.name: values[f.name] for f in fields(cls)})
        for name, kind in _KINDS.items():
            if not isinstance(getattr(header, name), kind):
                raise TypeError(name)
        if not all(math.isfinite(std) and std >= 0 for std in header.exploration_std):
            raise ValueError("exploration_std")
        if not header.reconstruction_rms >= 0:  # so written, nan is refused too
            raise ValueError("reconstruction_rms")
        _require_planner(header.planner)
        return header

    @property
    def planner(self) -> dict[str, Any]:
        """What its recipe sets of a planner: ``moments``, ``reluctance``; older files nothing."""
        return dict(self.recipe.get("planner", {}))

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

    def require_dataset(self, info: DatasetInfo) -> None:
        """Raises CheckpointError naming each way in which a dataset is not such as it learned from:
        another robot, rate, reach of an action, camera or picture size.
        """
        differences = info.action_space.differences(self.action_space)
        for name in ("camera", "image_size"):
            there, here = getattr(info, name), getattr(self, name)
            if there != here:
                differences.append(f"{name}: {there!r} is not {here!r}")
        if differences:
            raise CheckpointError(
                f"the dataset does not fit the checkpoint: {'; '.join(differences)}. Train a "
                "checkpoint of its own on it, or record with the checkpoint's robot and camera."
            )


_KINDS: dict[str, type] = {
    "method": str,
    "spec": object,  # load_checkpoint looks into it
    "recipe": dict,
    "camera": str,
    "image_size": int,
    "task": str,
    "dataset_hash": str,
    "seed": int,
    "versions": dict,
    "success": dict,
    "reconstruction_rms": float,
    "world_model": str,
}

_PLANNER: dict[str, type] = {"moments": int, "reluctance": float}


def _require_planner(planner: dict[str, Any]) -> None:
    """Raises ValueError for what no recipe asks of a planner."""
    for name, value in planner.items():
        usual = isinstance(value, _PLANNER[name]) and not isinstance(value, bool)
        if not usual or not 0 <= value <= 1000:
            raise ValueError(f"recipe: planner: {name}")


class TrainedModel(LatentWorldModel):
    """A loaded checkpoint: the world model and where it comes from."""

    def __init__(self, header: CheckpointHeader) -> None:
        super().__init__(header.spec)
        self.header = header

    def require_familiar(self, picture: np.ndarray) -> None:
        """Raises PictureError where ``uint8 [64,64,3]`` is unlike the model's data."""
        image = torch.from_numpy(picture.transpose(2, 0, 1).copy())[None]
        require_pictures(image)
        image = image.to(next(self.parameters()).device)
        rms, known = float(reconstruction_rms(self, image)), self.header.reconstruction_rms
        if rms > FAMILIAR * known:
            raise PictureError(
                "the picture is unlike those that the checkpoint learned from: drawn again by the "
                f"model it is off by {rms:.3f} (RMS of 1), 99 % of theirs by less than "
                f"{known:.3f}; is it of another scene, camera or light?"
            )


class TrainedVideoModel(TrainedModel, VideoWorldModel):
    """A loaded checkpoint that imagines pictures."""


# By the spec's kind; files from before there were two have none.
_MODELS: dict[Any, type[TrainedModel]] = {
    None: TrainedModel,
    "latent": TrainedModel,
    "video": TrainedVideoModel,
}


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
    except _FOREIGN as error:
        raise CheckpointError(
            f"{path} is not a checkpoint of this package: header field {error}"
        ) from None


def load_checkpoint(path: str | Path, device: str = "cpu") -> TrainedModel:
    """The model in evaluation mode.

    Raises CheckpointError when it is missing, damaged or of another architecture.
    """
    header = read_header(path)
    _require_sizes(header, path)
    try:
        _require_weights(header, path)
        model = _MODELS[header.spec.get("kind")](header)
        with safe_open(str(path), "pt") as file:
            names = file.keys()
            model.load_state_dict({name: file.get_tensor(name) for name in names})
    except (*_FOREIGN, RuntimeError, AssertionError, SafetensorError) as error:
        problem = " ".join(str(error).split())
        raise CheckpointError(f"{path}: weights do not fit its own header: {problem}") from None
    if not all(torch.isfinite(parameter).all() for parameter in model.parameters()):
        raise CheckpointError(f"{path} holds weights that are not finite")
    _require_answer(model, path)
    return model.to(device).eval()


def _require_sizes(header: CheckpointHeader, path: str | Path) -> None:
    """Raises CheckpointError unless every size of the networks is one that we would choose."""
    spec = header.spec if isinstance(header.spec, dict) else {}
    if spec.get("kind") not in list(_MODELS):  # it may be anything, a list too
        raise CheckpointError(
            f"{path}: its model is of kind {spec['kind']!r}, which is not one of ours"
        )
    distance = spec.get("distance") or {}
    sizes = {name: spec.get(name) for name in ("latent", "channels", "hidden", "layers")}
    sizes["members"] = spec.get("members", 1)
    if isinstance(distance, dict):
        # A whole number; others are for the distance itself to judge.
        sizes |= {f"distance {k}": v for k, v in distance.items() if isinstance(v, int)}
    if spec.get("kind") == "video":
        if sizes["members"] != 1:
            raise CheckpointError(f"{path}: a video model has no ensemble of dynamics")
        video = spec.get("video")
        video = video if isinstance(video, dict) else {}
        sizes |= {f"video {k}": video.get(k) for k in ("filters", "kernels", "kernel_size")}
    points, latent = spec.get("points", 0), sizes["latent"]
    if points != 0:
        sizes["points"] = points
    for name, size in sizes.items():
        most = _MAX_LAYERS if name.endswith("layers") else _MAX_SIZE
        if not isinstance(size, int) or isinstance(size, bool) or not 0 < size <= most:
            raise CheckpointError(f"{path}: {name} size {size!r} is not one of ours")
    if 2 * points >= latent:
        raise CheckpointError(f"{path}: {points} points do not fit into {latent} numbers")


def _require_weights(header: CheckpointHeader, path: str | Path) -> None:
    """Raises ValueError unless the file holds just the weights that its header needs.

    Found out without memory for them: a small file may ask for networks of any size.
    """
    with torch.device("meta"):
        model = _MODELS[header.spec.get("kind")](header)
        needed = {k: list(v.shape) for k, v in model.state_dict().items()}
    with safe_open(str(path), "pt") as file:
        held = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118
    for name in sorted({*needed, *held}):
        if needed.get(name) != held.get(name):
            raise ValueError(f"{name} is {held.get(name)}, not {needed.get(name)}")


def _require_answer(model: TrainedModel, path: str | Path) -> None:
    """Raises CheckpointError unless the model makes finite numbers of a picture."""
    size = model.header.image_size
    try:
        with torch.inference_mode():
            if not 0 < size <= _MAX_SIZE:
                raise ValueError(f"image_size is {size}")
            latent = model.eval().encode(torch.zeros(1, 3, size, size, dtype=torch.uint8))
            future = model.rollout(latent, torch.zeros(1, 1, 4))[:, -1]
            answers = {"latent": latent, "future": future}
            with suppress(DistanceError):  # a policy's checkpoint has no distance
                answers["distance"] = model.distance(future, latent)
            for name, answer in answers.items():
                if not torch.isfinite(answer).all():
                    raise ValueError(f"its {name} of a black picture is not finite")
    except Exception as error:  # a header's values reach into every part of a network
        problem = " ".join(str(error).split())
        raise CheckpointError(f"{path}: a model that does not work: {problem}") from None
