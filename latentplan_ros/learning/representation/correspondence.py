"""Where each pixel of one picture is in another, from the features of both."""

import torch
from torch import nn
from torch.nn import functional

from latentplan_ros.learning.representation.correlation import correlation_volume
from latentplan_ros.learning.representation.warp import warped

_RADIUS = 4  # cells around each that are looked at: a quarter of the maps' side
_EDGE = 10.0  # of the pictures' change by which smoothness is let go, with colours in [0, 1]


class Correspondence(nn.Module):
    """The correspondence estimation module C (PSRL, Choi et al. 2023, supplement, table 3).

    Layers are in the table's order and named as there. The table gives stride 1 to every
    convolution and upsamples three times behind them, which would end in flows larger than these
    pictures; here conv2p and conv3p halve their maps, as in FlowNet, whose layout it is, and the
    flow comes out at twice the coarse maps' size. What is concatenated is brought to the size of
    the deconvolved map. Widths are the table's, divided by ``narrower``.
    """

    def __init__(self, fine: int, coarse: int, narrower: int) -> None:
        """fine, coarse: channels of the encoder's maps (``pyramid``)."""
        super().__init__()
        w = [width // narrower for width in (32, 256, 512, 256, 128, 130)]
        self.reduced = _normalised(coarse, w[0], kernel=1)
        self.conv1 = _normalised(w[0] + (2 * _RADIUS + 1) ** 2, w[1])
        self.conv2p = _normalised(w[1], w[2], stride=2)
        self.conv2 = _normalised(w[2], w[2])
        self.conv3p = _normalised(w[2], w[2], stride=2)
        self.conv3 = _normalised(w[2], w[2])
        self.correspondence3 = _flow(w[2])
        self.conv3d = _doubled(w[2], w[3])
        conc3 = w[2] + w[3] + 2
        self.correspondence2 = _flow(conc3)
        self.conc3d = _doubled(conc3, w[4])
        conc2 = w[1] + w[4] + 2
        self.correspondence1 = _flow(conc2)
        self.conc2d = _doubled(conc2, w[5])
        self.correspondence0 = _flow(fine + w[5] + 2)
        nn.init.zeros_(self.correspondence0.weight)  # at first nothing moves
        # With channels last these narrow layers take three quarters of the time on CPUs.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(
        self, fine_a: torch.Tensor, a: torch.Tensor, b: torch.Tensor, size: tuple[int, int]
    ) -> torch.Tensor:
        """c_{a->b}, ``[B,2,H,W]``: x and y in pixels of pictures of ``size`` (height, width).

        fine_a: the fine map of a; a, b: the coarse maps of both.
        """
        fine_a, a = (maps.contiguous(memory_format=torch.channels_last) for maps in (fine_a, a))
        volume = correlation_volume(a, b, _RADIUS)
        conv1 = self.conv1(torch.cat([self.reduced(a), volume], dim=1))
        conv2 = self.conv2(self.conv2p(conv1))
        conv3 = self.conv3(self.conv3p(conv2))
        conc3 = _joined(self.conv3d(conv3), conv2, self.correspondence3(conv3))
        conc2 = _joined(self.conc3d(conc3), conv1, self.correspondence2(conc3))
        conc1 = _joined(self.conc2d(conc2), fine_a, self.correspondence1(conc2))
        cells = functional.interpolate(
            self.correspondence0(conc1), size, mode="bilinear", align_corners=False
        )
        return cells * (size[0] / a.shape[2])  # the layers count in cells of the coarse maps


def correspondence_loss(
    flow: torch.Tensor, a: torch.Tensor, b: torch.Tensor, smoothness: float
) -> torch.Tensor:
    """L_r(c_{a->b}) = |I_a(p) - I_b(p + c_{a->b})| + L_reg, the mean over pixels and colours.

    flow: c_{a->b} ``[B,2,H,W]`` in pixels; a, b: pictures ``[B,3,H,W]`` in [0, 1]. L_reg, which
    the paper leaves open, is how much the flow changes from pixel to pixel, less where the picture
    changes too: things move as wholes, and have edges.
    """
    wrong = (a - warped(b, flow)).abs().mean()
    rough = flow.new_zeros(())
    for axis in (2, 3):
        edge = (-_EDGE * a.diff(dim=axis).abs().mean(1, keepdim=True)).exp()
        rough = rough + (edge * flow.diff(dim=axis).abs()).mean()
    return wrong + smoothness * rough


def _normalised(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.LeakyReLU(0.1),
    )


def _flow(inputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, 2, 3, 1, 1)


def _doubled(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.ConvTranspose2d(inputs, outputs, 4, 2, 1), nn.LeakyReLU(0.1))


def _joined(doubled: torch.Tensor, *others: torch.Tensor) -> torch.Tensor:
    """All in one, as large as the first."""
    size = doubled.shape[2:]
    brought = [
        other  # to interpolate to the same size would take time and change nothing
        if other.shape[2:] == size
        else functional.interpolate(other, size, mode="bilinear", align_corners=False)
        for other in others
    ]
    return torch.cat([doubled, *brought], dim=1)
