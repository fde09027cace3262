"""Normalisations. Each is a frozen dataclass that normalises activations (`layer`), weights (`weight`), or
neither.

Shapes: N pictures, C channels, H x W pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

EPSILON = 1e-5  # added to a variance, as in PyTorch's own norms


class Norm(Protocol):
    """How a network is normalised."""

    batch_statistics: ClassVar[bool]  # whether one picture's result depends on the others in its batch
    reference: int  # pictures that the network must put before every batch

    def layer(self, channels: int, affine: bool = True) -> nn.Module:
        """A module [N, C, H, W] -> [N, C, H, W] to follow a convolution."""

    def weight(self, module: nn.Module) -> nn.Module:
        """The convolution or linear layer, its weight normalised if that is what this norm does."""


@dataclass(frozen=True, kw_only=True)
class NoNorm:
    """No normalisation."""

    batch_statistics: ClassVar[bool] = False
    reference: ClassVar[int] = 0

    def layer(self, channels: int, affine: bool = True) -> nn.Module:
        return nn.Identity()

    def weight(self, module: nn.Module) -> nn.Module:
        return module


@dataclass(frozen=True, kw_only=True)
class BatchNorm(NoNorm):
    """Batch normalisation (Ioffe & Szegedy 2015)."""

    batch_statistics: ClassVar[bool] = True
    momentum: float = 0.1  # share of the last batch in the running statistics

    def __post_init__(self):
        if not 0 < self.momentum <= 1:
            raise ValueError(f"norm.momentum must be above 0 and at most 1, got {self.momentum}")

    def layer(self, channels: int, affine: bool = True) -> nn.Module:
        return nn.BatchNorm2d(channels, affine=affine, momentum=self.momentum)


@dataclass(frozen=True, kw_only=True)
class LayerNorm(NoNorm):
    """Layer normalisation over C, H and W (Ba, Kiros & Hinton 2016)."""

    def layer(self, channels: int, affine: bool = True) -> nn.Module:
        return nn.GroupNorm(1, channels, affine=affine)


@dataclass(frozen=True, kw_only=True)
class VirtualBatchNorm(NoNorm):
    """Virtual batch normalisation: statistics of a fixed reference batch and of the picture itself (Salimans
    et al. 2016, section 3.5). The network puts the reference batch before every batch; see
    `networks.reference`."""

    reference: int = 32  # pictures in the reference batch

    def __post_init__(self):
        if self.reference < 2:
            raise ValueError(f"norm.reference must be at least 2 pictures, got {self.reference}")

    def layer(self, channels: int, affine: bool = True) -> nn.Module:
        return VirtualBatchNorm2d(channels, self.reference, affine)


class VirtualBatchNorm2d(nn.Module):
    """Normalises [R + N, C, H, W] whose first R are the reference batch. A picture's own statistics count as
    one more picture of the reference batch."""

    def __init__(self, channels: int, reference: int, affine: bool):
        super().__init__()
        self.reference = reference
        self.weight = nn.Parameter(torch.ones(channels)) if affine else None
        self.bias = nn.Parameter(torch.zeros(channels)) if affine else None

    def forward(self, x: Tensor) -> Tensor:
        """[R + N, C, H, W] -> the same."""
        x = x.float()
        own = torch.stack([x.mean((2, 3)), x.square().mean((2, 3))])  # [2, R + N, C]: first and second moment
        fixed = own[:, : self.reference].mean(1, keepdim=True)  # [2, 1, C]
        share = torch.full((len(x), 1), 1 / (self.reference + 1), device=x.device)
        share[: self.reference].zero_()  # the reference batch is normalised by its own statistics
        mean, square = torch.lerp(fixed.expand_as(own), own, share)  # [R + N, C] each
        scale = torch.rsqrt((square - mean.square()).clamp(min=0) + EPSILON)
        y = (x - mean[:, :, None, None]) * scale[:, :, None, None]
        if self.weight is None:
            return y
        return y * self.weight[:, None, None] + self.bias[:, None, None]


@dataclass(frozen=True, kw_only=True)
class SpectralNorm(NoNorm):
    """Spectral normalisation: weights divided by their largest singular value (Miyato et al. 2018, equation
    8), all but the generator's first layer, `Stem`, and the last of its `MappingNetwork`, which stay
    free."""

    def weight(self, module: nn.Module) -> nn.Module:
        return parametrizations.spectral_norm(module)
