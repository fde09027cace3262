"""Named attributes, continuous and categorical.

Shapes: N pictures, A attributes, K encoded columns: one of a continuous attribute, scaled to [-1, 1], one a
choice of a categorical one, so that choices can be mixed softly. Raw is [N, K + 1]; its last column is 1
where attributes are given.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from cgan.conditions.base import RESERVED, Choice, ConditionEncoder, Range, column, refuse_unknown
from cgan.conditions.mixture import parse_mixture
from cgan.types import Attribute, Cond, Raw

NAME, COLOUR = re.compile(r"[a-z][a-z0-9_]*"), re.compile(r"#[0-9a-fA-F]{6}")
BANK = 1024  # rows of the data that `sample` draws from
TWENTIETH = 0.1  # of the range from -1 to 1


@dataclass(frozen=True, kw_only=True)
class Attributes:
    """A vector of named attributes."""

    form: ClassVar[str] = "attributes"
    attributes: tuple[Attribute, ...] = ()

    def __post_init__(self):
        names = {attribute.name for attribute in self.attributes}
        if len(names) != len(self.attributes):
            raise ValueError(f"attributes must have names of their own, got {', '.join(sorted(names))}")
        if second := sorted(name for name in names if f"{name}2" in names):
            raise ValueError(
                f"no attribute may be called '{second[0]}2' beside '{second[0]}', of which it is the second "
                "value in the explorer's address: rename one"
            )
        for attribute in self.attributes:
            _check(attribute)

    def fit(self, targets: Mapping[str, Any]) -> Attributes:
        """With the data set's attributes. ValueError if it has none, or one with a reserved name."""
        found = column(targets, self.form), tuple(column(targets, "attribute_fields"))
        if found[0].shape[1] != len(found[1]):
            raise ValueError(f"attributes has {found[0].shape[1]} columns, but {len(found[1])} names")
        return dataclasses.replace(self, attributes=found[1])

    def build(self) -> AttributesEncoder:
        return AttributesEncoder(self.attributes)


def _check(attribute: Attribute) -> None:
    name, choices = attribute.name, attribute.choices
    if not NAME.fullmatch(name):
        raise ValueError(f"attribute {name!r} must be a name of small letters, digits and underscores")
    if name in RESERVED:
        raise ValueError(
            f"no attribute may be called {name!r}, which the explorer uses itself: rename or remove it; "
            "reserved: " + ", ".join(sorted(RESERVED))
        )
    if choices and (len(choices) < 2 or len(set(choices)) != len(choices)):
        raise ValueError(f"attribute {name} needs two or more different choices, got {', '.join(choices)}")
    wrong = [colour for colour in attribute.colours if not COLOUR.fullmatch(colour)]
    if wrong or len(attribute.colours) not in (0, len(choices)):
        raise ValueError(f"attribute {name} needs a colour like #12abff for each choice, or none at all")
    narrowest = attribute.narrowest
    if not choices and not narrowest <= attribute.high - attribute.low < math.inf:
        raise ValueError(
            f"attribute {name} must reach from low to a high at least {narrowest:g} above it, which float32 "
            "tells apart: subtract what its numbers share"
        )


class AttributesEncoder(ConditionEncoder):
    """Attribute rows [N, K + 1] in, the same rows out as the condition vector. Has no weights."""

    form = Attributes.form

    def __init__(self, attributes: tuple[Attribute, ...]):
        if not attributes:
            raise ValueError("attributes must name at least one attribute")
        self.widths = [len(attribute.choices) or 1 for attribute in attributes]
        self.vector_dim = sum(self.widths) + 1
        self.auxiliary_dim = sum(self.widths)
        super().__init__(torch.zeros(BANK, self.vector_dim))
        self.attributes = attributes

    def fields(self) -> tuple[Choice | Range, ...]:
        return tuple(
            Choice(a.name, a.choices, a.colours)
            if a.choices
            else Range(a.name, a.low, a.high, (a.low + a.high) / 2, a.ends)
            for a in self.attributes
        )

    def parse(self, values: Mapping[str, Any]) -> Raw:
        """{"smile": "0.8", "hair_colour": "red", ...} -> [1, K + 1]. An attribute that is not named takes
        the middle of its range, or its first choice; choices can be mixed: "red:0.5,black:0.5".

        Raises ValueError if a name is unknown or a number is not in its attribute's range.
        """
        refuse_unknown(values, (attribute.name for attribute in self.attributes))
        parts = [_parse(a, str(values[a.name])) if a.name in values else _default(a) for a in self.attributes]
        return torch.cat([*parts, torch.ones(1)])[None]

    def encode(self, targets: Mapping[str, Any]) -> Raw:
        values = torch.as_tensor(targets[self.form], dtype=torch.float32)  # [N, A]
        parts = [
            F.one_hot(given.long(), len(a.choices)).float() if a.choices else _scaled(a, given)[:, None]
            for a, given in zip(self.attributes, values.unbind(1), strict=True)
        ]
        return torch.cat([*parts, torch.ones(len(values), 1)], dim=1)

    def decode(self, raw: Raw) -> dict[str, np.ndarray]:
        """Values in the attributes' own units, or the heaviest choice's index: float32 [N, A]."""
        columns = [
            part.argmax(1).float() if a.choices else a.low + (part[:, 0] + 1) / 2 * (a.high - a.low)
            for a, part in zip(self.attributes, raw[:, :-1].split(self.widths, 1), strict=True)
        ]
        return {self.form: torch.stack(columns, 1).numpy()}

    def null(self, count: int) -> Raw:
        return torch.zeros(count, self.vector_dim)

    def embed(self, raw: Raw) -> Cond:
        return Cond(vector=raw)

    def auxiliary_loss(self, auxiliary: Tensor, raw: Raw, cond: Cond) -> Tensor:
        """The mean over the attributes of the cross-entropy of a choice, or of a continuous value's absolute
        error in twentieths of its range (squared below one), [N]."""
        pairs = zip(auxiliary.float().split(self.widths, 1), raw[:, :-1].split(self.widths, 1), strict=True)
        losses = [
            F.cross_entropy(found, asked, reduction="none")
            if a.choices
            else F.smooth_l1_loss(found[:, 0] / TWENTIETH, asked[:, 0] / TWENTIETH, reduction="none")
            for a, (found, asked) in zip(self.attributes, pairs, strict=True)
        ]
        return torch.stack(losses, 1).mean(1) * raw[:, -1]


def _scaled(attribute: Attribute, value: Tensor) -> Tensor:
    return (2 * (value - attribute.low) / (attribute.high - attribute.low) - 1).clamp(-1, 1)


def _default(attribute: Attribute) -> Tensor:
    return torch.eye(len(attribute.choices))[0] if attribute.choices else torch.zeros(1)


def _parse(attribute: Attribute, text: str) -> Tensor:
    if attribute.choices:
        return parse_mixture(attribute.name, text, attribute.choices)
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not attribute.low <= value <= attribute.high:
        raise ValueError(
            f"{attribute.name} must be a number from {attribute.low:g} to {attribute.high:g}, got {text!r}"
        )
    return _scaled(attribute, torch.tensor([value]))
