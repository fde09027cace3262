"""What happens inside a generator: its feature maps, and what goes missing without some of their channels.

The ablation of GAN Dissection (Bau et al. 2019, "GAN Dissection: Visualizing and Understanding Generative
Adversarial Networks", section 3.2), without its matching of units to concepts (section 3.1). A level is what
leaves the stem (level 0) or block k (level k).

Shapes: N pictures, Z noise width, C channels of a level, H x W pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cgan.model import CPU_BATCH, ConditionalGAN
from cgan.networks.generator import ToImage
from cgan.types import Cond

SAMPLES, SEED = 4 * CPU_BATCH, 0  # of the prior, from which a level's usual values are taken


@dataclass(frozen=True)
class Level:
    """A feature map's usual values."""

    size: int  # height and width in pixels
    mean: Tensor  # [C], of each channel over pictures and pixels
    spread: float  # standard deviation of all channels about their means
    order: tuple[int, ...]  # the channels, the one that varies most first


@dataclass(frozen=True)
class Stage:
    """A part of the generator, as a drawing of it says."""

    kind: str  # "stem", the name of a kind of block, or "image"
    size: int  # height and width of what leaves it
    channels: int
    weights: int  # trained numbers
    noise: bool  # whether the noise enters here
    vector: bool  # whether the condition's vector does
    spatial: bool  # whether the condition's map does
    attention: bool  # whether self-attention follows


class Dissection:
    """A model's generator opened up."""

    @torch.inference_mode()
    def __init__(self, model: ConditionalGAN):
        """`model` in evaluation mode, on the CPU."""
        self.generator = model.generator
        found: list[list[tuple[int, Tensor, Tensor]]] = []  # of every batch, of every level

        def measure(level: int, x: Tensor) -> Tensor:
            own = x[self.generator.reference.size :]
            found[-1].append((x.shape[-1], own.mean((0, 2, 3)), own.var((0, 2, 3), unbiased=False)))
            return x

        for first in range(0, SAMPLES, CPU_BATCH):  # a load makes so many at once: no more memory is needed
            found.append([])
            cond = model.encoder.embed(model.encoder.sample(CPU_BATCH, SEED, first))
            self.generator(model.noise(SEED, CPU_BATCH, first), cond, measure)
        levels = tuple(map(_level, zip(*found, strict=True)))
        # The last of the article's blocks makes the picture itself.
        self.levels = levels[: -1 if isinstance(self.generator.to_image, nn.Identity) else None]

    @torch.inference_mode()
    def run(
        self, noise: Tensor, cond: Cond, off: Mapping[int, Sequence[int]] | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        """noise [N, Z], a condition of N -> pictures [N, C, H, W] in the generator's range and every level's
        maps [N, C, H, W], without the channels that `off` names by level.

        A channel that is switched off has its mean everywhere: it still is there but tells nothing. (Bau et
        al., section 3.2, put 0 after a ReLU. Here maps are seen before their norm, where 0 is a value like
        others, and far from a channel's usual ones.) IndexError if there is no such level or channel.
        """
        off = off or {}
        for level, channels in off.items():
            if not 0 <= level < len(self.levels) or not _within(channels, self.levels[level]):
                raise IndexError(f"no channels {list(channels)} on level {level}")
        maps: list[Tensor] = []
        reference = self.generator.reference.size

        def tap(level: int, x: Tensor) -> Tensor:
            if channels := list(off.get(level, ())):
                x = x.clone()
                x[reference:, channels] = self.levels[level].mean[channels, None, None]
            maps.append(x[reference:])
            return x

        pictures = self.generator(noise, cond, tap)
        return pictures, maps[: len(self.levels)]

    def contrast(self, level: int, maps: Tensor) -> Tensor:
        """maps [N, C, H, W] of a level -> how far each value lies above its channel's mean, in spreads."""
        usual = self.levels[level]
        return (maps - usual.mean[:, None, None]) / usual.spread


def stages(model: ConditionalGAN) -> tuple[Stage, ...]:
    """The generator's parts in the order in which a picture passes them."""
    generator, encoder, options = model.generator, model.encoder, model.config.generator
    parts: list[nn.Module] = [generator.stem, *generator.blocks]
    if isinstance(generator.to_image, ToImage):
        parts.append(generator.to_image)
    sizes = [*generator.resolutions, generator.size][: len(parts) - 1] + [generator.size]
    widths = [*options.widths[: len(parts) - 1], generator.channels]
    kinds = ["stem", *[options.block] * len(generator.blocks), "image"]
    return tuple(
        Stage(
            kind=kind,
            size=size,
            channels=width,
            weights=sum(weight.numel() for weight in part.parameters()),
            noise=kind == "stem" or generator.block_style_dim > encoder.vector_dim,
            vector=encoder.vector_dim > 0,
            spatial=encoder.spatial_channels > 0 and kind != "stem",
            attention=part in [*generator.blocks] and str(size) in generator.attention,
        )
        for kind, part, size, width in zip(kinds, parts, sizes, widths, strict=False)
    )


def _level(batches: Sequence[tuple[int, Tensor, Tensor]]) -> Level:
    """Size, means [C] and variances [C] of equal batches -> of all of them together. The variance is that
    within batches and that of their means (the law of total variance)."""
    sizes, *parts = zip(*batches, strict=True)
    means, variances = map(torch.stack, parts)
    variance = variances.mean(0) + means.var(0, unbiased=False)
    order = tuple(variance.argsort(descending=True, stable=True).tolist())
    return Level(sizes[0], means.mean(0), variance.mean().sqrt().item() or 1.0, order)


def _within(channels: Sequence[int], level: Level) -> bool:
    return all(0 <= channel < len(level.order) for channel in channels)
