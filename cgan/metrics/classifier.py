"""A small image classifier and how it is trained: the judge of the metrics, and the pupil of `usefulness`.

It shares nothing with the GAN's auxiliary head: plain convolutions with batch norm, trained on augmented real
pictures with label smoothing and averaged weights. About 9 million multiplications for a 28x28 picture.

Shapes: N pictures, B pictures a batch, C channels, H x W pixels, F feature width, K classes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from cgan.metrics.fitting import optimise
from cgan.metrics.judge import Judgement
from cgan.precision import autocast

STRIDES = (1, 2, 1, 2, 1)  # of the convolutions; what follows them halves, down to 8x8 pixels or fewer
WIDTHS = (24, 40, 40, 80, 96)
BATCH = 50  # pictures judged at once: their maps stay in a CPU's cache


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a classifier is made and trained."""

    widths: tuple[int, ...] = WIDTHS
    epochs: int = 14
    batch: int = 128
    rate: float = 0.01  # peak of the one-cycle schedule
    decay: float = 0.02
    smoothing: float = 0.05
    degrees: float = 10.0  # largest rotation
    shift: float = 0.08  # largest shift, in picture widths
    scale: float = 0.1  # largest relative change of size
    flip: bool = False  # mirror left and right
    erase: float = 0.0  # side of a blanked square, in picture widths
    ema: float = 0.998


class Classifier(nn.Module):
    """Pictures [B, C, H, W], 0 to 255 -> features [B, F] (averages of rectified maps) and logits [B, K]."""

    def __init__(self, channels: int, classes: int, size: int, widths: tuple[int, ...] = WIDTHS):
        super().__init__()
        plan = list(zip(widths, STRIDES, strict=True))
        plan += [(widths[-1], 2)] * max(0, math.ceil(math.log2(size / 32)))
        layers: list[nn.Module] = []
        for width, stride in plan:
            layers += [nn.Conv2d(channels, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            channels = width
        self.trunk = nn.Sequential(*layers)
        self.head = nn.Linear(channels, classes)
        self.width = channels

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        pixels = (images.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)
        features = self.trunk(pixels).float().mean((2, 3))
        return features, self.head(features)

    def fuse(self) -> Classifier:
        """Itself, ready for use only: each batch norm folded into its convolution, no gradients."""
        self.requires_grad_(False).eval()
        layers: list[nn.Module] = []
        for convolution, norm, activation in zip(*[iter(self.trunk)] * 3, strict=True):
            activation.inplace = True
            layers += [fuse_conv_bn_eval(convolution, norm), activation]
        self.trunk = nn.Sequential(*layers).to(memory_format=torch.channels_last)
        return self

    @torch.inference_mode()
    def read(self, images: Tensor) -> Judgement:
        """What it makes of pictures uint8 [N, C, H, W], batched, answered on the CPU."""
        device = self.head.weight.device
        parts = (self(batch.to(device)) for batch in images.split(BATCH))
        return Judgement.cat(Judgement(features.cpu(), logits.cpu()) for features, logits in parts)

    def features(self, images: Tensor) -> Tensor:
        """Features [N, F] alone."""
        return self.read(images).features


def augment(images: Tensor, recipe: Recipe, generator: torch.Generator) -> Tensor:
    """Each picture [B, C, H, W] turned, shifted, scaled (mirrored, erased) a little; float, 0 to 255.

    What turns in from outside is 0, the ground of the pictures.
    """
    n = len(images)
    angle, dx, dy, zoom, mirror = torch.rand(5, n, generator=generator)
    angle = (2 * angle - 1) * math.radians(recipe.degrees)
    zoom = 1 + (2 * zoom - 1) * recipe.scale
    flip = torch.where(mirror < 0.5, -1.0, 1.0) if recipe.flip else torch.ones(n)
    cos, sin = zoom * angle.cos(), zoom * angle.sin()
    dx, dy = 2 * recipe.shift * (2 * dx - 1), 2 * recipe.shift * (2 * dy - 1)
    theta = torch.stack([cos * flip, -sin, dx, sin * flip, cos, dy], 1).view(n, 2, 3)
    grid = F.affine_grid(theta, list(images.shape), align_corners=False).to(images.device)
    warped = F.grid_sample(images.float(), grid, align_corners=False)
    return erase(warped, round(recipe.erase * images.shape[-1]), generator) if recipe.erase else warped


def erase(images: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """A square of `side` pixels set to 0 in each picture (DeVries & Taylor 2017, "Cutout")."""
    masks = []
    for length in images.shape[2:]:
        start = torch.rand(len(images), 1, generator=generator) * length - side / 2
        place = torch.arange(length)
        masks.append((place >= start) & (place < start + side))  # [B, H], then [B, W]
    square = masks[0][:, None, :, None] & masks[1][:, None, None, :]  # [B, 1, H, W]
    return images.masked_fill(square.to(images.device), 0)


def fit(
    images: Tensor,
    labels: Tensor,
    classes: int,
    *,
    recipe: Recipe,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Classifier:
    """A classifier trained on pictures uint8 [N, C, H, W] and their labels int64 [N] of `classes` classes.

    Works on the pictures' device; `progress` receives a line an epoch. The averaged weights are returned, in
    eval mode. ValueError if there are fewer pictures than a batch.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Classifier(images.shape[1], classes, images.shape[-1], recipe.widths)
    model.to(images.device, memory_format=torch.channels_last)

    def loss(model: Classifier, pictures: Tensor, rows: Tensor) -> Tensor:
        with autocast(pictures.device):
            _, logits = model(pictures)
        return F.cross_entropy(logits.float(), labels[rows], label_smoothing=recipe.smoothing)

    return optimise(
        model,
        len(images),
        schedule=recipe,
        pictures=lambda rows: augment(images[rows], recipe, generator),
        loss=loss,
        generator=generator,
        progress=progress,
    )
