"""What is kept of the models' data sets, read once: their judges, and real pictures."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeVar

from cgan.data import DATASETS
from cgan.model import ConditionalGAN

Kept = TypeVar("Kept")


def loaded(load: Callable[[str], Kept], model: ConditionalGAN) -> Kept | None:
    """What `load` finds of the model's data set; None if nothing is kept of it or the file is damaged."""
    return _loaded(load, DATASETS.name_of(model.config.dataset))


@functools.cache
def _loaded(load: Callable[[str], Kept], dataset: str) -> Kept | None:
    try:
        return load(dataset)
    except (FileNotFoundError, ValueError):
        return None
