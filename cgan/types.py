"""The few types that travel between the parts.

Shapes: N pictures, C channels, H x W pixels, D condition width, F feature width, K auxiliary outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
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

    def __iter__(self) -> Iterator[Tensor | None]:
        return iter((self.vector, self.spatial))

    def __len__(self) -> int:
        return next(len(part) for part in self if part is not None)

    def __getitem__(self, rows: slice | Tensor) -> Cond:
        return self.map(lambda part: part[rows])

    def map(self, function: Callable[[Tensor], Tensor]) -> Cond:
        """The condition with each of its parts changed."""
        return Cond(*(None if part is None else function(part) for part in self))

    def to(self, device: torch.device | str) -> Cond:
        """The condition on a device."""
        return self.map(lambda part: part.to(device))

    def expand(self, count: int) -> Cond:
        """One condition [1, ...] for `count` pictures."""
        if count == 1:
            return self
        return self.map(lambda part: part.expand(count, *part.shape[1:]))

    def lerp(self, end: Cond, t: Tensor | float) -> Cond:
        """The straight line from this (t = 0) to `end` (t = 1), and beyond. `t` is a number or [N]."""
        pairs = zip(self, end, strict=True)
        return Cond(*(None if a is None else a + (b - a) * _broadcast(t, a) for a, b in pairs))

    @staticmethod
    def cat(conds: Iterable[Cond]) -> Cond:
        """The conditions stacked along N."""
        columns = zip(*conds, strict=True)
        return Cond(*(None if parts[0] is None else torch.cat(parts) for parts in columns))


def _broadcast(t: Tensor | float, like: Tensor) -> Tensor | float:
    return t.view(-1, *[1] * (like.ndim - 1)) if isinstance(t, Tensor) else t


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

    @property
    def narrowest(self) -> float:
        """The least range in which float32, between numbers of this size, tells some hundred apart."""
        return max(1e-30, 2**-15 * max(abs(self.low), abs(self.high)))


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
