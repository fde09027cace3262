"""The class label. Raw is a row of weights over the classes, so that several labels can be mixed softly.

Shapes: N pictures, K classes. The condition vector is the weights themselves: each network's first linear
layer on it is that network's own class embedding.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from cgan.conditions.base import Choice, ConditionEncoder
from cgan.registry import closest
from cgan.rng import stream
from cgan.types import Cond, Raw


@dataclass(frozen=True, kw_only=True)
class Label:
    """One of several classes (Mirza & Osindero 2014, "Conditional Generative Adversarial Nets")."""

    form: ClassVar[str] = "label"
    classes: tuple[str, ...] = ()

    def __post_init__(self):
        if len(set(self.classes)) != len(self.classes):
            raise ValueError(f"classes must be distinct, got {', '.join(self.classes)}")

    def fit(self, targets: Mapping[str, Any]) -> Label:
        """With the data set's class names where none were given. ValueError if the two disagree in number."""
        found = tuple(targets["classes"])
        if self.classes and len(self.classes) != len(found):
            raise ValueError(f"classes names {len(self.classes)} classes, the data set has {len(found)}")
        return dataclasses.replace(self, classes=self.classes or found)

    def build(self) -> LabelEncoder:
        return LabelEncoder(self.classes)


class LabelEncoder(ConditionEncoder):
    """Label weights [N, K] in, the same weights out as the condition vector. Has no weights of its own."""

    form = Label.form

    def __init__(self, classes: tuple[str, ...]):
        super().__init__()
        if not classes:
            raise ValueError("classes must name at least one class")
        self.classes = classes
        self.vector_dim = self.auxiliary_dim = len(classes)

    def fields(self) -> tuple[Choice, ...]:
        return (Choice(self.form, self.classes),)

    def parse(self, values: Mapping[str, Any]) -> Raw:
        """{"label": "3"} or {"label": "3:0.5,8:0.5"} -> weights [1, K] that sum to 1.

        Raises ValueError if the name is unknown, a weight is not a number from 0 up, or all weights are 0.
        """
        unknown = set(values) - {self.form}
        if unknown:
            raise ValueError(
                f"unknown condition field {sorted(unknown)[0]!r}; this model accepts: {self.form}"
            )
        if self.form not in values:
            raise ValueError(f"label is missing; accepted: {', '.join(self.classes)}")
        weights = torch.zeros(1, len(self.classes))
        text = str(values[self.form])
        parts = [text] if text in self.classes else text.split(",")
        for part in parts:
            name, weight = self._entry(part)
            weights[0, self.classes.index(name)] += weight
        if not 0 < weights.sum() < math.inf:
            raise ValueError("label needs at least one weight above 0")
        return weights / weights.sum()

    def _entry(self, part: str) -> tuple[str, float]:
        if part.strip() in self.classes:
            return part.strip(), 1.0
        name, _, text = part.rpartition(":")
        name = name.strip() or part.strip()
        if name not in self.classes:
            hint = closest(name, list(self.classes))
            raise ValueError(
                f"unknown label {name!r}.{hint} Accepted: {', '.join(self.classes)}, or NAME:WEIGHT,..."
            )
        try:
            weight = float(text)
        except ValueError:
            weight = math.nan
        if not 0 <= weight <= 1e6:
            raise ValueError(f"label weight of {name!r} must be a number from 0 to 1000000, got {text!r}")
        return name, weight

    def encode(self, targets: Mapping[str, Any]) -> Raw:
        return F.one_hot(torch.as_tensor(targets[self.form]).long(), len(self.classes)).float()

    def decode(self, raw: Raw) -> dict[str, np.ndarray]:
        """The heaviest class of each, int64 [N]."""
        return {self.form: raw.argmax(1).numpy().astype(np.int64)}

    def sample(self, count: int, seed: int, first: int = 0) -> Raw:
        """Uniform over the classes, one-hot [count, K]."""
        draws = [
            int(stream(seed, k, purpose=2).integers(len(self.classes))) for k in range(first, first + count)
        ]
        return self.encode({self.form: torch.tensor(draws, dtype=torch.long)})

    def null(self, count: int) -> Raw:
        return torch.zeros(count, len(self.classes))

    def embed(self, raw: Raw) -> Cond:
        return Cond(vector=raw)

    def auxiliary_loss(self, auxiliary: Tensor, raw: Raw) -> Tensor:
        """Cross-entropy against the label weights, [N] (Odena et al. 2017, equation 3). Dropped labels count
        0."""
        return F.cross_entropy(auxiliary.float(), raw, reduction="none")
