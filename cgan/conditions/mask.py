"""A segmentation map: a class id at every pixel.

Shapes: N pictures, K classes, H x W pixels. Raw is uint8 [N, H, W], 255 where nothing is asked; the spatial
condition is its one-hot map [N, K, H, W], zero there.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from cgan.conditions import pictures
from cgan.conditions.base import EXAMPLES, ConditionEncoder, Paint, column, refuse_unknown
from cgan.types import Cond, Raw

NOTHING = 255  # the id where nothing is asked
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
BANK = 64  # maps of the data that `sample` draws from


@dataclass(frozen=True, kw_only=True)
class Mask:
    """A map of class ids, one-hot (SPADE; Park et al. 2019)."""

    form: ClassVar[str] = "mask"
    classes: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()  # "#rrggbb", one a class
    size: int = 0  # height and width in pixels, the data set's
    examples: tuple[str, ...] = ()  # maps of the data, as `cgan.conditions.pictures` writes them

    def __post_init__(self):
        if len(self.classes) >= NOTHING or len(set(self.classes)) != len(self.classes):
            raise ValueError(
                f"mask classes must have different names and be fewer than {NOTHING}, which stands for "
                f"nothing asked; got {len(self.classes)}"
            )
        wrong = [colour for colour in self.colours if not COLOUR.fullmatch(colour)]
        if wrong or len(self.colours) != len(self.classes):
            raise ValueError("mask colours must be one like #12abff for each class")

    def fit(self, targets: Mapping[str, Any]) -> Mask:
        """With the data set's classes, size and first maps. ValueError names what the data set lacks, or an
        id in it that is no class."""
        maps, classes = column(targets, self.form), tuple(column(targets, "mask_classes"))
        _check(maps, classes)
        return dataclasses.replace(
            self,
            classes=classes,
            colours=tuple(column(targets, "mask_colours")),
            size=maps.shape[-1],
            examples=pictures.examples(maps[:EXAMPLES].numpy()),
        )

    def build(self) -> MaskEncoder:
        return MaskEncoder(self)


class MaskEncoder(ConditionEncoder):
    """Maps [N, H, W] in, one-hot maps [N, K, H, W] out. Has no weights."""

    form = Mask.form

    def __init__(self, options: Mask):
        if not options.classes or not 4 <= options.size <= 1024:
            raise ValueError("mask must name at least one class and be 4 to 1024 pixels wide")
        super().__init__(torch.full((BANK, options.size, options.size), NOTHING, dtype=torch.uint8))
        self.options = options
        self.spatial_channels = len(options.classes)

    def fields(self) -> tuple[Paint]:
        options = self.options
        return (Paint(self.form, options.classes, options.colours, options.size, options.examples),)

    def parse(self, values: Mapping[str, Any]) -> Raw:
        """{"mask": base64url of a PNG of class ids} -> [1, H, W], resized to the nearest pixel.

        Raises ValueError if it is missing, no such picture, or has an id that is neither a class nor 255.
        """
        refuse_unknown(values, [self.form])
        if self.form not in values:
            raise ValueError("mask is missing; accepted: base64url of a PNG whose grey values are class ids")
        ids = torch.from_numpy(pictures.read_map(self.form, str(values[self.form]), self.options.size))
        _check(ids, self.options.classes)
        return ids[None]

    def encode(self, targets: Mapping[str, Any]) -> Raw:
        return torch.as_tensor(targets[self.form], dtype=torch.uint8)

    def decode(self, raw: Raw) -> dict[str, np.ndarray]:
        """uint8 [N, H, W]."""
        return {self.form: raw.numpy()}

    def check(self, raw: Raw) -> None:
        _check(raw, self.options.classes)

    def null(self, count: int) -> Raw:
        return torch.full((count, self.options.size, self.options.size), NOTHING, dtype=torch.uint8)

    def embed(self, raw: Raw) -> Cond:
        ids = torch.arange(self.spatial_channels, dtype=torch.uint8, device=raw.device)
        return Cond(spatial=(raw[..., None] == ids).float().permute(0, 3, 1, 2))


def _check(ids: Tensor, classes: tuple[str, ...]) -> None:
    wrong = ids[(ids >= len(classes)) & (ids != NOTHING)]
    if len(wrong):
        names = ", ".join(f"{k} {name}" for k, name in enumerate(classes))
        raise ValueError(f"mask has the value {int(wrong[0])}; accepted: {names}, or {NOTHING} for any")
