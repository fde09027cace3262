"""A person's own pictures: class folders, a metadata table, or pictures beside masks or drawings.

docs/your-own-pictures.md shows the layouts. Nothing outside the folder is read; what can't be used is named
on stderr and left out.

Shapes: N pictures, C channels, H x W pixels, A attributes.
"""

from __future__ import annotations

import colorsys
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from cgan.data.base import Images, Split
from cgan.data.files import Notes, header, map_classes, present, read_files, read_map, read_picture, strict
from cgan.data.layout import Entry, index
from cgan.data.table import TEXT, Column, captions, columns

GREY = ("1", "L", "LA", "I", "F", "I;16", "I;16B", "I;16L", "I;16N")
CLASSES_FILE = "classes.txt"  # a line for each class of the masks: its name and, if wanted, a #rrggbb
CLASS_LINE = re.compile(r"(.+?)(?:\s+(#[0-9a-fA-F]{6}))?")


@dataclass(frozen=True, kw_only=True)
class Folder:
    """The pictures of a folder, of any size and mode, resized and cropped to squares."""

    title: ClassVar[str] = "a folder of pictures"
    classes: ClassVar[tuple[str, ...]] = ()  # the folder's own

    size: int = 64
    channels: int = 3  # 3 for colour, 1 for grey

    def __post_init__(self):
        if not 8 <= self.size <= 512 or self.channels not in (1, 3):
            raise ValueError(
                "dataset.size must be from 8 to 512 pixels and dataset.channels 1 or 3, "
                f"got {self.size} and {self.channels}"
            )

    def load(self, root: Path, split: Split, download: bool = False) -> Images:
        """uint8 [N, C, size, size] and, of "label", "attributes", "text", "mask" and "image", what the folder
        tells. Classes, ranges and choices are those of the whole folder, whichever the split.

        Raises FileNotFoundError if there is no such folder, ValueError if a table is wrong or no picture of
        the split can be read. What the whole folder lacks is told with the split "train" only.
        """
        root, notes = Path(os.path.realpath(root)), Notes()
        whole = notes if split == "train" else Notes(aloud=False)
        if not root.is_dir():
            raise FileNotFoundError(f"no folder {root}: --data-root must be a folder of pictures")
        entries, table = _complete(index(root, whole), root, whole)
        with strict():
            drawings = [header(entry.condition)[0] for entry in entries if entry.condition]
        drawing_channels = 1 if all(mode in GREY for mode in drawings if mode) else 3

        def read(row: int) -> tuple[np.ndarray, ...]:
            entry, parts = entries[row], [read_picture(entries[row].path, self.size, self.channels)]
            if entry.mask:
                _check_shape(entry.path, entry.mask)
                parts.append(read_map(entry.mask, self.size))
            if entry.condition:
                _check_shape(entry.path, entry.condition)
                parts.append(read_picture(entry.condition, self.size, drawing_channels))
            return tuple(parts)

        own = [row for row, entry in enumerate(entries) if entry.split == split]
        kept, parts = read_files(own, read, lambda row: entries[row].path.relative_to(root), notes)
        rows = [own[k] for k in kept]
        if kept and split == "train":
            for label in sorted({entry.label for entry in entries} - {entries[row].label for row in rows}):
                notes(f"class {label!r}", "it has no picture for training")
        notes.close()
        if not kept:
            found = f"{root} holds no picture for the {split} split that can be read"
            raise ValueError(f"{found}; docs/your-own-pictures.md shows how to lay out a folder")
        targets = _told(entries, rows) | _attributes(table, rows) | _maps(root, entries, parts[1:])
        return Images(parts[0], targets, _understood(entries, notes))


def _understood(entries: Sequence[Entry], notes: Notes) -> tuple[str, ...]:
    """How the folder was taken to be laid out, and how much was left out."""
    ways = {
        "class folders": any(entry.label and not entry.row for entry in entries),
        "a table": any(entry.row for entry in entries),
        "pictures beside masks": any(entry.mask for entry in entries),
        "pictures beside conditions": any(entry.condition for entry in entries),
    }
    ways = [way for way, found in ways.items() if found] or ["pictures of which nothing is known"]
    test = sum(entry.split == "test" for entry in entries)
    kept = f"found {' and '.join(ways)}; {test:,} more files are kept for testing"
    return kept, f"left out, as told above: {notes.count:,}" if notes.count else "nothing was left out"


def _complete(entries: Sequence[Entry], root: Path, notes: Notes) -> tuple[list[Entry], list[Column]]:
    """The entries that have all that any of them has (label, mask, condition picture, a value in every
    column), and the columns."""
    table = columns([entry.row for entry in entries], notes)
    parts = [part for part in ("label", "mask", "condition") if any(getattr(e, part) for e in entries)]
    rows = []
    for row, entry in enumerate(entries):
        missing = [part for part in parts if not getattr(entry, part)]
        missing += [attribute.name for attribute, values in table if values[row] is None]
        if missing:
            notes(entry.path.relative_to(root), f"no {', no '.join(missing)}; left out")
        else:
            rows.append(row)
    kept = [(attribute, [values[row] for row in rows]) for attribute, values in table]
    return [entries[row] for row in rows], kept


def _told(entries: Sequence[Entry], rows: Sequence[int]) -> dict[str, Any]:
    """Labels and captions, where the folder has any."""
    targets: dict[str, Any] = {}
    if labels := {entry.label for entry in entries} - {""}:
        numbers = all(label.isascii() and label.isdecimal() for label in labels)
        classes = sorted(labels, key=lambda label: (int(label) if numbers else 0, label))
        targets["label"] = torch.tensor([classes.index(entries[row].label) for row in rows])
        targets["classes"] = tuple(classes)
    if any(TEXT in entry.row for entry in entries):
        targets["text"] = [captions(entries[row].row.get(TEXT)) for row in rows]
    return targets


def _attributes(table: Sequence[Column], rows: Sequence[int]) -> dict[str, Any]:
    """float32 [N, A], where the folder has any."""
    if not table:
        return {}
    values = torch.tensor([[column[row] for _, column in table] for row in rows], dtype=torch.float32)
    return {"attributes": values, "attribute_fields": tuple(attribute for attribute, _ in table)}


def _maps(root: Path, entries: Sequence[Entry], maps: Sequence[Tensor]) -> dict[str, Any]:
    """Masks [N, H, W] and condition pictures [N, C, H, W], where the folder has any, in this order."""
    left, targets = list(maps), {}
    if masks := [entry.mask for entry in entries if entry.mask]:
        names, colours = _mask_classes(root, masks)
        targets = {"mask": left.pop(0), "mask_classes": names, "mask_colours": colours}
    return targets | ({"image": left[0]} if left else {})


def _mask_classes(root: Path, masks: Sequence[Path]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names and colours "#rrggbb": of classes.txt, else numbers, and of a mask's palette, else our own."""
    count, palette = map_classes(masks)
    path = root / CLASSES_FILE
    there = present(path, root)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines() if there else []
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    given = [CLASS_LINE.fullmatch(line.strip()) for line in lines if line.strip()]
    if given and len(given) < count:
        raise ValueError(f"{path} names {len(given)} classes, the masks hold ids up to {count - 1}")
    names, colours = [], []
    for k in range(max(count, len(given))):
        name, colour = given[k].groups() if given else (f"class {k}", None)
        rgb = palette[3 * k : 3 * k + 3] if palette else []
        names.append(name)
        colours.append(colour or "#" + bytes(rgb if len(rgb) == 3 else _own_colour(k)).hex())
    return tuple(names), tuple(colours)


def _own_colour(k: int) -> list[int]:
    """Dark grey for class 0, then hues that lie far apart: the golden ratio's steps round the circle."""
    hsv = (k * 0.618034 % 1, 0.65, 0.95) if k else (0.0, 0.0, 0.2)
    return [round(255 * part) for part in colorsys.hsv_to_rgb(*hsv)]


def _check_shape(path: Path, other: Path) -> None:
    """ValueError if two files can't lie over each other."""
    ratios = header(path)[1], header(other)[1]
    if all(ratios) and not 0.98 < ratios[0] / ratios[1] < 1.02:
        raise ValueError(f"{other.parent.name}/{other.name} has another shape than the picture")
