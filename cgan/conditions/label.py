"""The class label. Raw is a row of weights over the classes, so that several labels can be mixed softly.

Shapes: N pictures, K classes. The condition vector is the weights themselves: each network's first linear
layer on it is that network's own class embedding.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from cgan.conditions.base import Choice, ConditionEncoder, column, refuse_unknown
from cgan.conditions.mixture import parse_mixture
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
        found = tuple(targets["classes"] if "classes" in targets else column(targets, self.form))
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
        refuse_unknown(values, [self.form])
        if self.form not in values:
            raise ValueError(f"label is missing; accepted: {', '.join(self.classes)}")
        return parse_mixture(self.form, str(values[self.form]), self.classes)[None]

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

    def auxiliary_loss(self, auxiliary: Tensor, raw: Raw, cond: Cond) -> Tensor:
        """Cross-entropy against the label weights, [N]: one half of Odena et al. 2017, equation 3, whichever
        pictures these are. Dropped labels count 0."""
        return F.cross_entropy(auxiliary.float(), raw, reduction="none")
