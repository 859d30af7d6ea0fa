"""What Plan2vec learned of a set of pictures: both metrics and the threshold between them."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from latentplan_ros.models.global_metric import GlobalMetric
from latentplan_ros.models.local_metric import SiameseMetric

_FORMAT = "latentplan-picture-map-1"
_AT_ONCE = 1024


class MapError(ValueError):
    """A file that is no map of pictures; the message says why."""


class PictureMap(nn.Module):
    """local: steps between pictures that are up to ``threshold`` apart; metric: between any two.

    features: numbers of the local metric; latent and p: of the global one.
    """

    def __init__(self, features: int, latent: int, p: float, threshold: float = 1.5) -> None:
        super().__init__()
        self.sizes = {"features": features, "latent": latent, "p": p}
        self.threshold = threshold
        self.local = SiameseMetric(features)
        self.metric = GlobalMetric(latent, p)

    def features(self, pictures: np.ndarray) -> np.ndarray:
        """``uint8 [N,64,64]`` to ``float32 [N,D]``, whose l2 is the local metric."""
        return encoded(self.local.encoder, pictures)

    def points(self, pictures: np.ndarray) -> np.ndarray:
        """``uint8 [N,64,64]`` to ``float32 [N,D]``, whose l^p is the global metric."""
        return encoded(self.metric.encoder, pictures)

    def save(self, path: Path) -> None:
        """Writes the file whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".partial")
        about = {**self.sizes, "threshold": self.threshold}
        try:
            save_file(self.state_dict(), partial, {"format": _FORMAT, "about": json.dumps(about)})
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path) -> "PictureMap":
        """What save wrote. Raises MapError for any other file."""
        try:
            with safe_open(path, "pt") as file:
                about = file.metadata() or {}
                if about.get("format") != _FORMAT:
                    raise ValueError(f"its format is {about.get('format')}")
                sizes = json.loads(about["about"])
                weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            made = cls(**{name: _number(name, value) for name, value in sizes.items()})
            made.load_state_dict(weights)
            return made.eval()
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
            reason = " ".join(str(error).split())[:300]
            raise MapError(f"{path} is not a map of pictures: {reason}") from None


def _number(name: str, value: Any) -> Any:
    """Raises ValueError for what is none, or would build a network that no memory holds."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 4096:
        raise ValueError(f"{name} is {value!r}")
    return value


@torch.no_grad()
def encoded(encoder: nn.Module, pictures: np.ndarray) -> np.ndarray:
    """What a network makes of each picture, ``uint8 [N,64,64]`` to ``float32 [N,D]``."""
    parts = torch.from_numpy(pictures).split(_AT_ONCE)
    return torch.cat([encoder(part) for part in parts]).numpy()
