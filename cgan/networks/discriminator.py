"""The discriminator: convolutions with downsampling, flattened features, the condition in the head, one
logit.

Shapes: N pictures, C channels, H x W pixels, D condition width, F feature width, K auxiliary outputs, M
discriminators.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize

from cgan.networks.attention import SelfAttention
from cgan.networks.layers import Init, MinibatchStd, StridedConv2d, initialise
from cgan.networks.norms import NoNorm, Norm
from cgan.networks.reference import Reference
from cgan.networks.spatial import resized
from cgan.types import Cond, Critique

MOST = 16  # discriminators in a committee


@dataclass(frozen=True, kw_only=True)
class DiscriminatorOptions:
    """The discriminator's shape. `widths` are the channels after each downsampling, from the picture down."""

    block: Literal["strided", "pool", "residual"] = "strided"  # Strided, Pool, ResidualDown
    widths: tuple[int, ...] = (64, 128, 256)
    head: Literal["concat", "projection"] = "projection"  # the condition beside the features, or times them
    hidden: int = 0  # width of the fully connected layer before the logit; 0 for none
    norm: Norm = NoNorm()
    attention: tuple[int, ...] = ()  # resolutions that get self-attention
    minibatch_std: bool = False  # whether it sees how much the pictures of a batch differ
    dropout: float = 0.0  # on the flattened features, in [0, 1)
    count: int = 1  # independent discriminators
    multi_scale: bool = False  # whether discriminator k sees the picture averaged down k times
    combine: Literal["mean", "hardest", "softmax"] = "mean"  # what the generator learns from several
    init: Init = "orthogonal"  # how weights start: `layers.initialise`

    def __post_init__(self):
        if not self.widths or min(self.widths) < 1 or not 0 <= self.dropout < 1:
            raise ValueError(
                "discriminator.widths must be at least 1 each, and discriminator.dropout in [0, 1)"
            )
        if not 1 <= self.count <= MOST:
            raise ValueError(f"discriminator.count must be from 1 to {MOST}, got {self.count}")
        if self.count == 1 and self.multi_scale:
            raise ValueError("discriminator.multi_scale needs discriminator.count above 1")
        if self.multi_scale and self.norm.reference:
            raise ValueError(
                "discriminator.multi_scale does not go with discriminator.norm virtual, whose reference "
                "pictures have one scale"
            )
        if self.head == "concat" and not self.hidden:
            raise ValueError(
                "discriminator.head concat needs discriminator.hidden above 0: one linear layer on features "
                "and condition side by side can't compare the two"
            )

    def build(
        self, vector_dim: int, spatial_channels: int, size: int, channels: int, auxiliary: int
    ) -> Discriminator | Committee:
        """A discriminator of size x size pictures with `auxiliary` classifier outputs (0 for none)."""
        kind = Discriminator if self.count == 1 else Committee
        return kind(self, vector_dim, spatial_channels, size, channels, auxiliary)


class Strided(nn.Module):
    """4x4 convolution of stride 2, norm, leaky ReLU (DCGAN)."""

    def __init__(self, width: int, out: int, norm: Norm, first: bool):
        super().__init__()
        self.conv = norm.weight(StridedConv2d(width, out))
        self.norm = nn.Identity() if first else norm.layer(out)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C', H / 2, W / 2]."""
        return F.leaky_relu_(self.norm(self.conv(x)), 0.2)


class Pool(nn.Module):
    """3x3 convolution, norm, leaky ReLU, max-pooling."""

    def __init__(self, width: int, out: int, norm: Norm, first: bool):
        super().__init__()
        self.conv = norm.weight(nn.Conv2d(width, out, 3, padding=1))
        self.norm = nn.Identity() if first else norm.layer(out)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C', H / 2, W / 2]."""
        return F.max_pool2d(F.leaky_relu_(self.norm(self.conv(x)), 0.2), 2)


class ResidualDown(nn.Module):
    """Two 3x3 convolutions and a 1x1 shortcut, averaged down (Miyato & Koyama 2018, figure 14)."""

    def __init__(self, width: int, out: int, norm: Norm, first: bool):
        super().__init__()
        self.first = first
        self.norm1 = nn.Identity() if first else norm.layer(width)
        self.conv1 = norm.weight(nn.Conv2d(width, out, 3, padding=1))
        self.norm2 = norm.layer(out)
        self.conv2 = norm.weight(nn.Conv2d(out, out, 3, padding=1))
        self.shortcut = norm.weight(nn.Conv2d(width, out, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C', H / 2, W / 2]. The picture itself is not activated."""
        y = x if self.first else F.leaky_relu(self.norm1(x), 0.2)
        y = self.conv2(F.leaky_relu_(self.norm2(self.conv1(y)), 0.2))
        return F.avg_pool2d(y, 2) + self.shortcut(F.avg_pool2d(x, 2))


BLOCKS = {"strided": Strided, "pool": Pool, "residual": ResidualDown}


class Discriminator(nn.Module):
    """(picture, condition) -> Critique."""

    def __init__(
        self,
        options: DiscriminatorOptions,
        vector_dim: int,
        spatial_channels: int,
        size: int,
        channels: int,
        auxiliary: int,
    ):
        super().__init__()
        self.options = options
        resolutions = [size >> (k + 1) for k in range(len(options.widths))]
        attentive = [resolution for resolution in resolutions if resolution > 1]
        if resolutions[-1] < 1 or set(options.attention) - set(attentive):
            raise ValueError(
                f"discriminator.widths and .attention do not fit {size}x{size} pixels: levels {resolutions}, "
                f"attention at {', '.join(map(str, attentive))}"
            )
        norm, block = options.norm, BLOCKS[options.block]
        ins = [channels + spatial_channels, *options.widths[:-1]]
        self.blocks = nn.ModuleList(
            block(a, b, norm, first=not k) for k, (a, b) in enumerate(zip(ins, options.widths, strict=True))
        )
        self.attention = nn.ModuleDict(
            {
                str(at): SelfAttention(w, norm)
                for at, w in zip(resolutions, options.widths, strict=True)
                if at in options.attention
            }
        )
        self.minibatch_std = MinibatchStd() if options.minibatch_std else nn.Identity()
        flat = (options.widths[-1] + options.minibatch_std) * resolutions[-1] ** 2
        concat = vector_dim if options.head == "concat" else 0
        features = options.hidden or flat
        self.hidden = norm.weight(nn.Linear(flat + concat, features)) if options.hidden else None
        self.logit = norm.weight(nn.Linear(features, 1))
        self.projection = None
        if options.head == "projection" and vector_dim:
            self.projection = norm.weight(nn.Linear(vector_dim, features, bias=False))
        self.auxiliary = norm.weight(nn.Linear(features, auxiliary)) if auxiliary else None
        spatial = (spatial_channels, size, size) if spatial_channels else None
        self.reference = Reference(norm.reference, (channels, size, size), vector_dim, spatial)
        initialise(self, options.init)
        if concat:  # as an embedding starts: small columns would go unheard beside hundreds of features
            weight = self.hidden.weight.detach().clone()
            weight[:, flat:].normal_()
            self.hidden.weight = weight if parametrize.is_parametrized(self.hidden) else nn.Parameter(weight)

    def forward(self, images: Tensor, cond: Cond) -> Critique:
        """pictures [N, C, H, W], Cond(vector [N, D], spatial [N, C, H, W]) -> Critique(logits [N], features
        [N, F], auxiliary [N, K])."""
        x, cond = self.reference.prepend(images, cond)
        if cond.spatial is not None:
            size = x.shape[-1]
            x = torch.cat([x, resized(cond.spatial, [size])[size]], dim=1)
        for block in self.blocks:
            x = block(x)
            if (at := str(x.shape[-1])) in self.attention:
                x = self.attention[at](x)
        if x.requires_grad:  # from the flattened features it comes in another order, and stays in it
            x.register_hook(lambda gradient: gradient.contiguous(memory_format=torch.channels_last))
        x = self.minibatch_std(x if self.options.block != "residual" else F.leaky_relu(x, 0.2)).flatten(1)
        x = F.dropout(x, self.options.dropout, self.training)
        if self.hidden is not None:
            joined = (
                torch.cat([x, cond.vector], dim=1)
                if self.options.head == "concat" and cond.vector is not None
                else x
            )
            x = F.leaky_relu_(self.hidden(joined), 0.2)
        logits = self.logit(x)[:, 0]
        if self.projection is not None:  # Miyato & Koyama 2018, equation 3
            logits = logits + (self.projection(cond.vector) * x).sum(1)
        outputs = (logits.float(), x, None if self.auxiliary is None else self.auxiliary(x))
        return Critique(*(None if part is None else self.reference.strip(part) for part in outputs))

    def combine(self, losses: Tensor) -> Tensor:
        """The generator's losses [N] as they are: there is one discriminator."""
        return losses


class Committee(nn.Module):
    """M discriminators of the same pictures, each learning from its own verdicts alone (Durugkar, Gemp &
    Mahadevan 2017, "Generative Multi-Adversarial Networks"), each at its own scale if so wanted (Wang et al.
    2018, "pix2pixHD", section 3.2)."""

    def __init__(
        self,
        options: DiscriminatorOptions,
        vector_dim: int,
        spatial_channels: int,
        size: int,
        channels: int,
        auxiliary: int,
    ):
        """ValueError if the smallest scale leaves a discriminator without levels. Each has attention at those
        of the resolutions asked for that it still sees."""
        super().__init__()
        self.options = options
        scales = range(options.count) if options.multi_scale else [0] * options.count
        if options.multi_scale and options.count > len(options.widths):
            raise ValueError(
                f"discriminator.count is {options.count} scales, more than the {len(options.widths)} levels "
                "of discriminator.widths"
            )
        self.members = nn.ModuleList(
            Discriminator(
                replace(
                    options,
                    widths=options.widths[: len(options.widths) - scale],
                    attention=tuple(set(options.attention) - {size >> (k + 1) for k in range(scale)}),
                ),
                vector_dim,
                spatial_channels,
                size >> scale,
                channels,
                auxiliary,
            )
            for scale in scales
        )
        self.scales = list(scales)

    def forward(self, images: Tensor, cond: Cond) -> Critique:
        """pictures [N, C, H, W] -> Critique(logits [N, M], features [N, F] of all, auxiliary [N, K] on
        average)."""
        verdicts = [
            member(F.avg_pool2d(images, 2**scale) if scale else images, cond)
            for member, scale in zip(self.members, self.scales, strict=True)
        ]
        auxiliary = None
        if verdicts[0].auxiliary is not None:
            auxiliary = torch.stack([verdict.auxiliary for verdict in verdicts]).mean(0)
        logits = torch.stack([verdict.logits for verdict in verdicts], dim=1)
        return Critique(logits, torch.cat([verdict.features for verdict in verdicts], dim=1), auxiliary)

    def combine(self, losses: Tensor) -> Tensor:
        """The generator's losses against each discriminator [N, M] as one [N]: the largest (Durugkar et al.,
        section 3.1) or a mean weighted by softmax (section 4.1, lambda = 1), both picture by picture."""
        match self.options.combine:
            case "mean":
                return losses.mean(1)
            case "hardest":
                return losses.amax(1)
            case "softmax":
                return (losses.detach().softmax(1) * losses).sum(1)
