"""Time contrast: moments of a window that shall be near in the embedding, and far (Sermanet et al.
2018)."""

import torch

FRAMES = 8  # of a window
POSITIVE_STEPS = 1  # a positive is at most so far from its anchor; the paper's 0.1 s at 10 Hz
MARGIN_STEPS = 2  # a negative is further away than that, twice as much, as in the paper


def triplets(count: int, device: torch.device) -> tuple[torch.Tensor, ...]:
    """Moments in windows: of anchors, positives and negatives, each int64 ``[count]``."""
    moments = torch.arange(FRAMES, device=device)
    apart = (moments[:, None] - moments).abs()
    anchor = torch.randint(FRAMES, (count,), device=device)
    near = (apart > 0) & (apart <= POSITIVE_STEPS)
    positive = near[anchor].float().multinomial(1).squeeze(1)
    negative = (apart > MARGIN_STEPS)[anchor].float().multinomial(1).squeeze(1)
    return anchor, positive, negative
