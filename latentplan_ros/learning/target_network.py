"""A network that follows another slowly, to be a steady target for it (He et al. 2020)."""

from copy import deepcopy
from typing import Any

import torch
from torch import nn


class TargetNetwork(nn.Module):
    """A copy that no gradient reaches; ``network`` is the copy itself."""

    def __init__(self, source: nn.Module) -> None:
        super().__init__()
        self.network: Any = deepcopy(source).requires_grad_(False)

    def forward(self, *inputs: torch.Tensor) -> Any:
        with torch.no_grad():
            return self.network(*inputs)

    @torch.no_grad()
    def follow(self, source: nn.Module, rate: float) -> None:
        """Moves each weight by ``rate`` (0 to 1) of the way to the source's; buffers are copied.

        Call it after every update of the source. Rate 0.01 is what papers write as momentum 0.99.
        """
        weights: list[torch.Tensor] = list(self.network.parameters())
        leaders: list[torch.Tensor] = list(source.parameters())
        # All at once: a GPU has done with one weight before a CPU has asked for the next.
        torch._foreach_lerp_(weights, leaders, rate)
        for own, other in zip(self.network.buffers(), source.buffers(), strict=True):
            own.copy_(other)
