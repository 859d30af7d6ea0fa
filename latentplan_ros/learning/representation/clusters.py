"""k-means of a few values, the same every time."""

import torch


def k_means(values: torch.Tensor, count: int, rounds: int) -> torch.Tensor:
    """Centres ``[count,D]`` of values ``[N,D]``.

    They begin as far from one another as they can, so that a rare colour gets a centre too, and are
    moved to the mean of what is nearest for so many rounds (Lloyd's algorithm). Where there are
    fewer different values, some centres are the same.
    """
    centres = values.mean(0, keepdim=True)
    for _ in range(count):
        furthest = torch.cdist(values, centres).amin(1).argmax()
        centres = torch.cat([centres, values[furthest][None]])
    centres = centres[1:]  # the mean is only where looking for the furthest began
    for _ in range(rounds):
        members = torch.cdist(values, centres).argmin(1)
        sums = torch.zeros_like(centres).index_add(0, members, values)
        sizes = members.bincount(minlength=count)[:, None]
        centres = torch.where(sizes > 0, sums / sizes.clamp_min(1), centres)
    return centres
