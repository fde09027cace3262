"""How a condition enters a feature map, and how weights start.

Shapes: N pictures, C channels, H x W pixels, S style width (noise and condition vector), M spatial
condition channels. Maps hold the spatial condition at every resolution.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cgan.networks.norms import Norm
from cgan.networks.spatial import Maps

Init = Literal["normal", "orthogonal"]
GROUP = 4  # pictures among which a minibatch's standard deviation is taken


class Modulation(nn.Module):
    """Normalise, then scale and shift by the style (conditional batch norm; de Vries et al. 2017) and, at
    every pixel, by the spatial condition (SPADE; Park et al. 2019, equation 1)."""

    def __init__(self, channels: int, style_dim: int, spatial_channels: int, norm: Norm, hidden: int):
        """`hidden`: width of the layer between spatial condition and modulation; 0 for none, where the
        condition comes encoded."""
        super().__init__()
        self.norm = norm.layer(channels, affine=False)
        self.style = norm.weight(nn.Linear(style_dim, 2 * channels)) if style_dim else None
        self.spatial = None
        if spatial_channels:
            layers = []
            if hidden:
                layers = [norm.weight(nn.Conv2d(spatial_channels, hidden, 3, padding=1)), nn.ReLU()]
            last = norm.weight(nn.Conv2d(hidden or spatial_channels, 2 * channels, 3, padding=1))
            self.spatial = nn.Sequential(*layers, last)

    def forward(self, x: Tensor, style: Tensor, spatial: Maps | None) -> Tensor:
        """[N, C, H, W], [N, S], maps [N, M, H, W] -> [N, C, H, W]."""
        scale_shift = self.style(style)[:, :, None, None] if self.style is not None else 0.0
        if self.spatial is not None:
            scale_shift = scale_shift + self.spatial(spatial[int(x.shape[-1])])
        scale, shift = scale_shift.chunk(2, dim=1)
        return torch.addcmul(shift, self.norm(x), 1 + scale)


class Concatenation(nn.Module):
    """Normalise, apply ReLU, and append the condition to the channels, as in the article."""

    def __init__(self, channels: int, vector_dim: int, spatial_channels: int, norm: Norm):
        super().__init__()
        self.norm = norm.layer(channels)
        self.out_channels = channels + vector_dim + spatial_channels

    def forward(self, x: Tensor, vector: Tensor | None, spatial: Maps | None) -> Tensor:
        """[N, C, H, W], [N, D], maps [N, M, H, W] -> [N, C + D + M, H, W]."""
        parts = [F.relu(self.norm(x))]
        if vector is not None:
            parts.append(vector[:, :, None, None].expand(-1, -1, *x.shape[2:]).to(x.dtype))
        if spatial is not None:
            parts.append(spatial[int(x.shape[-1])].to(x.dtype))
        return torch.cat(parts, dim=1)


class TransposedConv2d(nn.ConvTranspose2d):
    """A 4x4 transposed convolution to a map twice as large, computed as suits oneDNN on a CPU: its gradient
    of the bias takes longer than all others, so the bias is added apart; and it is slow to make a single
    channel, or the three of a picture, which are therefore one matrix product, whose 4x4 patches are summed
    where they overlap. (With three, the gradient of that is slower still.)"""

    def __init__(self, width: int, out: int):
        super().__init__(width, out, 4, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C', 2H, 2W]."""
        if self.out_channels <= (1 if torch.is_grad_enabled() else 3):
            patches = self.weight.flatten(1).mT @ x.flatten(2)  # [N, 16 C', H W]
            size = [2 * side for side in x.shape[2:]]
            y = F.fold(patches, size, self.kernel_size, padding=self.padding, stride=self.stride)
        else:
            y = F.conv_transpose2d(x, self.weight, None, self.stride, self.padding)
        return y.add_(_as_map(self.bias, y))


class StridedConv2d(nn.Conv2d):
    """A 4x4 convolution to a map half as large, computed as suits oneDNN on a CPU: the gradient for the few
    channels of a picture is slow there, so where one is wanted it is the same convolution as one of 2x2 over
    blocks of 2x2 pixels."""

    def __init__(self, width: int, out: int):
        super().__init__(width, out, 4, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C', H / 2, W / 2]."""
        if x.requires_grad and self.in_channels <= 3 and not (x.shape[2] % 2 or x.shape[3] % 2):
            blocks = F.pixel_unshuffle(F.pad(x, (1, 1, 1, 1)), 2)  # [N, 4 C, H / 2 + 1, W / 2 + 1]
            return F.conv2d(blocks, F.pixel_unshuffle(self.weight, 2), self.bias)
        return super().forward(x)


class UpConv2d(nn.Conv2d):
    """A 3x3 convolution of the feature map made twice as large by repetition, computed as the one transposed
    convolution that it is: each pixel of the result has 4 different neighbours, not 9."""

    def __init__(self, width: int, out: int):
        super().__init__(width, out, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C', 2H, 2W]."""
        y = F.conv_transpose2d(x, self.kernel(), None, stride=2, padding=1)
        return y.add_(_as_map(self.bias, y))

    def kernel(self) -> Tensor:
        """[C, C', 4, 4]: a 3x3 kernel spread over the 2x2 pixels that repetition makes of one."""
        spread = F.pad(self.weight.flip(2, 3).transpose(0, 1), (1, 1, 1, 1))
        rows = spread[:, :, 1:] + spread[:, :, :-1]
        return rows[..., 1:] + rows[..., :-1]


def _as_map(bias: Tensor, y: Tensor) -> Tensor:
    """[C] -> [C, 1, 1] in the number format of `y`: a sum of two formats is many times slower on a CPU."""
    return bias.to(y.dtype)[:, None, None]


class MinibatchStd(nn.Module):
    """Append the mean standard deviation over groups of pictures as a channel, so that a batch without
    variety is seen as such (Karras et al. 2018, section 3). Groups are neighbours in the batch."""

    def __init__(self, group: int = GROUP):
        super().__init__()
        self.group = group

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C + 1, H, W]. A batch that is no multiple of the group is one group per
        picture."""
        n, _, h, w = x.shape
        group = self.group if n % self.group == 0 else 1
        groups = x.float().unflatten(0, (-1, group))  # [N / G, G, C, H, W]
        spread = (groups.var(1, unbiased=False) + 1e-8).sqrt().mean((1, 2, 3))  # [N / G]
        spread = spread.repeat_interleave(group)[:, None, None, None].expand(n, 1, h, w)
        return torch.cat([x, spread.to(x.dtype)], dim=1)


def initialise(network: nn.Module, init: Init) -> None:
    """Start every weight: normal(0, 0.02) (DCGAN; Radford et al. 2016) or orthogonal (BigGAN; Brock et al.
    2019)."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            with torch.no_grad():
                weight = (
                    module.weight.normal_(0, 0.02) if init == "normal" else nn.init.orthogonal_(module.weight)
                )
            if nn.utils.parametrize.is_parametrized(module):
                module.weight = weight
            if module.bias is not None:
                nn.init.zeros_(module.bias)
