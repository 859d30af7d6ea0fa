"""The three methods: one SAC, one encoder, and what else teaches it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from benchmarks.dmc.auxiliary import Auxiliary, Batch
from benchmarks.dmc.crops import centre_crop, random_crop
from benchmarks.dmc.curl import Curl
from benchmarks.dmc.plan import SacSettings
from benchmarks.dmc.psrl import Psrl
from benchmarks.dmc.replay import Replay
from benchmarks.dmc.sac import Sac, as_tensor


@dataclass(frozen=True)
class Method:
    """auxiliary: makes its loss for so many actions; crops: windows that an observation is seen in,
    0 for the middle of the picture alone."""

    crops: int
    auxiliary: Callable[[int], Auxiliary] | None = None

    def agent(self, actions: int, settings: SacSettings) -> Sac:
        return Sac(actions, settings, self.auxiliary(actions) if self.auxiliary else None)

    def batch(
        self, replay: Replay, rng: np.random.Generator, count: int, device: torch.device
    ) -> Batch:
        """``pictures`` uint8 ``[4,B,3,84,84]`` (replay.py), ``actions``, ``rewards``.

        With two crops also ``other``, the observation's three pictures in another window.
        """
        drawn = replay.sample(rng, count)
        seen = random_crop(rng, drawn.pictures) if self.crops else centre_crop(drawn.pictures)
        batch = {
            "pictures": as_tensor(seen, device),
            "actions": torch.from_numpy(drawn.actions).to(device),
            "rewards": torch.from_numpy(drawn.rewards).to(device),
        }
        if self.crops > 1:
            batch["other"] = as_tensor(random_crop(rng, drawn.pictures[:-1]), device)
        return batch


# Pixel SAC has no augmentation in the paper's tables, and the other two have.
METHODS = {"sac": Method(0), "curl": Method(2, lambda _: Curl()), "psrl": Method(1, Psrl)}
