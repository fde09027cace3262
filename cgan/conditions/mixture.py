"""A choice among names, or a mixture of several: 'NAME', or 'NAME:WEIGHT,NAME:WEIGHT'.

Shapes: K choices.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from cgan.registry import closest


def parse_mixture(field: str, text: str, choices: tuple[str, ...]) -> Tensor:
    """Weights [K] that sum to 1.

    Raises ValueError if a name is unknown, a weight is not a number from 0 up, or all weights are 0.
    """
    weights = torch.zeros(len(choices))
    for part in [text] if text in choices else text.split(","):
        name, weight = _entry(field, part, choices)
        weights[choices.index(name)] += weight
    if not 0 < weights.sum() < math.inf:
        raise ValueError(f"{field} needs at least one weight above 0")
    return weights / weights.sum()


def _entry(field: str, part: str, choices: tuple[str, ...]) -> tuple[str, float]:
    if part.strip() in choices:
        return part.strip(), 1.0
    name, _, text = part.rpartition(":")
    name = name.strip() or part.strip()
    if name not in choices:
        hint = closest(name, list(choices))
        raise ValueError(
            f"unknown {field} {name!r}.{hint} Accepted: {', '.join(choices)}, or NAME:WEIGHT,..."
        )
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not 0 <= weight <= 1e6:
        raise ValueError(f"{field} weight of {name!r} must be a number from 0 to 1000000, got {text!r}")
    return name, weight
