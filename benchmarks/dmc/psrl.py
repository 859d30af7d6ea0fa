"""PSRL's loss (Choi et al. 2023) for the encoder of SAC, of the parts that the arm's has too."""

import torch

from benchmarks.dmc.auxiliary import Auxiliary, Batch, Seen
from benchmarks.dmc.networks import CELLS, COVERED, FILTERS, FINE_COVERED
from benchmarks.dmc.tasks import STACKED
from latentplan_ros.learning.representation.correspondence import (
    Correspondence,
    correspondence_loss,
)
from latentplan_ros.learning.representation.paired_similarity import PairedSimilarity
from latentplan_ros.learning.representation.warp import resized, warped

# As in learning/objectives/psrl.py: what the widths of layers that are thrown away are divided by,
# the weight of a smooth flow in L_reg, the width of global vectors.
_NARROWER, _SMOOTHNESS, _PROJECTED = 16, 0.01, 64


class Psrl(Auxiliary):
    """L_c + L_sim, with M + 1 = 3 pictures, z^q by the trained encoder and z^t by SAC's slow one.

    learning/objectives/psrl.py says what is what. Pictures are compared where the coarse features
    are, in the middle 64 x 64 pixels. Gradients reach the encoder beside those of the critic.
    """

    def __init__(self, actions: int) -> None:
        super().__init__()
        self.correspondence = Correspondence(FILTERS, FILTERS, _NARROWER)
        self.volumes = PairedSimilarity(STACKED, FILTERS, actions, _NARROWER, _PROJECTED)
        self.to(memory_format=torch.channels_last)  # as the encoder's features come

    def forward(self, seen: Seen, actions: torch.Tensor) -> Batch:
        flows, wrong = self.correspond(seen)
        alike = self._alike(seen, flows.detach(), actions)
        return {"loss": wrong + alike, "correspondence": wrong, "similarity": alike}

    def follow(self, rate: float) -> None:
        self.volumes.follow(rate)

    def correspond(self, seen: Seen) -> tuple[torch.Tensor, torch.Tensor]:
        """External flows, from each picture of the next observation to the one before it,
        ``[3B,2,64,64]`` in pixels, and L_c: theirs and that of the internal one, from the
        observation's first picture to its last."""
        pictures = seen.pictures[..., COVERED, COVERED].float() / 255.0
        pairs = len(pictures[0]) * STACKED
        fine = seen.target_fine, seen.fine[:1]
        with torch.autocast(pictures.device.type, torch.bfloat16):
            flows = self.correspondence(
                _joined(*(maps[..., FINE_COVERED, FINE_COVERED] for maps in fine)),
                _joined(seen.target_coarse, seen.coarse[:1]),
                _joined(seen.coarse, seen.coarse[-1:]),
                tuple(pictures.shape[-2:]),
            ).float()
        after, before = _joined(pictures[1:], pictures[:1]), _joined(pictures[:-1], pictures[-2:-1])
        wrong = correspondence_loss(flows, after, before, _SMOOTHNESS)
        return flows[:pairs], (STACKED + 1) * wrong

    def _alike(self, seen: Seen, flows: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        """L_sim of the warped volume and the predicted one with what was observed."""
        moved = warped(seen.coarse.flatten(0, 1), resized(flows, (CELLS, CELLS)))
        maps = moved.unflatten(0, (STACKED, -1)), seen.coarse, seen.target_coarse
        alike: torch.Tensor = self.volumes(*map(_stacked, maps), actions)
        return alike


def _joined(*parts: torch.Tensor) -> torch.Tensor:
    """``[K,B,...]`` each to ``[sum of K times B,...]``."""
    return torch.cat([part.flatten(0, 1) for part in parts])


def _stacked(maps: torch.Tensor) -> torch.Tensor:
    """``[3,B,C,h,w]`` to ``[B,3C,h,w]``."""
    return torch.cat(list(maps), dim=1)
