"""Normalisations. Each is a frozen dataclass that normalises activations (`layer`), weights (`weight`), or
neither.

Shapes: N pictures, C channels, H x W pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

from torch import nn
from torch.nn.utils import parametrizations


class Norm(Protocol):
    """How a network is normalised."""

    batch_statistics: ClassVar[bool]  # whether one picture's result depends on the others in its batch

    def layer(self, channels: int, affine: bool = True) -> nn.Module:
        """A module [N, C, H, W] -> [N, C, H, W] to stand behind a convolution."""

    def weight(self, module: nn.Module) -> nn.Module:
        """The convolution or linear layer, its weight normalised if that is what this norm does."""


@dataclass(frozen=True, kw_only=True)
class NoNorm:
    """No normalisation."""

    batch_statistics: ClassVar[bool] = False

    def layer(self, channels: int, affine: bool = True) -> nn.Module:
        return nn.Identity()

    def weight(self, module: nn.Module) -> nn.Module:
        return module


@dataclass(frozen=True, kw_only=True)
class Batch(NoNorm):
    """Batch normalisation (Ioffe & Szegedy 2015)."""

    batch_statistics: ClassVar[bool] = True
    momentum: float = 0.1

    def layer(self, channels: int, affine: bool = True) -> nn.Module:
        return nn.BatchNorm2d(channels, affine=affine, momentum=self.momentum)


@dataclass(frozen=True, kw_only=True)
class Layer(NoNorm):
    """Layer normalisation over C, H and W (Ba, Kiros & Hinton 2016)."""

    def layer(self, channels: int, affine: bool = True) -> nn.Module:
        return nn.GroupNorm(1, channels, affine=affine)


@dataclass(frozen=True, kw_only=True)
class Spectral(NoNorm):
    """Spectral normalisation: every weight divided by its largest singular value (Miyato et al. 2018,
    equation 8)."""

    def weight(self, module: nn.Module) -> nn.Module:
        return parametrizations.spectral_norm(module)
