"""PSRL: what moved, what was predicted and what came are to be alike (Choi et al. 2023)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from latentplan_ros.learning.representation.augmentation import colour_jitter
from latentplan_ros.learning.representation.correspondence import (
    Correspondence,
    correspondence_loss,
)
from latentplan_ros.learning.representation.flow_picture import flow_picture
from latentplan_ros.learning.representation.objective import (
    Needs,
    Objective,
    ObjectiveRecipe,
    pictures,
)
from latentplan_ros.learning.representation.paired_similarity import (
    PairedSimilarity,
    Projection,
    global_loss,
)
from latentplan_ros.learning.representation.warp import resized, warped
from latentplan_ros.learning.stage import Batch
from latentplan_ros.learning.target_network import TargetNetwork
from latentplan_ros.models.networks import mlp

_STACK = 3  # M + 1 pictures, as the paper has them on DMControl
_MAGNIFIED = 3  # pixels of a preview for each of a picture


@dataclass(frozen=True)
class PsrlRecipe(ObjectiveRecipe):
    batch_size: int = 8  # windows of _STACK + 1 pictures
    narrower: int = 16  # what the paper's widths are divided by, in layers that are thrown away
    smoothness: float = 0.01  # of the flow, in L_reg
    similarity: float = 1.0  # weight of L_sim beside L_c
    projected: int = 64  # width of global vectors y
    rate: float = 0.01  # of the target networks
    # Brightness, contrast and saturation of what the encoder sees, times 1 +- this at most, and
    # hues by half of it; the target encoder and the photometric loss see pictures as they are.
    jitter: float = 0.0


class Psrl(Objective):
    """L_c, how well pictures are drawn from each other by the correspondences that the encoder's
    features give, and L_sim, how alike representations of the stack k + 1 are to the observed one.

    A stack is the pictures k to k + M; each is encoded by itself, and its features are the coarse
    maps of ``pyramid``, by the encoder (query, z^q) or by its moving average (target, z^t).
    Correspondences: external, each z^t_{k+i+1} to z^q_{k+i}; internal, z^q_k to z^q_{k+M}.
    Z^{q,tr}_{k+1}: query maps warped by the external correspondences, which L_c alone trains, then
    mixed by a 1 x 1 convolution. Z^{q,pr}_{k+1}: G of the mixed query maps and an action, for a
    stack that between its newest picture and the next, as the earlier ones show in the stack.
    Z^t_{k+1}: target maps, mixed by the moving average. All three are scaled to [0, 1].
    L_sim = L_s(y^{q,tr}, y^t) + L_s(y^{q,pr}, y^t) + L_1(Z^{q,tr}, Z^t) + L_1(Z^{q,pr}, Z^t).

    Ours is the same L_s for what the encoder is used for: the latent of picture k + M, changed by
    a small network that knows the action, against the target encoder's latent of picture k + M + 1.
    The paper's encoder ends in the volume; this one goes on to a vector, and nothing else here
    would train those layers.
    """

    needs = Needs(frames=_STACK + 1)
    recipe_type = PsrlRecipe

    def __init__(self, encoder: nn.Module, latent: int, recipe: Any, actions: int = 4) -> None:
        """actions: numbers in an action, other than 4 where others' tasks are learned from."""
        super().__init__(encoder, latent, recipe)
        with torch.no_grad():
            pyramid: Any = encoder.pyramid
            fine, coarse = (maps.shape[1] for maps in pyramid(torch.zeros(1, 3, 64, 64)))
        width = recipe.projected
        self.correspondence = Correspondence(fine, coarse, recipe.narrower)
        self.volumes = PairedSimilarity(_STACK, coarse, actions, recipe.narrower, width)
        self.change = mlp(latent + actions, 128, 1, latent)
        self.project_latent = Projection(latent, width)
        self.predict_latent = Projection(width, width)
        self.target_encoder = TargetNetwork(encoder)
        self.target_project_latent = TargetNetwork(self.project_latent)

    def forward(self, batch: Batch) -> Batch:
        frames, action = pictures(batch), batch["actions"][:, -1]
        seen = self._jittered(frames[:, :-1])
        query = self._maps(self.encoder, seen)
        target = self._maps(self.target_encoder.network, frames[:, 1:])
        flows, wrong = self._correspond(frames, query, target)
        alike = self._volumes_alike(query[1], target[1], flows.detach(), action)
        latents_alike = self._latents_alike(seen[:, -1], frames[:, -1], action)
        return {
            "loss": wrong + self.recipe.similarity * (alike + latents_alike),
            "correspondence": wrong.detach(),
            "similarity": alike.detach(),
            "latent_similarity": latents_alike.detach(),
        }

    def after_update(self) -> None:
        rate = self.recipe.rate
        self.target_encoder.follow(self.encoder, rate)
        self.volumes.follow(rate)
        self.target_project_latent.follow(self.project_latent, rate)

    @torch.no_grad()
    def preview(self, batch: Batch) -> np.ndarray:
        """A row for each window: picture k + M, the next one, the flow between them in colours
        (flow_picture.py), and the first warped by it, which should look like the second."""
        frames = pictures(batch)
        self.correspondence.eval()  # a preview shall not change what batch norm has seen
        flows, _ = self._correspond(
            frames,
            self._maps(self.encoder, frames[:, :-1]),
            self._maps(self.target_encoder.network, frames[:, 1:]),
        )
        self.correspondence.train(self.training)
        flow, source, after = flows[:, -1], frames[:, -2], frames[:, -1]
        most = max(1.0, float(flow.norm(dim=1).max()))
        columns = [
            (255.0 * shown).round().byte().permute(0, 2, 3, 1).cpu().numpy()
            for shown in (source, after, warped(source, flow))
        ]
        colours = [flow_picture(one, most) for one in flow.permute(0, 2, 3, 1).cpu().numpy()]
        columns.insert(2, np.stack(colours))
        sheet = np.concatenate([np.concatenate(list(column)) for column in columns], axis=1)
        return sheet.repeat(_MAGNIFIED, axis=0).repeat(_MAGNIFIED, axis=1)

    def _maps(self, encoder: Any, frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        fine, coarse = encoder.pyramid(255.0 * frames.flatten(0, 1))
        return fine.unflatten(0, frames.shape[:2]), coarse.unflatten(0, frames.shape[:2])

    def _correspond(
        self,
        frames: torch.Tensor,
        query: tuple[torch.Tensor, torch.Tensor],
        target: tuple[torch.Tensor, torch.Tensor],
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """External flows ``[B,M+1,2,H,W]`` and L_c; the last pair is the internal one."""
        fine = torch.cat([target[0], query[0][:, :1]], dim=1)
        a = torch.cat([target[1], query[1][:, :1]], dim=1)
        b = torch.cat([query[1], query[1][:, -1:]], dim=1)
        seen_a = torch.cat([frames[:, 1:], frames[:, :1]], dim=1)
        seen_b = torch.cat([frames[:, :-1], frames[:, -2:-1]], dim=1)
        pairs = (part.flatten(0, 1) for part in (fine, a, b))
        flows = self.correspondence(*pairs, size=frames.shape[3:])
        wrong = correspondence_loss(
            flows, seen_a.flatten(0, 1), seen_b.flatten(0, 1), self.recipe.smoothness
        )
        return flows.unflatten(0, (-1, _STACK + 1))[:, :-1], (_STACK + 1) * wrong

    def _volumes_alike(
        self, query: torch.Tensor, target: torch.Tensor, flows: torch.Tensor, action: torch.Tensor
    ) -> torch.Tensor:
        on_maps = resized(flows.flatten(0, 1), (query.shape[3], query.shape[4]))
        moved = warped(query.flatten(0, 1), on_maps).view_as(query)
        alike: torch.Tensor = self.volumes(
            *(maps.flatten(1, 2) for maps in (moved, query, target)), action
        )
        return alike

    def _latents_alike(
        self, newest: torch.Tensor, after: torch.Tensor, action: torch.Tensor
    ) -> torch.Tensor:
        latent = self.encode(newest)
        changed = latent + self.change(torch.cat([latent, action], dim=1))
        guess = self.predict_latent(self.project_latent(changed))
        return global_loss(guess, self.target_project_latent(self.target_encoder(255.0 * after)))

    def _jittered(self, stack: torch.Tensor) -> torch.Tensor:
        """A stack ``[B,F,3,H,W]`` in other colours, the same for all of its pictures."""
        jitter = self.recipe.jitter
        if not jitter:
            return stack
        count, frames, channels, height, width = stack.shape
        beneath = stack.transpose(1, 2).reshape(count, channels, frames * height, width)
        other = colour_jitter(beneath, jitter, jitter, jitter, jitter / 2.0)
        return other.reshape(count, channels, frames, height, width).transpose(1, 2)
