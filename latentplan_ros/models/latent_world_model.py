"""The latent world model: encoder, open-loop dynamics, decoder for people, distance on latents."""

from typing import Any

import torch
from torch import nn

from latentplan_ros.models.behaviour_cloning import BehaviourCloning
from latentplan_ros.models.dreamer_policy import DreamerPolicy
from latentplan_ros.models.iqe_distance import IqeDistance
from latentplan_ros.models.mahalanobis_distance import MahalanobisDistance
from latentplan_ros.models.networks import Decoder, Dynamics, Encoder, imagine
from latentplan_ros.models.plan2vec_distance import Plan2vecDistance
from latentplan_ros.models.points import PointDecoder, PointEncoder
from latentplan_ros.models.q_distance import QDistance
from latentplan_ros.models.q_policy import QPolicy
from latentplan_ros.models.q_sfa_distance import QSfaDistance
from latentplan_ros.models.rig_policy import RigPolicy
from latentplan_ros.models.sorb_distance import SorbDistance
from latentplan_ros.models.temporal_distance import TemporalDistance
from latentplan_ros.models.vae_distance import VaeDistance
from latentplan_ros.models.value_distance import ValueDistance
from latentplan_ros.models.world_model import nowhere

HEADS: dict[str, type[nn.Module]] = {
    "q": QDistance,
    "q_sfa": QSfaDistance,
    "value": ValueDistance,
    "temporal": TemporalDistance,
    "iqe": IqeDistance,
    "vae": VaeDistance,
    "mahalanobis": MahalanobisDistance,
    "plan2vec": Plan2vecDistance,
    "sorb": SorbDistance,
    "gcbc": BehaviourCloning,
    "q_policy": QPolicy,
    "rig": RigPolicy,
    "dreamer": DreamerPolicy,
}
POLICIES = (BehaviourCloning, QPolicy, RigPolicy, DreamerPolicy)  # these measure nothing


class PictureError(ValueError):
    """Pictures of another type or shape than a model learned from; the message gives both."""


class DistanceError(ValueError):
    """A model that holds a policy was asked for a distance; the message says what to train."""


class LatentWorldModel(nn.Module):
    """Built from a plain spec, so that a checkpoint's header is all it takes to rebuild it.

    Its latents are an encoded picture, the action that led to it, which is the part of the arm's
    motion that a single picture does not show, and with an ensemble how far its members have come
    apart on the way there (0 for a picture): the root mean square over an encoding's numbers
    of the members' standard deviation. The encoding is their mean.

    spec: {"latent", "channels", "hidden", "layers", "points": how many of them, two numbers of the
    latent each, 0 if left out (points.py), "distance": {"kind": one of HEADS, and its
    sizes} or None, "members": of the ensemble of dynamics, 1 if left out, "pessimism": time steps
    that the distance grows by for each unit of disagreement, 0 if left out}. Without a distance of
    its own it measures l2 between latents.
    """

    def __init__(self, spec: dict[str, Any]) -> None:
        super().__init__()
        self.spec = spec
        latent = spec["latent"]
        points = [spec["points"]] if spec.get("points") else []
        encoder, decoder = (PointEncoder, PointDecoder) if points else (Encoder, Decoder)
        self.encoder = encoder(latent, spec["channels"], *points)
        sizes = latent, spec["hidden"], spec["layers"]
        self.dynamics = Dynamics(*sizes)
        others = spec.get("members", 1) - 1
        self.other_dynamics = nn.ModuleList(Dynamics(*sizes) for _ in range(others))
        self.decoder = decoder(latent, spec["channels"], *points)
        self.head: nn.Module | None = None
        if spec.get("distance"):
            options = dict(spec["distance"])
            self.head = HEADS[options.pop("kind")](latent, **options)

    def encode(self, images: torch.Tensor, last: torch.Tensor | None = None) -> torch.Tensor:
        """As in WorldModel. Raises PictureError: floats in [0, 1] would be read as black."""
        require_pictures(images)
        seen = self.encoder(images)
        parts = [seen, seen.new_zeros(len(seen), 4) if last is None else last]
        if self.other_dynamics:
            parts.append(seen.new_zeros(len(seen), 1))
        return torch.cat(parts, dim=1)

    @property
    def members(self) -> list[nn.Module]:
        """The ensemble's, or the one that there is."""
        return [self.dynamics, *self.other_dynamics]

    def rollout(self, latent: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        size = self.spec["latent"]
        seen, last = latent[:, : size + 4].expand(len(actions), -1).split([size, 4], dim=1)
        futures = imagine(self.members, seen, last, actions)
        if not self.other_dynamics:
            return torch.cat([futures[0], actions], dim=2)
        apart = futures.var(0, correction=0).mean(-1, keepdim=True).sqrt()
        # What the future was in doubt before, where a rollout goes on from another's end.
        apart = apart + latent[:, None, -1:]
        return torch.cat([futures.mean(0), actions, apart], dim=2)

    def require_distance(self) -> None:
        """Raises DistanceError where the head is a policy."""
        if isinstance(self.head, POLICIES):
            kind = self.spec["distance"]["kind"]
            raise DistanceError(
                f"this checkpoint holds a policy ({kind}) and no distance to plan with: evaluate "
                f"it with --method {kind}, or train a distance, as `latentplan train mbold` does"
            )

    def distance(self, latent: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        """As in WorldModel. Raises DistanceError."""
        self.require_distance()
        if isinstance(self.head, VaeDistance):
            return self.head(self.decode(latent), self.decode(goal))
        seen = self.spec["latent"]
        doubt = self.spec.get("pessimism", 0.0) * latent[:, -1] if self.other_dynamics else 0.0
        latent, goal = latent[:, :seen], goal[:, :seen].expand(latent.shape[0], -1)
        if self.head is None:
            return (latent - goal).norm(dim=-1) + doubt
        return self.head(latent, goal) + doubt

    def arrived(self, latent: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        """As in WorldModel; nowhere by a head that does not say it."""
        if not isinstance(self.head, QSfaDistance):
            return nowhere(latent)
        return self.head.arrived(self._seen(latent), self._seen(goal))

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        seen = latents[..., : self.spec["latent"]]
        flat = self.decoder(seen.reshape(-1, seen.shape[-1])).clamp(0.0, 1.0)
        return flat.reshape(*latents.shape[:-1], *flat.shape[1:])

    def _seen(self, latent: torch.Tensor) -> torch.Tensor:
        """The encodings of what a latent shows, ``[N,D]`` to ``[N, spec["latent"]]``."""
        return latent[:, : self.spec["latent"]]


def require_pictures(images: torch.Tensor) -> None:
    """Raises PictureError for what is not ``uint8 [B,3,64,64]``."""
    if images.dtype != torch.uint8 or images.shape[1:] != (3, 64, 64):
        raise PictureError(
            f"pictures are {images.dtype} {list(images.shape)}; "
            "this model encodes uint8 [B, 3, 64, 64]"
        )
