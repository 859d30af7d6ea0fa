"""How far what the model imagined is from what was seen."""

from collections import deque

import torch

PENDING = 16  # plans whose outcome has not been seen yet


class ModelError:
    """Compares the situation that each action was to lead to with the picture that shows it.

    An action sent at one time has had its control period a period later, so what its plan imagined
    after it is compared with the picture nearest to that time, if one comes within half a period.
    The error is the root mean square over a latent's numbers. Ours have a spread of 1, so that two
    pictures that have nothing to do with each other differ by about 1.4.
    """

    def __init__(self, period_s: float) -> None:
        self._period = period_s
        self._pending: deque[tuple[float, torch.Tensor]] = deque(maxlen=PENDING)

    def imagined(self, sent: float, latent: torch.Tensor) -> None:
        """``latent [D]``: expected one period after the action that left at ``sent`` (s)."""
        self._pending.append((sent + self._period, latent))

    def seen(self, stamp: float, latent: torch.Tensor) -> list[float]:
        """A picture's encoding ``[D]``; the errors of what was imagined for about its ``stamp``."""
        errors = []
        half = self._period / 2
        while self._pending and self._pending[0][0] <= stamp + half:
            due, expected = self._pending.popleft()
            if abs(due - stamp) <= half:
                errors.append(float((expected - latent).square().mean().sqrt()))
        return errors
