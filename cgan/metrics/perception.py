"""A judge that reads off a picture what it shows: label, attributes, a class at every pixel, a drawing.

A small U-Net (Ronneberger et al. 2015) that works at 32x32: the picture's pixels are first folded into
channels, and the maps unfolded in the end (sub-pixel convolution; Shi et al. 2016).

Shapes: N pictures, B pictures a batch, C channels, H x W pixels, A attributes, O outputs for them and for
labels, K classes of a map, L channels of a drawing, F feature width.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from cgan.metrics.classifier import BATCH
from cgan.metrics.fitting import optimise
from cgan.metrics.judge import Features, Subjects
from cgan.precision import autocast
from cgan.types import Attribute

WIDTHS = (32, 64, 96)  # of the maps, each half as large as the last
MAPS = 32  # height and width of the largest maps, about
SQUEEZED, HIDDEN = 16, 96  # channels and units between the smallest maps and the attributes


@dataclass(frozen=True, kw_only=True)
class PerceptionRecipe:
    """How a perception is made and trained."""

    widths: tuple[int, ...] = WIDTHS
    epochs: int = 5
    batch: int = 64
    rate: float = 0.006  # peak of the one-cycle schedule
    decay: float = 0.02
    noise: float = 6.0  # standard deviation of what is added to every pixel, at most
    ema: float = 0.998


def _layer(inside: int, outside: int, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    convolution = nn.Conv2d(inside, outside, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outside), nn.ReLU())


class Perception(nn.Module):
    """Pictures [B, C, H, W], 0 to 255 -> features [B, F] (averages of rectified maps), attributes and labels
    [B, O], continuous ones scaled to [-1, 1], and logits of map and drawing [B, K + L, H, W]."""

    def __init__(self, channels: int, size: int, subjects: Subjects, widths: tuple[int, ...] = WIDTHS):
        super().__init__()
        self.subjects, self.size = subjects, size
        self.fold = max(1, size // MAPS)
        self.side = 4 * self.fold * math.ceil(size / (4 * self.fold))  # to which pictures are filled up
        small, middle, large = widths
        self.width = middle + large
        self.down = nn.ModuleList(
            nn.Sequential(_layer(inside, outside, stride), _layer(outside, outside))
            for inside, outside, stride in (
                (channels * self.fold**2, small, 1),
                (small, middle, 2),
                (middle, large, 2),
            )
        )
        self.told = sum(subjects.widths) + len(subjects.labels)
        if self.told:
            self.squeeze = _layer(large, SQUEEZED, kernel=1)
            self.hidden = nn.Linear(SQUEEZED * (self.side // (4 * self.fold)) ** 2, HIDDEN)
            self.head = nn.Linear(HIDDEN, self.told)
        self.dense = len(subjects.mask) + subjects.image
        if self.dense:
            last = self.dense * self.fold**2
            self.lift = nn.ModuleList([nn.Conv2d(large, middle, 1), nn.Conv2d(middle, small, 1)])
            self.up = nn.ModuleList([_layer(middle, middle), _layer(small, max(small, last))])
            self.paint = nn.Conv2d(max(small, last), last, 1)

    def encode(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Features [B, F] and the maps that they average."""
        pixels = images.float() / 127.5 - 1
        if self.side > self.size:
            pixels = F.pad(pixels, (0, self.side - self.size) * 2)
        pixels = F.pixel_unshuffle(pixels, self.fold).contiguous(memory_format=torch.channels_last)
        maps = []
        for stage in self.down:
            pixels = stage(pixels)
            maps.append(pixels)
        return torch.cat([m.float().mean((2, 3)) for m in maps[1:]], 1), maps

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        features, maps = self.encode(images)
        scores = features[:, :0]
        if self.told:
            scores = self.head(F.relu(self.hidden(self.squeeze(maps[-1]).flatten(1)))).float()
        if not self.dense:
            return features, scores, None
        x = maps.pop()
        for lift, up in zip(self.lift, self.up, strict=True):
            x = up(maps.pop() + F.interpolate(lift(x), scale_factor=2))
        painted = F.pixel_shuffle(self.paint(x), self.fold)[..., : self.size, : self.size]
        return features, scores, painted.float()

    def fuse(self) -> Perception:
        """Itself, ready for use only: each batch norm folded into its convolution, no gradients."""
        self.requires_grad_(False).eval()
        for parent in list(self.modules()):
            for name, child in parent.named_children():
                if isinstance(child, nn.Sequential) and isinstance(child[0], nn.Conv2d):
                    fused = fuse_conv_bn_eval(child[0], child[1])
                    setattr(parent, name, nn.Sequential(fused, nn.ReLU(inplace=True)))
        return self.to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def features(self, images: Tensor) -> Tensor:
        """Features [N, F] alone of pictures uint8 [N, C, H, W], on the CPU."""
        device = next(self.parameters()).device
        return torch.cat([self.encode(batch.to(device))[0] for batch in images.split(BATCH)]).cpu()

    @torch.inference_mode()
    def read(self, images: Tensor) -> Features:
        """What it reads off pictures uint8 [N, C, H, W], batched, answered on the CPU."""
        device = next(self.parameters()).device
        return Features.cat([self._reading(*self(batch.to(device))) for batch in images.split(BATCH)])

    def _reading(self, features: Tensor, scores: Tensor, dense: Tensor | None) -> Features:
        subjects, found = self.subjects, {}
        *parts, labels = scores.split([*subjects.widths, len(subjects.labels)], 1)
        if subjects.labels:
            found["logits"] = labels.cpu()
        if subjects.attributes:
            values = map(_value, subjects.attributes, parts)
            found["attributes"] = torch.stack(list(values), 1).cpu()
        if subjects.mask:
            found["mask"] = dense[:, : len(subjects.mask)].argmax(1).byte().cpu()
        if subjects.image:
            found["image"] = dense[:, -subjects.image :].sigmoid().mul(255).round().byte().cpu()
        return Features(features.cpu(), **found)


def _value(attribute: Attribute, scores: Tensor) -> Tensor:
    """Outputs of one attribute to its values [B], in its own units."""
    if attribute.choices:
        return scores.argmax(1).float()
    return attribute.low + (scores[:, 0].clamp(-1, 1) + 1) / 2 * (attribute.high - attribute.low)


def fit_perception(
    images: Tensor,
    targets: Mapping[str, Any],
    *,
    recipe: PerceptionRecipe,
    visible: Tensor | None = None,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Perception:
    """A perception trained on pictures uint8 [N, C, H, W] and what of `label` [N], `attributes` [N, A],
    `mask` [N, H, W] and `image` [N, L, H, W] their targets hold. An attribute teaches nothing where it is not
    `visible` bool [N, A].

    `progress` receives a line an epoch. The averaged weights are returned, in eval mode. ValueError if there
    are fewer pictures than a batch.
    """
    generator, subjects = torch.Generator().manual_seed(seed), Subjects.of(targets)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Perception(images.shape[1], images.shape[-1], subjects, recipe.widths)
    model.to(images.device, memory_format=torch.channels_last)
    if visible is None and subjects.attributes:
        visible = torch.ones_like(targets["attributes"], dtype=torch.bool)

    def pictures(rows: Tensor) -> Tensor:
        chosen = images[rows].float()
        amount = recipe.noise * torch.rand(len(rows), 1, 1, 1, generator=generator)
        return chosen + (amount * torch.randn(chosen.shape, generator=generator)).to(chosen.device)

    def loss(model: Perception, pixels: Tensor, rows: Tensor) -> Tensor:
        with autocast(pixels.device):
            _, scores, dense = model(pixels)
        parts = []
        if subjects.labels:
            labels = targets["label"][rows]
            parts.append(F.cross_entropy(scores[:, -len(subjects.labels) :], labels))
        if subjects.attributes:
            errors = attribute_errors(scores, targets["attributes"][rows], subjects)
            seen = visible[rows].float()
            parts.append((errors * seen).sum() / seen.sum().clamp(min=1))
        if subjects.mask:
            asked = targets["mask"][rows].long()
            parts.append(F.cross_entropy(dense[:, : len(subjects.mask)], asked, ignore_index=255))
        if subjects.image:
            drawn = targets["image"][rows].float() / 255
            parts.append(F.binary_cross_entropy_with_logits(dense[:, -subjects.image :], drawn))
        return sum(parts)

    return optimise(
        model,
        len(images),
        schedule=recipe,
        pictures=pictures,
        loss=loss,
        generator=generator,
        progress=progress,
        statistics=5000,
    )


def attribute_errors(scores: Tensor, asked: Tensor, subjects: Subjects) -> Tensor:
    """Of outputs [B, O] against values [B, A] in their own units, [B, A]: the cross-entropy of a choice, or a
    continuous one's absolute error (squared below 0.1, a twentieth of its range)."""

    def error(a: Attribute, found: Tensor, value: Tensor) -> Tensor:
        if a.choices:
            return F.cross_entropy(found, value.long(), reduction="none")
        scaled = 2 * (value - a.low) / (a.high - a.low) - 1
        return F.smooth_l1_loss(found[:, 0], scaled, reduction="none", beta=0.1)

    found = scores[:, : sum(subjects.widths)].split(subjects.widths, 1)
    return torch.stack(list(map(error, subjects.attributes, found, asked.unbind(1))), 1)
