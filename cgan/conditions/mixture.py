"""A choice among names, or a mixture of several: 'NAME', or 'NAME:WEIGHT,NAME:WEIGHT'. Names may have commas.

Shapes: K choices.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from cgan.registry import closest


def parse_mixture(field: str, text: str, choices: tuple[str, ...]) -> Tensor:
    """Weights [K] that sum to 1.

    Raises ValueError if a name is unknown, a weight is not a number from 0 up, all weights are 0, or there
    are more parts than choices.
    """
    most = len(choices) + sum(name.count(",") for name in choices)
    if text.count(",") >= most:
        raise ValueError(f"{field} takes at most {most} names between commas, got {text.count(',') + 1}")
    weights = torch.zeros(len(choices))
    for name, weight in [(text, "1")] if text in choices else _entries(text, choices):
        if name not in choices:
            hint = closest(name, list(choices))
            raise ValueError(
                f"unknown {field} {name!r}.{hint} Accepted: {', '.join(choices)}, or NAME:WEIGHT,..."
            )
        weights[choices.index(name)] += _weight(field, name, weight)
    if not 0 < weights.sum() < math.inf:
        raise ValueError(f"{field} needs at least one weight above 0")
    return weights / weights.sum()


def _entries(text: str, choices: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Names and weights: of as many parts between commas as make a known name, else of one part."""
    parts, most = text.split(","), 1 + max(name.count(",") for name in choices)
    while parts:
        count = most
        while count > 1 and not _known(",".join(parts[:count]), choices):
            count -= 1
        yield _cut(",".join(parts[:count]), choices)
        del parts[:count]


def _known(entry: str, choices: tuple[str, ...]) -> bool:
    """Whether it is one name and its weight. A comma after the colon is the next one's."""
    name, weight = _cut(entry, choices)
    return name in choices and "," not in weight


def _cut(entry: str, choices: tuple[str, ...]) -> tuple[str, str]:
    if entry.strip() in choices:
        return entry.strip(), "1"
    name, _, weight = entry.rpartition(":")
    return name.strip() or entry.strip(), weight


def _weight(field: str, name: str, text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not 0 <= weight <= 1e6:
        raise ValueError(f"{field} weight of {name!r} must be a number from 0 to 1000000, got {text!r}")
    return weight
