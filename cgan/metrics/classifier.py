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
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, update_bn

from cgan.rng import torch_generator

FEATURES = 96
BATCH = 250
STATISTICS = 20_000  # pictures from which the averaged weights' batch norm is measured


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a classifier is trained."""

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
    """Pictures uint8 [B, C, H, W] -> features [B, F] (averages of rectified maps, so 0 or more) and logits [B, K]."""

    def __init__(self, channels: int, classes: int, size: int):
        super().__init__()
        layers: list[nn.Module] = []
        plan = [(24, 1), (40, 2), (40, 1), (80, 2), (FEATURES, 1)]
        plan += [(FEATURES, 2)] * max(0, math.ceil(math.log2(size / 32)))
        for width, stride in plan:
            layers += [nn.Conv2d(channels, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            channels = width
        self.trunk = nn.Sequential(*layers)
        self.head = nn.Linear(FEATURES, classes)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        pixels = (images.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)
        features = self.trunk(pixels).float().mean((2, 3))
        return features, self.head(features)


def augment(images: Tensor, recipe: Recipe, generator: torch.Generator) -> Tensor:
    """Each picture [B, C, H, W] uint8 turned, shifted, scaled (and mirrored, erased) a little; float, 0 to 255."""
    n, _, height, width = images.shape
    angle, dx, dy, zoom, mirror = torch.rand(5, n, generator=generator)
    angle = (2 * angle - 1) * math.radians(recipe.degrees)
    zoom = 1 + (2 * zoom - 1) * recipe.scale
    flip = torch.where(mirror < 0.5, -1.0, 1.0) if recipe.flip else torch.ones(n)
    cos, sin = zoom * angle.cos(), zoom * angle.sin()
    shift = 2 * recipe.shift * (2 * torch.stack([dx, dy]) - 1)
    theta = torch.stack([cos * flip, -sin, shift[0], sin * flip, cos, shift[1]], 1).view(n, 2, 3)
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    # Grey 0 is the ground of the pictures, so what turns in from outside is 0.
    warped = F.grid_sample(images.float(), grid, align_corners=False)
    if recipe.erase:
        warped = _erase(warped, int(recipe.erase * width), generator)
    return warped


def _erase(images: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """A square of `side` pixels set to 0 in each picture (DeVries & Taylor 2017, "Cutout")."""
    n, _, height, width = images.shape
    top, left = torch.rand(2, n, 1, generator=generator)
    rows, columns = torch.arange(height), torch.arange(width)
    top, left = (top * height - side / 2), (left * width - side / 2)
    inside_rows = (rows >= top) & (rows < top + side)  # [B, H]
    inside_columns = (columns >= left) & (columns < left + side)  # [B, W]
    return images.masked_fill((inside_rows[:, :, None] & inside_columns[:, None, :])[:, None], 0)


def fit(
    images: Tensor,
    labels: Tensor,
    classes: int,
    *,
    recipe: Recipe = Recipe(),
    seed: int = 0,
    progress: Callable[[str], None] = lambda line: None,
) -> Classifier:
    """A classifier trained on pictures uint8 [N, C, H, W] and their labels int64 [N]; the averaged weights, in eval mode.

    `progress` receives a line an epoch. ValueError if there are fewer pictures than a batch.
    """
    if len(images) < recipe.batch:
        raise ValueError(f"training a classifier needs at least {recipe.batch} pictures, got {len(images)}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Classifier(images.shape[1], classes, images.shape[-1]).to(memory_format=torch.channels_last)
    averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(recipe.ema))
    optimiser = torch.optim.AdamW(model.parameters(), lr=recipe.rate, weight_decay=recipe.decay)
    steps = len(images) // recipe.batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.rate, total_steps=recipe.epochs * steps, pct_start=0.2
    )
    for epoch in range(recipe.epochs):
        generator = torch_generator(seed, epoch)
        total = 0.0
        for rows in torch.randperm(len(images), generator=generator)[: steps * recipe.batch].view(steps, -1):
            with torch.autocast("cpu", torch.bfloat16):
                logits = model(augment(images[rows], recipe, generator))[1]
            loss = F.cross_entropy(logits.float(), labels[rows], label_smoothing=recipe.smoothing)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            averaged.update_parameters(model)
            total += loss.item()
        progress(f"epoch {epoch + 1}/{recipe.epochs}  loss {total / steps:.4f}")
    update_bn(
        (augment(images[i : i + BATCH], recipe, generator) for i in range(0, len(images), BATCH)), averaged
    )
    return averaged.module.eval()


@torch.inference_mode()
def judge(model: Classifier, images: Tensor) -> tuple[Tensor, Tensor]:
    """Features float32 [N, F] and logits float32 [N, K] of pictures uint8 [N, C, H, W]."""
    parts = [model(batch) for batch in images.split(BATCH)]
    features, logits = zip(*parts, strict=True)
    return torch.cat(features), torch.cat(logits)


def accuracy(logits: Tensor, labels: Tensor) -> float:
    """Share of pictures [N, K] whose highest logit is their label [N], 0 to 1."""
    return (logits.argmax(1) == labels).double().mean().item()
