"""What a form of condition is. One form a file; no network, engine or tab knows a form by name.

A form is a frozen dataclass of options (`Condition`), registered in `cgan.conditions`, written to
config.json. Its `build()` makes the `ConditionEncoder`, the module that turns what a person gives into
`Cond`.

Shapes: N pictures, B remembered conditions, D condition width, K auxiliary outputs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from cgan.registry import closest
from cgan.rng import stream
from cgan.types import Cond, Raw

RESERVED = frozenset(
    ("seed", "seed2", "psi", "z", "raw", "count", "steps", "scale", "first", "t", "mode", "strength", "rows")
    + ("transpose", "model", "v", "client", "fps", "tab", "seed3", "seed4", "x", "y", "over", "across", "up")
    + ("mixed", "corners", "kind", "moves", "layers", "names", "snap", "speed")
    + ("snapshot", "view", "block", "off", "drawn", "columns", "along")
    + ("heat", "seek", "space", "noise", "techniques", "lang")
    + ("id", "dataset", "elements")  # hidden in a form by a control of that name
)
"""Parameters of the explorer's address, and what else its page needs, which no field may be called."""
EXAMPLES = 8  # of a data set's conditions that a person may start from


@dataclass(frozen=True)
class Choice:
    """A field that takes one of several names, or a mixture 'NAME:WEIGHT,NAME:WEIGHT'."""

    name: str
    choices: tuple[str, ...]
    colours: tuple[str, ...] = ()  # "#rrggbb", one a choice, where the choices are colours


@dataclass(frozen=True)
class Range:
    """A field that takes a number from `low` to `high`."""

    name: str
    low: float
    high: float
    default: float
    ends: tuple[str, str] = ("", "")  # what `low` and `high` look like


@dataclass(frozen=True)
class Caption:
    """A field that takes a sentence."""

    name: str
    examples: tuple[str, ...]
    longest: int  # characters


@dataclass(frozen=True)
class Paint:
    """A field that takes a map of class ids, as `cgan.conditions.pictures` writes it."""

    name: str
    classes: tuple[str, ...]
    colours: tuple[str, ...]  # "#rrggbb", one a class
    size: int  # height and width in pixels
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Sketch:
    """A field that takes a drawing or a picture, as `cgan.conditions.pictures` writes it."""

    name: str
    size: int  # height and width in pixels
    channels: int
    examples: tuple[str, ...]


Field = Choice | Range | Caption | Paint | Sketch
"""A declarative input; UI, CLI and API build their widgets, options and checks from it."""


@dataclass(frozen=True)
class Remark:
    """What of a person's values is understood only in part."""

    kind: str  # for which the page has words in every language
    values: Mapping[str, str | int]  # that these words speak of
    text: str  # the same in English


class Condition(Protocol):
    """Options of a form. `form` names it and the data column it reads."""

    form: str

    def fit(self, targets: Mapping[str, Any]) -> Condition:
        """These options completed from a data set's targets and metadata (class names, vocabulary).
        ValueError names what the targets lack."""

    def build(self) -> ConditionEncoder:
        """The encoder, with fresh weights where it has any."""


class ConditionEncoder(nn.Module):
    """Turns what a person gives, or a data set holds, into `Cond`."""

    form: str
    reader: str = ""  # the layers, if any, through which the vector comes
    vector_dim: int = 0
    spatial_channels: int = 0
    auxiliary_dim: int = 0

    def __init__(self, bank: Raw | None = None):
        """`bank`: room for conditions of the data [B, ...], from which `sample` draws."""
        super().__init__()
        self.register_buffer("bank", bank)

    def fields(self) -> tuple[Field, ...]:
        """The inputs a person fills in."""
        raise NotImplementedError

    def parse(self, values: Mapping[str, Any]) -> Raw:
        """One person's values, by field name -> raw [1, ...]. ValueError names the field and what it
        accepts."""
        raise NotImplementedError

    def remarks(self, values: Mapping[str, Any]) -> tuple[Remark, ...]:
        """What `parse` understands only in part; it goes on without."""
        return ()

    def encode(self, targets: Mapping[str, Any]) -> Raw:
        """A data set's targets -> raw [N, ...]."""
        raise NotImplementedError

    def decode(self, raw: Raw) -> dict[str, np.ndarray]:
        """raw [N, ...] -> the named columns that `sample` writes."""
        raise NotImplementedError

    def check(self, raw: Raw) -> None:
        """ValueError if raw [N, ...], which may come from a file, is nothing that could be asked."""

    @torch.no_grad()
    def remember(self, raw: Raw) -> None:
        """Fill the bank from a data set's raw [N, ...], evenly over its rows."""
        if self.bank is not None:
            rows = torch.arange(len(self.bank), device=raw.device) * len(raw) // len(self.bank)
            self.bank.copy_(raw[rows])

    def sample(self, count: int, seed: int, first: int = 0) -> Raw:
        """raw of the samples first, first + 1, ... drawn from the prior by (seed, index), on the CPU: rows of
        the bank."""
        rows = [int(stream(seed, k, purpose=2).integers(len(self.bank))) for k in range(first, first + count)]
        return self.bank.cpu()[torch.tensor(rows, dtype=torch.long)]

    def null(self, count: int) -> Raw:
        """'No condition', for condition dropout and guidance."""
        raise NotImplementedError

    def given(self, raw: Raw) -> Tensor:
        """Whether each of raw [N, ...] asks for anything, bool [N]."""
        with raw.device:  # made there: a copy would wait for the device
            null = self.null(1)
        return (raw != null).flatten(1).any(1)

    def embed(self, raw: Raw) -> Cond:
        """raw [N, ...] -> Cond(vector [N, D], spatial [N, C, H, W])."""
        raise NotImplementedError

    def auxiliary_loss(self, auxiliary: Tensor, raw: Raw, cond: Cond) -> Tensor:
        """How far an auxiliary head's outputs [N, K] are from raw, whose embedding is `cond`, per sample:
        [N]. Withheld conditions count 0."""
        raise NotImplementedError


def column(targets: Mapping[str, Any], name: str) -> Any:
    """A data set's column. ValueError names it if it is missing, and those that are there."""
    if name not in targets:
        there = [key for key, value in targets.items() if not isinstance(value, tuple)]  # no lists of names
        nothing = "nothing is known of its pictures; docs/your-own-pictures.md shows how to tell it"
        may = f"--condition may ask for: {', '.join(there)}" if there else nothing
        raise ValueError(f"the data set has no column {name!r}; {may}")
    return targets[name]


def refuse_unknown(values: Mapping[str, Any], names: Iterable[str]) -> None:
    """ValueError if `values` holds a field of another name."""
    names = list(names)
    for name in values:
        if name not in names:
            hint = closest(str(name), names)
            raise ValueError(
                f"unknown condition field {name!r}; this model accepts: {', '.join(names)}.{hint}".rstrip(".")
            )
