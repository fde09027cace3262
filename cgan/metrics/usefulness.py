"""Usefulness: what a classifier learns from generated pictures alone.

GAN-train (Shmelkov et al. 2018, section 3), or classification accuracy score (Ravuri & Vinyals 2019).

Shapes: N pictures, C channels, H x W pixels.
"""

from __future__ import annotations

import dataclasses

from torch import Tensor

from cgan.metrics.classifier import Recipe, fit

# Nothing is turned, shifted or scaled: what variety the pictures lack, the pupil lacks.
PUPIL = Recipe(epochs=12, degrees=0, shift=0, scale=0)


def usefulness(
    images: Tensor, labels: Tensor, test: tuple[Tensor, Tensor], classes: int, *, epochs: int, seed: int = 0
) -> float:
    """Accuracy on real test pictures and labels of a small classifier trained on the given ones only, 0 to 1.

    Pictures uint8 [N, C, H, W], labels int64 [N]. ValueError if there are fewer pictures than a batch of 128.
    """
    pupil = fit(images, labels, classes, recipe=dataclasses.replace(PUPIL, epochs=epochs), seed=seed)
    return pupil.read(test[0]).accuracy(test[1])
