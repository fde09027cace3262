"""A strip of pictures: every row asks for one thing, every column has one noise.

Shapes: R rows, K noises, N pictures, C channels, H x W pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from cgan.conditions import Paint, Sketch
from cgan.model import ConditionalGAN
from cgan.types import Raw

NOISES, SEED, EXAMPLES = 8, 1, 5
LEAST, GAP = 56, 6  # pixels of a picture, at least, and of the gap beside what was asked


def examples(model: ConditionalGAN) -> dict[str, dict[str, str]]:
    """What the model's own examples ask for, by their words."""
    field = model.encoder.fields()[0]
    return {example: {field.name: example} for example in field.examples[:EXAMPLES]}


def beside(model: ConditionalGAN) -> bool:
    """Whether what was asked for is a picture, which stands beside the answers."""
    return isinstance(model.encoder.fields()[0], Paint | Sketch)


def strip(model: ConditionalGAN, rows: Sequence[Mapping[str, str]]) -> Image.Image:
    """R rows of K pictures; at their left what was asked for, if that is a picture itself."""
    raw = torch.cat([model.encoder.parse(values) for values in rows])  # [R, ...]
    noise = model.noise(SEED, NOISES)  # [K, Z]
    pictures = model.sample(noise.repeat(len(rows), 1), raw.repeat_interleave(NOISES, 0))  # [R K, C, H, W]
    sheet = _grid(pictures, len(rows))
    if beside(model):
        asked = _grid(_shown(model.encoder.fields()[0], raw), len(rows))
        gap = np.full((len(sheet), GAP, 3), 255, np.uint8)
        sheet = np.concatenate([asked, gap, sheet], axis=1)
    times = -(-LEAST // model.config.size)
    return Image.fromarray(sheet.repeat(times, 0).repeat(times, 1))


def _grid(pictures: Tensor, rows: int) -> np.ndarray:
    """uint8 [R K, C, H, W] -> [R H, K W, 3]."""
    tiles = pictures.expand(-1, 3, -1, -1).unflatten(0, (rows, -1))  # [R, K, 3, H, W]
    return tiles.permute(0, 3, 1, 4, 2).flatten(2, 3).flatten(0, 1).numpy()


def _shown(field: Paint | Sketch, raw: Raw) -> Tensor:
    """What was asked as pictures uint8 [R, C, H, W]."""
    if isinstance(field, Sketch):
        return raw
    colours = [[int(colour[k : k + 2], 16) for k in (1, 3, 5)] for colour in field.colours]
    palette = torch.tensor([*colours, *[[255] * 3] * (256 - len(colours))], dtype=torch.uint8)
    return palette[raw.long()].permute(0, 3, 1, 2)
