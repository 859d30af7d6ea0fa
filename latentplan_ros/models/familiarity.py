"""Whether a picture is of the kind that a model has learned from."""

import numpy as np
import torch

from latentplan_ros.data.dataset import Dataset
from latentplan_ros.models.latent_world_model import LatentWorldModel

MOST_FRAMES, BATCH = 2000, 200


@torch.inference_mode()
def reconstruction_rms(model: LatentWorldModel, images: torch.Tensor) -> torch.Tensor:
    """``uint8 [B,3,64,64]``: how far each is from what the model draws of its encoding, ``[B]``.

    Root mean square over pixels and colours in [0, 1]. An encoder makes some latent of any picture;
    that it has never seen the like shows in what is left of it.
    """
    drawn = model.decoder(model.encoder(images)).clamp(0.0, 1.0)
    return (drawn - images.float() / 255.0).square().mean((1, 2, 3)).sqrt()


def usual_rms(model: LatentWorldModel, dataset: Dataset, episodes: np.ndarray) -> float:
    """What 99 % of the episodes' pictures stay below, by at most 2000 evenly spaced ones."""
    frames = dataset.frames(episodes)
    frames = frames[:: -(-len(frames) // MOST_FRAMES)]
    device, found = next(model.parameters()).device, []
    for rows in np.array_split(frames, max(1, len(frames) // BATCH)):
        images = torch.from_numpy(dataset.images(rows).transpose(0, 3, 1, 2).copy())
        found.append(reconstruction_rms(model, images.to(device)).cpu())
    return float(torch.cat(found).quantile(0.99))
