"""What a form of condition is. One form a file; no network, engine or tab knows a form by name.

A form is a frozen dataclass of options (`Condition`), registered in `cgan.conditions`, written to
config.json. Its `build()` makes the `ConditionEncoder`, the module that turns what a person gives into
`Cond`.

Shapes: N pictures, D condition width, K auxiliary outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from torch import Tensor, nn

from cgan.types import Cond, Raw


@dataclass(frozen=True)
class Choice:
    """A field that takes one of several names, or a mixture 'NAME:WEIGHT,NAME:WEIGHT'."""

    name: str
    choices: tuple[str, ...]


Field = Choice
"""A declarative input; UI, CLI and API build their widgets, options and checks from it."""


class Condition(Protocol):
    """Options of a form. `form` names it and the data column it reads."""

    form: str

    def fit(self, targets: Mapping[str, Any]) -> Condition:
        """These options completed from a data set's targets and metadata (class names, vocabulary)."""

    def build(self) -> ConditionEncoder:
        """The encoder, with fresh weights where it has any."""


class ConditionEncoder(nn.Module):
    """Turns what a person gives, or a data set holds, into `Cond`."""

    form: str
    vector_dim: int = 0
    spatial_channels: int = 0
    auxiliary_dim: int = 0

    def fields(self) -> tuple[Field, ...]:
        """The inputs a person fills in."""
        raise NotImplementedError

    def parse(self, values: Mapping[str, Any]) -> Raw:
        """One person's values, by field name -> raw [1, ...]. ValueError names the field and what it
        accepts."""
        raise NotImplementedError

    def encode(self, targets: Mapping[str, Any]) -> Raw:
        """A data set's targets -> raw [N, ...]."""
        raise NotImplementedError

    def decode(self, raw: Raw) -> dict[str, np.ndarray]:
        """raw [N, ...] -> the named columns that `sample` writes."""
        raise NotImplementedError

    def sample(self, count: int, seed: int, first: int = 0) -> Raw:
        """raw of the samples first, first + 1, ... drawn from the prior by (seed, index), on the CPU."""
        raise NotImplementedError

    def null(self, count: int) -> Raw:
        """'No condition', for condition dropout and guidance."""
        raise NotImplementedError

    def embed(self, raw: Raw) -> Cond:
        """raw [N, ...] -> Cond(vector [N, D], spatial [N, C, H, W])."""
        raise NotImplementedError

    def auxiliary_loss(self, auxiliary: Tensor, raw: Raw) -> Tensor:
        """How far an auxiliary head's outputs [N, K] are from raw, per sample: [N]."""
        raise NotImplementedError
