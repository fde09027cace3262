"""The generator: noise joined with the condition, a stack of upsampling blocks, the condition again at every
block.

Shapes: N pictures, Z noise width, D condition width, S style width (Z + D), C channels, H x W pixels,
K places that read the noise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cgan.networks.attention import SelfAttention
from cgan.networks.layers import Concatenation, Init, Modulation, TransposedConv2d, UpConv2d, initialise
from cgan.networks.norms import BatchNorm, Norm
from cgan.networks.reference import Reference
from cgan.networks.spatial import Maps, SpatialEncoder, resized
from cgan.types import Cond


@dataclass(frozen=True, kw_only=True)
class GeneratorOptions:
    """The generator's shape. `widths` are the channels of each level, from the smallest resolution up."""

    block: Literal["residual", "upsample", "transposed"] = "residual"  # ResidualUp, ConvUp, TransposedUp
    widths: tuple[int, ...] = (128, 64, 32)
    noise_dim: int = 100  # how many numbers
    noise: Literal["normal", "uniform"] = "normal"  # their distribution
    mapping: int = 0  # width of the layers that mix noise and condition before all others; 0 for none
    noise_in_blocks: bool = (
        True  # whether the noise modulates every block beside the condition, or enters once
    )
    spatial: Literal["resized", "encoded"] = (
        "resized"  # a spatial condition as it is, or through a convolutional encoder
    )
    spatial_hidden: int = 32  # width of the encoder, or of the layer before each modulation
    norm: Norm = BatchNorm()
    attention: tuple[int, ...] = ()  # resolutions that get self-attention
    to_image: Literal["convolution", "transposed"] = (
        "convolution"  # transposed doubles the resolution once more
    )
    output: Literal["tanh", "sigmoid"] = "tanh"  # pictures in [-1, 1] or in [0, 1]
    init: Init = "orthogonal"  # how weights start: `layers.initialise`

    def __post_init__(self):
        if self.noise_dim < 1 or not self.widths or min(self.widths) < 1 or self.spatial_hidden < 1:
            raise ValueError(
                "generator.noise_dim, generator.spatial_hidden and every one of generator.widths must be at "
                "least 1"
            )
        if self.mapping < 0:
            raise ValueError("generator.mapping must be at least 0")
        if self.mapping and (self.block == "transposed" or not self.noise_in_blocks):
            raise ValueError("generator.mapping needs noise in the blocks")

    @property
    def image_range(self) -> tuple[float, float]:
        """The values of black and white in the pictures made."""
        return (-1.0, 1.0) if self.output == "tanh" else (0.0, 1.0)

    def build(self, vector_dim: int, spatial_channels: int, size: int, channels: int) -> Generator:
        """A generator of size x size pictures. ValueError if the levels do not fit the size."""
        return Generator(self, vector_dim, spatial_channels, size, channels)


class Stem(nn.ConvTranspose2d):
    """A transposed convolution of the style seen as a 1x1 map, which is a matrix product and computed as
    one."""

    def __init__(self, style_dim: int, out_channels: int, size: int):
        super().__init__(style_dim, out_channels, size)

    def forward(self, style: Tensor) -> Tensor:
        """[N, S] -> [N, C, H, W]."""
        x = (style @ self.weight.flatten(1)).unflatten(1, self.weight.shape[1:])
        return (x + self.bias.to(x.dtype)[:, None, None]).contiguous(memory_format=torch.channels_last)


class MappingNetwork(nn.Module):
    """A residual mapping network (Karras et al. 2019, section 2), starting as the identity. Blocks read the
    style linearly, so noise alone can only interpolate between what the condition leaves open (hat or no
    hat); this MLP lets it choose."""

    def __init__(self, style_dim: int, hidden: int, norm: Norm):
        super().__init__()
        self.enter = norm.weight(nn.Linear(style_dim, hidden))
        self.middle = norm.weight(nn.Linear(hidden, hidden))
        self.leave = nn.Linear(hidden, style_dim)

    def forward(self, style: Tensor) -> Tensor:
        """[N, S] -> [N, S]."""
        x = F.leaky_relu(self.enter(style), 0.2)
        return style + self.leave(F.leaky_relu(self.middle(x), 0.2))


class ResidualUp(nn.Module):
    """Twice modulate, ReLU, convolve, with the upsampling in between; plus a 1x1 shortcut (BigGAN, figure
    15)."""

    def __init__(self, width: int, out: int, style_dim: int, spatial_channels: int, norm: Norm, hidden: int):
        super().__init__()
        self.enter1 = Modulation(width, style_dim, spatial_channels, norm, hidden)
        self.conv1 = norm.weight(UpConv2d(width, out))
        self.enter2 = Modulation(out, style_dim, spatial_channels, norm, hidden)
        self.conv2 = norm.weight(nn.Conv2d(out, out, 3, padding=1))
        self.shortcut = norm.weight(nn.Conv2d(width, out, 1, bias=False))

    def forward(self, x: Tensor, style: Tensor, spatial: Maps | None) -> Tensor:
        """[N, C, H, W], [N, S] -> [N, C', 2H, 2W]."""
        y = self.conv1(F.relu_(self.enter1(x, style, spatial)))
        y = self.conv2(F.relu_(self.enter2(y, style, spatial)))
        return y + F.interpolate(self.shortcut(x), scale_factor=2)


class ConvUp(nn.Module):
    """Modulate, ReLU, upsample, convolve."""

    def __init__(self, width: int, out: int, style_dim: int, spatial_channels: int, norm: Norm, hidden: int):
        super().__init__()
        self.enter = Modulation(width, style_dim, spatial_channels, norm, hidden)
        self.conv = norm.weight(UpConv2d(width, out))

    def forward(self, x: Tensor, style: Tensor, spatial: Maps | None) -> Tensor:
        """[N, C, H, W], [N, S] -> [N, C', 2H, 2W]."""
        return self.conv(F.relu_(self.enter(x, style, spatial)))


class TransposedUp(nn.Module):
    """Normalise, ReLU, append the condition, transposed convolution (DCGAN; the article)."""

    def __init__(self, width: int, out: int, style_dim: int, spatial_channels: int, norm: Norm, hidden: int):
        super().__init__()
        self.enter = Concatenation(width, style_dim, spatial_channels, norm)
        self.conv = norm.weight(TransposedConv2d(self.enter.out_channels, out))

    def forward(self, x: Tensor, style: Tensor, spatial: Maps | None) -> Tensor:
        """[N, C, H, W], [N, S] -> [N, C', 2H, 2W]."""
        return self.conv(self.enter(x, style, spatial))


class ToImage(nn.Module):
    """Modulate, ReLU, convolve to the picture's channels; `up` doubles the resolution by a transposed
    convolution."""

    def __init__(
        self,
        width: int,
        channels: int,
        style_dim: int,
        spatial_channels: int,
        norm: Norm,
        hidden: int,
        up: bool,
    ):
        super().__init__()
        self.enter = Modulation(width, style_dim, spatial_channels, norm, hidden)
        conv = TransposedConv2d(width, channels) if up else nn.Conv2d(width, channels, 3, padding=1)
        self.conv = norm.weight(conv)

    def forward(self, x: Tensor, style: Tensor, spatial: Maps | None) -> Tensor:
        """[N, C, H, W], [N, S] -> [N, C', H, W], or [N, C', 2H, 2W]."""
        return self.conv(F.relu_(self.enter(x, style, spatial)))


Tap: TypeAlias = Callable[[int, Tensor], Tensor]
"""(level, feature map [R + N, C, H, W]) -> the same or another; the first R are the reference batch's."""
BLOCKS = {"residual": ResidualUp, "upsample": ConvUp, "transposed": TransposedUp}


class Generator(nn.Module):
    """(noise, condition) -> picture."""

    def __init__(
        self, options: GeneratorOptions, vector_dim: int, spatial_channels: int, size: int, channels: int
    ):
        super().__init__()
        transposed = (
            options.block == "transposed"
        )  # whose last block makes the picture, at twice the resolution
        up = options.to_image == "transposed"
        doublings = len(options.widths) - (0 if transposed or up else 1)
        base = size >> doublings
        if base < 1 or base << doublings != size:
            raise ValueError(
                f"generator.widths has {len(options.widths)} levels, which do not fit {size}x{size}: "
                f"{size} is not divisible by {2**doublings}"
            )
        self.options, self.size, self.channels = options, size, channels
        block, norm = BLOCKS[options.block], options.norm
        style_dim = options.noise_dim + vector_dim
        self.block_style_dim = style_dim if options.noise_in_blocks and not transposed else vector_dim
        self.resolutions = [base << level for level in range(len(options.widths))]  # where conditions enter
        self.spatial = None
        inner = (self.block_style_dim, spatial_channels, norm, options.spatial_hidden)
        if spatial_channels and options.spatial == "encoded":
            hidden = options.spatial_hidden
            self.spatial = SpatialEncoder(spatial_channels, hidden, size, self.resolutions, norm)
            inner = (self.block_style_dim, hidden, norm, 0)
        self.mapping = MappingNetwork(style_dim, options.mapping, norm) if options.mapping else None
        self.stem = Stem(style_dim, options.widths[0], base)
        outs = [*options.widths[1:], channels] if transposed else options.widths[1:]
        self.blocks = nn.ModuleList(block(a, b, *inner) for a, b in zip(options.widths, outs, strict=False))
        resolutions = [base << (level + 1) for level in range(len(self.blocks))]
        missing = set(options.attention) - set(resolutions)
        if missing or (transposed and size in options.attention):
            raise ValueError(
                f"generator.attention must be among the block resolutions {resolutions}, got {missing}"
            )
        self.attention = nn.ModuleDict(
            {
                str(at): SelfAttention(out, norm)
                for at, out in zip(resolutions, outs, strict=True)
                if at in options.attention
            }
        )
        # Heights of what leaves each place that reads the noise: the stem and, where noise modulates the
        # blocks, each of them and the picture's layer.
        self.readers: tuple[int, ...] = (base,)
        if self.block_style_dim == style_dim:
            self.readers += (*resolutions, size)
        self.to_image = nn.Identity() if transposed else ToImage(options.widths[-1], channels, *inner, up)
        spatial = (spatial_channels, size, size) if spatial_channels else None
        self.reference = Reference(norm.reference, (options.noise_dim,), vector_dim, spatial)
        initialise(self, options.init)
        if self.mapping:
            nn.init.zeros_(self.mapping.leave.weight)

    def forward(self, noise: Tensor, cond: Cond, tap: Tap | None = None) -> Tensor:
        """noise [N, Z], Cond(vector [N, D], spatial [N, C, H, W]) -> pictures [N, C, H, W] in
        `options.image_range`. Noise may be [N, K, Z], one for each of the K `readers` (style mixing; Karras
        et al. 2019, section 3.1). `tap` sees, and may change, what leaves the stem (level 0) and block k
        (level k)."""
        noise, cond = self.reference.prepend(noise, cond)
        own = [noise] if noise.ndim == 2 else noise.unbind(1)
        styles = [part if cond.vector is None else torch.cat([part, cond.vector], dim=1) for part in own]
        if self.mapping:
            styles = [self.mapping(style) for style in styles]
        inner = [style[:, style.shape[1] - self.block_style_dim :] for style in styles]
        inner += inner[-1:] * (len(self.blocks) + 2 - len(inner))
        x = self.stem(styles[0])
        x = tap(0, x) if tap else x
        maps = None
        if cond.spatial is not None:
            maps = self.spatial(cond.spatial) if self.spatial else resized(cond.spatial, self.resolutions)
        for level, block in enumerate(self.blocks, start=1):
            x = block(x, inner[level], maps)
            if (at := str(int(x.shape[-1]))) in self.attention:
                x = self.attention[at](x)
            x = tap(level, x) if tap else x
        if not isinstance(self.to_image, nn.Identity):
            x = self.to_image(x, inner[-1], maps)
        x = self.reference.strip(x)
        return torch.tanh(x) if self.options.output == "tanh" else torch.sigmoid(x)
