"""A world model that imagines pictures, as the paper's does: its latents are images."""

from typing import Any

import torch

from latentplan_ros.models.latent_world_model import LatentWorldModel, require_pictures
from latentplan_ros.models.video_prediction import PIXELS, SIDE, VideoPredictor

# Candidates imagined at once on a CPU: larger batches fall out of its caches.
_AT_ONCE = 128


class VideoWorldModel(LatentWorldModel):
    """Video prediction for dynamics; the distance is the latent model's, of the imagined pictures.

    Its latents are a picture, the first picture of the prediction, the recurrent state, and the
    action that led to the picture. Encoder and head are those of the latent model in the same file,
    which learned the distance; its latent dynamics are not asked.

    spec: that of LatentWorldModel, ``kind`` "video", and ``video``, the sizes of VideoPredictor.
    """

    def __init__(self, spec: dict[str, Any]) -> None:
        super().__init__(spec)
        self.video = VideoPredictor(**spec["video"])
        self._parts = [PIXELS, PIXELS, self.video.state_size, 4]

    def encode(self, images: torch.Tensor, last: torch.Tensor | None = None) -> torch.Tensor:
        """As in WorldModel. Raises PictureError."""
        require_pictures(images)
        picture = images.flatten(1).float() / 255.0
        state = picture.new_zeros(len(picture), self.video.state_size)
        last = picture.new_zeros(len(picture), 4) if last is None else last
        return torch.cat([picture, picture, state, last], dim=1)

    def rollout(self, latent: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        at_once = _AT_ONCE if actions.device.type == "cpu" else len(actions)
        starts = latent.expand(len(actions), -1).split(at_once)
        chunks = zip(starts, actions.split(at_once), strict=True)
        return torch.cat([self._imagine(start, chunk) for start, chunk in chunks])

    def distance(self, latent: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        """As in WorldModel: between the encodings of both pictures. Raises DistanceError."""
        return super().distance(self._seen(latent), self._seen(goal))

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        return latents[..., :PIXELS].unflatten(-1, (3, SIDE, SIDE)).clamp(0.0, 1.0)

    def _imagine(self, latent: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        # A GPU spends most of a rollout on moving numbers about, so half of their bytes take little
        # more than half the time. Pictures have eight bits, and the rest is normed or squashed.
        number = torch.float16 if actions.device.type == "cuda" else torch.float32
        weights = {name: value.to(number) for name, value in self.video.named_parameters()}
        flat, start, state, last = latent.to(number).split(self._parts, dim=1)
        picture, first = (p.unflatten(1, (3, SIDE, SIDE)) for p in (flat, start))
        latents = latent.new_empty(*actions.shape[:2], latent.shape[1])
        for step, action in enumerate(actions.to(number).unbind(dim=1)):
            now = picture, first, state, torch.cat([last, action], dim=1)
            picture, state = torch.func.functional_call(self.video, weights, now)
            last = action
            place = 0
            for part in (picture.flatten(1), start, state, last):
                latents[:, step, place : place + part.shape[1]] = part
                place += part.shape[1]
        return latents

    def _seen(self, latent: torch.Tensor) -> torch.Tensor:
        """``[N, ...]`` to the encodings of its pictures, ``[N, spec["latent"]]``."""
        return self.encoder(255.0 * self.decode(latent))
