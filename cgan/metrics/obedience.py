"""Obedience: does a picture show what was asked for? Each form of condition brings its own measure.

Shapes: N pictures, C channels, H x W pixels, K classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor

from cgan.metrics.classifier import Features


class Measure(Protocol):
    """How far pictures follow one form of condition. `headline` is the result's key that sums it up."""

    headline: ClassVar[str]

    def __call__(self, images: Tensor, asked: Mapping[str, Any], judged: Features) -> dict[str, Any]:
        """Of pictures uint8 [N, C, H, W], what was asked of each, and what the judge says of them.

        Gives floats and (nested) lists of floats. ValueError if `asked` lacks what the measure needs.
        """


@dataclass(frozen=True, kw_only=True)
class LabelObedience:
    """GAN-test: the judge's accuracy against the asked label (Shmelkov et al. 2018, section 3)."""

    headline: ClassVar[str] = "accuracy"

    def __call__(self, images: Tensor, asked: Mapping[str, Any], judged: Features) -> dict[str, Any]:
        """
        - accuracy: share of pictures judged to be what was asked, 0 to 1; per_class: the same by class [K]
        - confusion: [K, K], row asked, column judged, each row sums to 1; a class never asked for has zeros
        """
        labels = torch.as_tensor(asked["label"])
        classes = judged.logits.shape[1]
        if len(labels) != len(judged) or not 0 <= labels.min() <= labels.max() < classes:
            raise ValueError(f"labels must be {len(judged)} whole numbers from 0 to {classes - 1}")
        pairs = labels * classes + judged.logits.argmax(1)
        counts = pairs.bincount(minlength=classes**2).view(classes, classes).double()
        confusion = counts / counts.sum(1, keepdim=True).clamp(min=1)
        return {
            "accuracy": judged.accuracy(labels),
            "per_class": confusion.diagonal().tolist(),
            "confusion": confusion.tolist(),
        }
