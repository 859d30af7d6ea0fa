"""Action noise that is smooth over time, as the random policy's that collected the data."""

import torch


def filter_matrix(horizon: int, beta: float) -> torch.Tensor:
    """``float32 [H, H+1]``: maps unit noise to smoothed noise, a_t = beta eps_t + (1-beta) a_(t-1).

    Column 0 belongs to a_(-1), which is drawn unfiltered, so the first action has the distribution
    of the first action of an episode of control.exploration.SmoothedRandomPolicy.
    Source: MBOLD A.2 and A.3, beta = 0.5; the filter of Nagabandi et al. 2020.
    """
    matrix = torch.zeros(horizon, horizon + 1)
    row = torch.zeros(horizon + 1)
    row[0] = 1.0
    for step in range(horizon):
        row = (1.0 - beta) * row
        row[step + 1] += beta
        matrix[step] = row
    return matrix


def smoothed_noise(
    count: int, matrix: torch.Tensor, std: torch.Tensor, generator: torch.Generator | None
) -> torch.Tensor:
    """``[count, H, A]`` smoothed Gaussian noise; std ``[A]`` is that of the noise before smoothing.

    Drawn on the generator's device (the CPU if there is none) and moved to that of ``std``, so that
    one seed gives one plan on every device.
    """
    device = generator.device if generator is not None else torch.device("cpu")
    raw = torch.randn(count, matrix.shape[1], len(std), generator=generator, device=device)
    return torch.matmul(matrix, raw.to(std.device)) * std
