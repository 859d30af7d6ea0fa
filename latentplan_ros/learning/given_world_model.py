"""The world model of another checkpoint: only what a method adds, or a calibration, is trained."""

import hashlib
from pathlib import Path
from typing import Any

from latentplan_ros.models.checkpoint import load_checkpoint
from latentplan_ros.models.latent_world_model import LatentWorldModel

_UNSAID = {"points": 0, "members": 1, "pessimism": 0.0}  # what older files leave out of the spec
_BLOCKS = ("model", "objective", "world_model", "dynamics", "video")


class GivenWorldModel:
    """Encoder, decoder and dynamics, or video prediction, of a checkpoint.

    hash: SHA-256 of the file; spec: of the model, without a distance; blocks: of the recipe that it
    was trained by, with its calibration where it had one; calibrated: whether it had. Raises
    CheckpointError.
    """

    def __init__(self, path: Path) -> None:
        self._model = load_checkpoint(path)
        self.path, self.header = path, self._model.header
        self.hash = hashlib.sha256(path.read_bytes()).hexdigest()
        spec = self.header.spec
        left_out = {"distance"} if spec.get("kind") == "video" else {"distance", "kind"}
        self.spec: dict[str, Any] = _UNSAID | {k: v for k, v in spec.items() if k not in left_out}
        recipe = self.header.recipe
        self.blocks = {name: recipe[name] for name in _BLOCKS if name in recipe}
        self.calibrated = recipe.get("calibration", {}).get("updates", 0) > 0
        if self.calibrated:
            self.blocks["calibration"] = recipe["calibration"]

    def copy_to(self, model: LatentWorldModel) -> None:
        """Takes over all weights but those of the head."""
        weights = self._model.state_dict().items()
        taken = {name: weight for name, weight in weights if not name.startswith("head.")}
        model.load_state_dict(model.state_dict() | taken)
