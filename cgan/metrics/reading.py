"""What a judge reads off one picture, beside what was asked of it, for a person to compare.

Each form of condition brings its own reading, as it brings its own measure of obedience.

Shapes: H x W pixels, A attributes, K classes, L channels of a drawing; N is 1 everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from cgan.metrics.judge import Judgement, Subjects
from cgan.metrics.obedience import NOTHING, ink, near, pairs
from cgan.types import Attribute

SEEN = 0.05  # least probability of a class that is worth telling
NEARLY = 0.25  # from an asked weight: a probability as far from it or nearer is right
CLOSE = 0.15  # of an attribute's range: what is as far from the asked value or nearer is right
OVERLAP, LIKENESS = 0.5, 0.7  # from which on a class of a map, or a drawing, counts as obeyed


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One thing that was looked at. Numbers are shares from 0 to 1, words are names of choices."""

    name: str
    asked: float | str | None  # None where only the match can be told
    read: float | str
    match: bool
    to: float | None = None  # where `asked` is an interval, its other end


class Reader(Protocol):
    """Reads one picture. `asked` is as for the form's measure."""

    def __call__(self, asked: Mapping[str, Any], judged: Judgement, subjects: Subjects) -> list[Reading]: ...


def read_label(asked: Mapping[str, Any], judged: Judgement, subjects: Subjects) -> list[Reading]:
    """The probability of each class beside the weight that it was asked with, the strongest first."""
    weights, found = asked["weights"][0].tolist(), judged.logits[0].softmax(0).tolist()
    rows = [
        Reading(name=name, asked=weight, read=share, match=abs(weight - share) <= NEARLY)
        for name, weight, share in zip(subjects.labels, weights, found, strict=True)
        if weight > 0 or share >= SEEN
    ]
    return sorted(rows, key=lambda row: -max(row.asked, row.read))


def read_attributes(asked: Mapping[str, Any], judged: Judgement, subjects: Subjects) -> list[Reading]:
    """Every attribute that could be seen: its choice, or its place in its range."""
    seen = asked.get("visible", torch.ones_like(judged.attributes, dtype=torch.bool))[0].tolist()
    values = asked["attributes"][0].tolist(), judged.attributes[0].tolist()
    rows = []
    for shown, attribute, wanted, found in zip(seen, subjects.attributes, *values, strict=True):
        if shown and attribute.choices:
            names = attribute.choices[round(wanted)], attribute.choices[round(found)]
            rows.append(
                Reading(name=attribute.name, asked=names[0], read=names[1], match=names[0] == names[1])
            )
        elif shown:
            a, b = _share(attribute, wanted), _share(attribute, found)
            rows.append(Reading(name=attribute.name, asked=a, read=b, match=abs(a - b) <= CLOSE))
    return rows


def read_text(asked: Mapping[str, Any], judged: Judgement, subjects: Subjects) -> list[Reading]:
    """Every attribute that the caption names, and whether it was found as the caption has it."""
    rows = []
    for attribute, (low, high), found in zip(
        subjects.attributes, asked["terms"][0].tolist(), judged.attributes[0].tolist(), strict=True
    ):
        if low != low:  # NaN: not named
            continue
        if attribute.choices:
            wanted = attribute.choices[round(low) : round(high) + 1]
            name = attribute.choices[round(found)]
            rows.append(
                Reading(name=attribute.name, asked=" / ".join(wanted), read=name, match=low <= found <= high)
            )
        else:
            a, b, c = (_share(attribute, value) for value in (low, high, found))
            rows.append(Reading(name=attribute.name, asked=a, to=b, read=c, match=low <= found <= high))
    return rows


def read_mask(asked: Mapping[str, Any], judged: Judgement, subjects: Subjects) -> list[Reading]:
    """Intersection over union of every class that was asked for or found."""
    maps, given = asked["mask"], asked["mask"] != NOTHING
    counts = pairs(maps[given].long(), judged.mask[given].long(), len(subjects.mask)).double()
    union = counts.sum(0) + counts.sum(1) - counts.diagonal()
    overlap = (counts.diagonal() / union.clamp(min=1)).tolist()
    return [
        Reading(name=name, asked=None, read=overlap[k], match=overlap[k] >= OVERLAP)
        for k, name in enumerate(subjects.mask)
        if union[k] > 0
    ]


def read_image(asked: Mapping[str, Any], judged: Judgement, subjects: Subjects) -> list[Reading]:
    """How much of the asked lines the judge draws, and how much of what it draws was asked."""
    wanted, drawn = ink(asked["image"]), ink(judged.image)
    shares = {
        "recall": (wanted & near(drawn)).sum() / wanted.sum().clamp(min=1),
        "precision": (drawn & near(wanted)).sum() / drawn.sum().clamp(min=1),
    }
    return [
        Reading(name=name, asked=None, read=share.item(), match=share.item() >= LIKENESS)
        for name, share in shares.items()
    ]


def _share(attribute: Attribute, value: float) -> float:
    """Where in its range a value lies, 0 to 1."""
    return min(1.0, max(0.0, (value - attribute.low) / (attribute.high - attribute.low)))


READERS: Mapping[str, Reader] = {
    "label": read_label,
    "attributes": read_attributes,
    "text": read_text,
    "mask": read_mask,
    "image": read_image,
}
