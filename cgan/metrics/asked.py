"""What each picture of a data set is asked to show, as the measures of obedience want it.

Shapes: N pictures, A attributes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from cgan.types import Attribute


def asked(dataset: Any, form: str, targets: Mapping[str, Any]) -> dict[str, Any]:
    """The targets, and for

    - attributes: "visible" bool [N, A], if the data set has a method of that name
    - text: of each picture's captions the one that its condition is encoded from, and "terms" [N, A, 2], if
      the data set has a method of that name: the interval that the caption asks an attribute to lie in, NaN
      where it names none.
    """
    found = dict(targets)
    if form == "attributes" and hasattr(dataset, "visible"):
        found["visible"] = dataset.visible(targets["attributes"])
    if form == "text" and "text" in targets:
        captions = [row[k % len(row)] if row else "" for k, row in enumerate(targets["text"])]
        found["text"] = [(caption,) for caption in captions]
        if hasattr(dataset, "terms"):
            found["terms"] = _intervals(captions, targets["attribute_fields"], dataset.terms)
    return found


def _intervals(
    captions: Sequence[str],
    attributes: Sequence[Attribute],
    terms: Callable[[str], Mapping[str, tuple[float, float]]],
) -> Tensor:
    """[N, A, 2]."""
    nothing = (math.nan, math.nan)
    rows = [[named.get(a.name, nothing) for a in attributes] for named in map(terms, captions)]
    return torch.tensor(rows).view(len(captions), len(attributes), 2)


def rows_of(targets: Mapping[str, Any], rows: Tensor) -> dict[str, Any]:
    """The targets of some pictures: tensors and lists have a row for each, what else there is stays."""
    return {
        key: value[rows]
        if isinstance(value, Tensor)
        else [value[row] for row in rows.tolist()]
        if isinstance(value, list)
        else value
        for key, value in targets.items()
    }
