"""Action-conditioned video prediction: earlier pixels, moved by learned kernels and put together.

The deterministic predictor of the SAVP family (Lee et al. 2018), which MBOLD plans with: a
convolutional LSTM looks at the last picture, the first one and the action; from its features come
kernels that move the last picture's pixels (CDNA, Finn et al. 2016), a picture painted anew, and
the masks that choose among these, the last and the first picture at each pixel.
"""

import torch
from torch import nn
from torch.nn import functional as F

SIDE = 64
PIXELS = 3 * SIDE * SIDE


class ConvLSTM(nn.Module):
    """One convolutional LSTM cell. Its state is ``[B, 2C, S, S]``: what it puts out, and cells."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.gates = nn.Conv2d(inputs + outputs, 4 * outputs, 3, padding=1)

    def forward(self, features: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        hidden, cells = state.chunk(2, dim=1)
        gates = self.gates(torch.cat([features, hidden], dim=1))
        take, keep, put, new = gates.chunk(4, dim=1)
        # A cell keeps what it knows unless it learns to let go.
        cells = torch.sigmoid(keep + 1.0) * cells + torch.sigmoid(take) * torch.tanh(new)
        return torch.cat([torch.sigmoid(put) * torch.tanh(cells), cells], dim=1)


def halve(inputs: int, outputs: int) -> nn.Sequential:
    """To half the size, normed over each picture by itself."""
    convolution = nn.Conv2d(inputs, outputs, 4, 2, 1)
    return nn.Sequential(convolution, nn.GroupNorm(1, outputs), nn.SiLU())


def double(inputs: int, outputs: int) -> nn.Sequential:
    """To twice the size, normed over each picture by itself."""
    convolution = nn.ConvTranspose2d(inputs, outputs, 4, 2, 1)
    return nn.Sequential(convolution, nn.GroupNorm(1, outputs), nn.SiLU())


class VideoPredictor(nn.Module):
    """The next picture from the last one, the first one, and what was and is commanded.

    filters: channels at full size, doubled with each halving; kernels: how many, each of
    kernel_size pixels a side, an odd number.
    """

    def __init__(self, filters: int, kernels: int, kernel_size: int) -> None:
        super().__init__()
        if kernel_size % 2 == 0:
            raise ValueError(
                f"kernel_size must be odd, so that a kernel has a centre: {kernel_size}"
            )
        n = filters
        self.kernels, self.kernel_size = kernels, kernel_size
        self.down = nn.ModuleList([halve(6 + 8, n), halve(n + 8, 2 * n), halve(2 * n + 8, 4 * n)])
        self.middle = ConvLSTM(2 * n, 2 * n)
        self.bottom = ConvLSTM(4 * n, 4 * n)
        self.up = nn.ModuleList([double(4 * n, 2 * n), double(4 * n, n), double(2 * n, n)])
        self.to_kernels = nn.Linear(4 * n * 8 * 8, kernels * kernel_size**2)
        self.to_painting_and_masks = nn.Conv2d(n, 3 + kernels + 3, 3, padding=1)
        # At first every pixel stays what and where it was.
        with torch.no_grad():
            centred = self.to_kernels.bias.view(kernels, kernel_size, kernel_size)
            centred[:, kernel_size // 2, kernel_size // 2] += 6.0
            assert self.to_painting_and_masks.bias is not None
            self.to_painting_and_masks.bias[3 + kernels] += 3.0
        self.shapes = ((4 * n, SIDE // 4, SIDE // 4), (8 * n, SIDE // 8, SIDE // 8))
        self.state_size = sum(c * h * w for c, h, w in self.shapes)

    def forward(
        self,
        picture: torch.Tensor,
        first: torch.Tensor,
        state: torch.Tensor,
        actions: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """One step: the next picture and state.

        picture, first: ``[B,3,64,64]`` in [0, 1]; state: ``[B, state_size]``, zeros before the
        first step; actions: ``[B,8]``, the action that led to ``picture``, then the next one.
        """
        images, masks, state = self.parts(picture, first, state, actions)
        return (images * masks.unsqueeze(2)).sum(dim=1), state

    def parts(
        self,
        picture: torch.Tensor,
        first: torch.Tensor,
        state: torch.Tensor,
        actions: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """What the next picture is put together from: ``[B,K+3,3,64,64]``, ``[B,K+3,64,64]``, and
        the next state. The K moved pictures come first, then last, first and painted picture.
        """
        middle, bottom = (
            part.unflatten(1, shape)
            for part, shape in zip(
                state.split([c * h * w for c, h, w in self.shapes], dim=1), self.shapes, strict=True
            )
        )
        half = self.down[0](_with(torch.cat([picture, first], dim=1) - 0.5, actions))
        middle = self.middle(self.down[1](_with(half, actions)), middle)
        quarter = middle.chunk(2, dim=1)[0]
        bottom = self.bottom(self.down[2](_with(quarter, actions)), bottom)
        eighth = bottom.chunk(2, dim=1)[0]
        features = self.up[0](eighth)
        features = self.up[1](torch.cat([features, quarter], dim=1))
        features = self.up[2](torch.cat([features, half], dim=1))

        painted, masks = self.to_painting_and_masks(features).tensor_split([3], dim=1)
        images = torch.cat(
            [
                self._moved(picture, self.to_kernels(eighth.flatten(1))),
                torch.stack([picture, first, torch.sigmoid(painted)], dim=1),
            ],
            dim=1,
        )
        return (
            images,
            torch.softmax(masks, dim=1),
            torch.cat([middle.flatten(1), bottom.flatten(1)], dim=1),
        )

    def _moved(self, picture: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Each picture by each of its own kernels, whose weights sum to one: ``[B,K,3,64,64]``."""
        count, k, size = len(picture), self.kernels, self.kernel_size
        weights = torch.softmax(weights.view(count * k, size * size), dim=1)
        padded = F.pad(picture, [size // 2] * 4, mode="replicate")
        # One group a picture; its three colours are a batch of their own.
        moved = F.conv2d(padded.transpose(0, 1), weights.view(-1, 1, size, size), groups=count)
        return moved.view(3, count, k, SIDE, SIDE).permute(1, 2, 0, 3, 4)


def _with(features: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
    """The features, and the actions at each of their places."""
    places = actions[:, :, None, None].expand(-1, -1, *features.shape[2:])
    return torch.cat([features, places], dim=1)
