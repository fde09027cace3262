"""What a judge is asked to read off pictures, and what it reads.

Shapes: N pictures, H x W pixels, F feature width, A attributes, K classes, L channels of a drawing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from cgan.types import Attribute


@dataclass(frozen=True)
class Subjects:
    """What there is to be read off a data set's pictures. Of a single label or class nothing is."""

    labels: tuple[str, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    mask: tuple[str, ...] = ()  # classes of a map
    image: int = 0  # channels of a drawing

    @staticmethod
    def of(targets: Mapping[str, Any]) -> Subjects:
        """Those that the targets of a data set hold."""
        labels, mask = (tuple(targets.get(name, ())) for name in ("classes", "mask_classes"))
        return Subjects(
            labels if len(labels) > 1 else (),
            tuple(targets.get("attribute_fields", ())),
            mask if len(mask) > 1 else (),
            targets["image"].shape[1] if "image" in targets else 0,
        )

    def each(self) -> list[str]:
        """Every one in words."""
        ranges = {a.name: ", ".join(a.choices) or f"{a.low} to {a.high}" for a in self.attributes}
        return [
            *(f"label {name}" for name in self.labels),
            *(f"attribute {name} ({values})" for name, values in ranges.items()),
            *(f"class {name} of a map" for name in self.mask),
            *([f"drawings of {self.image} channels"] if self.image else []),
        ]

    def __str__(self) -> str:
        counts = {
            "labels": len(self.labels),
            "attributes": len(self.attributes),
            "classes of a map": len(self.mask),
            "channels of a drawing": self.image,
        }
        return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "nothing"

    @property
    def widths(self) -> list[int]:
        """Numbers that tell an attribute: as many as it has choices, one if it is continuous."""
        return [len(attribute.choices) or 1 for attribute in self.attributes]


@dataclass(frozen=True)
class Judgement:
    """What a judge makes of N pictures: features, and what it reads off them."""

    features: Tensor  # [N, F] float32, 0 or more
    logits: Tensor | None = None  # [N, K] float32, of labels
    attributes: Tensor | None = None  # [N, A] float32 in their own units, of a choice its index
    mask: Tensor | None = None  # [N, H, W] uint8 class ids
    image: Tensor | None = None  # [N, L, H, W] uint8, a drawing

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, rows: slice | Tensor) -> Judgement:
        return Judgement(*(None if part is None else part[rows] for part in vars(self).values()))

    @staticmethod
    def cat(parts: Iterable[Judgement]) -> Judgement:
        """All of them, stacked along N."""
        columns = zip(*(vars(part).values() for part in parts), strict=True)
        return Judgement(*(None if column[0] is None else torch.cat(column) for column in columns))

    def accuracy(self, labels: Tensor) -> float:
        """Share of pictures whose highest logit is their label [N], 0 to 1."""
        return (self.logits.argmax(1) == labels).double().mean().item()
