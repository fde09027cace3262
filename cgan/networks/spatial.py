"""A spatial condition at every resolution at which the generator wants it.

Shapes: N pictures, M condition channels, E encoded channels, H x W pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import torch.nn.functional as F
from torch import Tensor, nn

from cgan.networks.norms import Norm

Maps: TypeAlias = Mapping[int, Tensor]
"""By height in pixels, a spatial condition [N, M, H, W]. The heights are made whole numbers where maps are
looked up: while TorchScript records, sizes are tensors."""


def resized(spatial: Tensor, resolutions: Sequence[int]) -> Maps:
    """A spatial condition [N, M, ...] averaged down, or repeated up, to each resolution."""
    return {
        size: spatial if spatial.shape[-1] == size else F.adaptive_avg_pool2d(spatial, size)
        for size in resolutions
    }


class SpatialEncoder(nn.Module):
    """A convolutional encoder whose feature map of each resolution enters the generator there, as the
    encoder's half of a U-Net does (pix2pix; Isola et al. 2017, section 3.2.1)."""

    def __init__(self, channels: int, hidden: int, size: int, resolutions: Sequence[int], norm: Norm):
        """`resolutions` are `size`, or halves of it, halves of those, and so on."""
        super().__init__()
        self.size, self.resolutions = size, resolutions
        self.enter = None
        if size in resolutions:
            self.enter = norm.weight(nn.Conv2d(channels, hidden, 3, padding=1))
            channels = hidden
        self.down = nn.ModuleDict()
        while size > min(resolutions):
            size //= 2
            self.down[str(size)] = norm.weight(nn.Conv2d(channels, hidden, 4, stride=2, padding=1))
            channels = hidden

    def forward(self, spatial: Tensor) -> Maps:
        """[N, M, H, W] -> a map [N, E, R, R] for every resolution R."""
        x, maps = resized(spatial, [self.size])[self.size], {}
        if self.enter is not None:
            x = maps[self.size] = F.leaky_relu(self.enter(x), 0.2)
        for size, conv in self.down.items():
            x = maps[int(size)] = F.leaky_relu(conv(x), 0.2)
        return {size: maps[size] for size in self.resolutions}
