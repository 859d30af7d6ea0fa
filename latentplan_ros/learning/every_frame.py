"""What a network makes of each picture of a dataset, once and for all."""

from collections.abc import Callable

import numpy as np
import torch

from latentplan_ros.data.dataset import Dataset

_AT_ONCE = 1024


@torch.no_grad()
def every_frame(
    dataset: Dataset, encode: Callable[[torch.Tensor], torch.Tensor], device: torch.device
) -> torch.Tensor:
    """encode: ``uint8 [B,3,S,S]`` on ``device`` to ``[B,D]``. Returns ``[F,D]`` in main memory."""
    parts = []
    for start in range(0, dataset.num_frames, _AT_ONCE):
        rows = np.arange(start, min(start + _AT_ONCE, dataset.num_frames))
        images = torch.from_numpy(dataset.images(rows).transpose(0, 3, 1, 2).copy())
        parts.append(encode(images.to(device)).cpu())
    return torch.cat(parts)
