"""Action noise that is smooth over time, as the random policy's that collected the data."""

from functools import lru_cache

import torch


@lru_cache(maxsize=8)  # it is asked for in every iteration of every plan
def filter_matrix(horizon: int, beta: float, device: str | torch.device = "cpu") -> torch.Tensor:
    """``float32 [H, H+1]`` on ``device``: maps unit noise to smoothed noise,
    a_t = beta eps_t + (1-beta) a_(t-1).

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
    return matrix.to(device)


def smoothed_noise(
    count: int, matrix: torch.Tensor, std: torch.Tensor, generator: torch.Generator | None
) -> torch.Tensor:
    """``[count, H, A]`` smoothed Gaussian noise; std ``[A]`` is that of the noise before smoothing.

    Drawn on the generator's device (the CPU if there is none) and moved to that of ``std``, so that
    one seed gives one plan on every device.
    """
    device = generator.device if generator is not None else torch.device("cpu")
    raw = torch.randn(count, matrix.shape[1], len(std), generator=generator, device=device)
    return torch.matmul(matrix, moved(raw, std.device)) * std


def moved(noise: torch.Tensor, device: torch.device) -> torch.Tensor:
    """The same numbers there; the CPU does not wait until a GPU has fetched them."""
    if noise.device.type == "cpu" and device.type == "cuda":
        noise = noise.pin_memory()
    return noise.to(device, non_blocking=True)


def coloured_noise(
    shape: tuple[int, int, int], exponent: float, generator: torch.Generator | None
) -> torch.Tensor:
    """``[count, H, A]`` Gaussian noise of unit variance whose power falls with 1/f^exponent over
    time (Timmer and Koenig 1995; Pinneri et al. 2020). Drawn as ``smoothed_noise`` is."""
    count, horizon, width = shape
    device = generator.device if generator is not None else torch.device("cpu")
    frequencies = torch.fft.rfftfreq(horizon, device=device)
    frequencies[0] = 1.0 / horizon
    scale = frequencies ** (-exponent / 2.0)
    parts = torch.randn(2, count, width, len(scale), generator=generator, device=device)
    spectrum = torch.complex(parts[0], parts[1]) * scale
    # The first and, for an even horizon, the last frequency of a real signal have no phase.
    for edge in [0] if horizon % 2 else [0, -1]:
        spectrum[..., edge] = parts[0, ..., edge] * scale[edge] * 2.0**0.5
    power = 2.0 * scale.clone().square()
    power[1:] *= 2.0
    if horizon % 2 == 0:
        power[-1] /= 2.0
    noise: torch.Tensor = torch.fft.irfft(spectrum, n=horizon) * horizon / power.sum().sqrt()
    return noise.transpose(1, 2)
