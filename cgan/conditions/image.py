"""A picture as the condition: a line drawing, or any picture of a fixed size.

Shapes: N pictures, C channels, H x W pixels. Raw is uint8 [N, C, H, W], white where nothing is drawn; the
spatial condition is its ink, 0 for white and 1 for black.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from cgan.conditions import pictures
from cgan.conditions.base import EXAMPLES, ConditionEncoder, Sketch, column, refuse_unknown
from cgan.types import Cond, Raw

WHITE = 255
BANK = 64  # pictures of the data that `sample` draws from


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture to follow (pix2pix; Isola et al. 2017)."""

    form: ClassVar[str] = "image"
    size: int = 0  # height and width in pixels, the data set's
    channels: int = 1
    examples: tuple[str, ...] = ()  # pictures of the data, as `cgan.conditions.pictures` writes them

    def fit(self, targets: Mapping[str, Any]) -> Picture:
        """With the size and the first of the data set's pictures. ValueError if it has none."""
        drawn = column(targets, self.form)  # [N, C, H, W]
        first = drawn[:EXAMPLES].permute(0, 2, 3, 1).numpy()
        return dataclasses.replace(
            self,
            size=drawn.shape[-1],
            channels=drawn.shape[1],
            examples=pictures.examples((p.squeeze(-1) if p.shape[-1] == 1 else p for p in first), lossy=True),
        )

    def build(self) -> PictureEncoder:
        return PictureEncoder(self)


class PictureEncoder(ConditionEncoder):
    """Pictures [N, C, H, W] in, their ink [N, C, H, W] out. Has no weights: the generator has the
    convolutional encoder, so that its maps enter at their own resolution."""

    form = Picture.form

    def __init__(self, options: Picture):
        if not 4 <= options.size <= 1024 or options.channels not in (1, 3):
            raise ValueError("image must be 4 to 1024 pixels wide and have 1 or 3 channels")
        self.shape = (options.channels, options.size, options.size)
        super().__init__(torch.full((BANK, *self.shape), WHITE, dtype=torch.uint8))
        self.options = options
        self.spatial_channels = options.channels

    def fields(self) -> tuple[Sketch]:
        options = self.options
        return (Sketch(self.form, options.size, options.channels, options.examples),)

    def parse(self, values: Mapping[str, Any]) -> Raw:
        """{"image": base64url of a PNG, JPEG or WebP} -> [1, C, H, W].

        Raises ValueError if it is missing or no such picture.
        """
        refuse_unknown(values, [self.form])
        if self.form not in values:
            raise ValueError("image is missing; accepted: base64url of a PNG, JPEG or WebP")
        pixels = pictures.read_picture(self.form, str(values[self.form]), self.shape[-1], self.shape[0])
        return torch.from_numpy(pixels.copy())[None]

    def encode(self, targets: Mapping[str, Any]) -> Raw:
        return torch.as_tensor(targets[self.form], dtype=torch.uint8)

    def decode(self, raw: Raw) -> dict[str, np.ndarray]:
        """uint8 [N, H, W, C]."""
        return {self.form: raw.permute(0, 2, 3, 1).numpy()}

    def null(self, count: int) -> Raw:
        return torch.full((count, *self.shape), WHITE, dtype=torch.uint8)

    def embed(self, raw: Raw) -> Cond:
        return Cond(spatial=(WHITE - raw).float() / WHITE)
