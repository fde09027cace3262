"""The few types that travel between the parts.

Shapes: N pictures, C channels, H x W pixels, D condition width, F feature width, K auxiliary outputs.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TypeAlias

import torch
from torch import Tensor

Raw: TypeAlias = Tensor
"""What a condition was asked for, [N, ...], before any network has seen it: label weights, attribute values,
token ids, a picture or a map. Which of them is the condition's own business."""


@dataclass(frozen=True)
class Cond:
    """The waist: all that generator and discriminator ever see of a condition."""

    vector: Tensor | None = None  # [N, D]
    spatial: Tensor | None = None  # [N, C, H, W]

    def __getitem__(self, rows: slice | Tensor) -> Cond:
        return Cond(*(None if part is None else part[rows] for part in (self.vector, self.spatial)))

    @staticmethod
    def cat(conds: list[Cond]) -> Cond:
        """The conditions stacked along N."""
        columns = zip(*((cond.vector, cond.spatial) for cond in conds), strict=True)
        return Cond(*(None if parts[0] is None else torch.cat(parts) for parts in columns))


@dataclass(frozen=True)
class Attribute:
    """A named property of a picture: continuous in [low, high], or one of several choices, then its value is
    the choice's index. A binary one has the choices "no" and "yes"."""

    name: str
    choices: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()  # "#rrggbb", one a choice, where the choices are colours
    low: float = 0.0
    high: float = 1.0
    ends: tuple[str, str] = ("", "")  # what `low` and `high` look like: ("sad", "happy")


@dataclass(frozen=True)
class Batch:
    """Real pictures and what they show."""

    images: Tensor  # [N, C, H, W] float, in the generator's range
    raw: Raw  # [N, ...]


@dataclass(frozen=True)
class Critique:
    """A discriminator's verdict."""

    logits: Tensor  # [N], higher is more real; [N, M] where M discriminators judge
    features: Tensor  # [N, F], what the heads saw
    auxiliary: Tensor | None = None  # [N, K], the auxiliary classifier's outputs

    def __getitem__(self, rows: slice) -> Critique:
        return Critique(
            *(None if (part := getattr(self, f.name)) is None else part[rows] for f in fields(self))
        )
