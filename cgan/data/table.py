"""metadata.csv and metadata.jsonl beside pictures (the Hub's ImageFolder convention), and what their columns
say as attributes.

Shapes: N pictures, A attributes.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from cgan.data.files import Notes, present
from cgan.types import Attribute

NAMES = ("metadata.csv", "metadata.jsonl")
FILE, LABEL, TEXT = "file_name", "label", "text"  # columns with a meaning of their own
MOST_CHOICES = 64  # different texts of one attribute
LARGEST = 1e38  # size of a number; a wider range would leave float32
MISSING = frozenset(("nan", "none", "null", "n/a", "na"))  # beside an empty cell, in any case
YES_NO = {"false": 0.0, "true": 1.0, "0": 0.0, "1": 1.0, "0.0": 0.0, "1.0": 1.0}

Row: TypeAlias = Mapping[str, Any]
Column: TypeAlias = tuple[Attribute, list[float | None]]


def find_table(folders: Sequence[Path], root: Path) -> Path | None:
    """The metadata file in one of the folders. ValueError if there are several, or it is a link out of
    `root`."""
    paths = [folder / name for folder in dict.fromkeys(folders) for name in NAMES]
    found = [path for path in paths if present(path, root)]
    if len(found) > 1:
        raise ValueError(f"{found[0]} and {found[1]} both describe the pictures: keep one of them")
    return found[0] if found else None


def read_table(path: Path, notes: Notes) -> list[tuple[int, Row]]:
    """(line, row) of a metadata file. A row that has more cells than the header is named and left out.

    Raises ValueError, in one line, if the file is no such table, or has no rows or no column file_name.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = _csv(file) if path.suffix == ".csv" else _jsonl(file)
    except (csv.Error, ValueError, RecursionError) as error:
        raise ValueError(f"{path}: {' '.join(str(error).split())[:200]}") from error
    names = sorted({key for _, row in rows for key in row if key is not None})
    if not rows:
        raise ValueError(f"{path} has no rows")
    if FILE not in names:
        raise ValueError(f"{path} has no column {FILE}; it has: {', '.join(names)}")
    for line, row in rows:
        if None in row:
            notes(f"{path.name} line {line}", "more cells than columns (quote a text with commas); left out")
    return [(line, row) for line, row in rows if None not in row]


def _csv(file) -> list[tuple[int, Row]]:
    reader = csv.DictReader(file, restval="", skipinitialspace=True)
    names = reader.fieldnames = [_own(name.strip()) for name in reader.fieldnames or ()]
    if twice := [name for name in names if name and names.count(name) > 1]:
        raise ValueError(f"two columns are called {twice[0]!r}")
    return [(reader.line_num, row) for row in reader]


def _jsonl(file) -> list[tuple[int, Row]]:
    rows = []
    for number, line in enumerate(file, 1):
        if line.strip():
            try:
                row = json.loads(line)
            except ValueError as error:
                raise ValueError(f"line {number} is no JSON ({error})") from error
            if not isinstance(row, dict):
                raise ValueError(f"line {number} must be a JSON object")
            if len(named := {_own(name): value for name, value in row.items()}) < len(row):
                raise ValueError(f"line {number} has two columns that differ only in capitals")
            rows.append((number, named))
    return rows


def _own(name: str) -> str:
    """A column's name; if it has a meaning of its own, in small letters."""
    return name.lower() if name.lower() in (FILE, LABEL, TEXT) else name


def plain(text: str) -> str:
    """A text as UTF-8 can write it: with question marks in place of what a broken one has."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _written(value: Any) -> str:
    return plain(str(value)).strip()


def cell(value: Any) -> str:
    """A value as text; an absent one as an empty text."""
    return "" if value is None else json.dumps(value) if isinstance(value, bool) else _written(value)


def captions(value: Any) -> tuple[str, ...]:
    """A row's captions: one text, or in JSON a list of them."""
    texts = value if isinstance(value, list) else [value]
    return tuple(text for text in ("" if t is None else _written(t) for t in texts) if text) or ("",)


def columns(rows: Sequence[Row], notes: Notes) -> list[Column]:
    """Attributes and their values, one a row (None: not given), from every column without a meaning of its
    own. Columns that say nothing, or can't be an attribute, are named and left out.

    ValueError if two names become one.
    """
    names = dict.fromkeys(key for row in rows for key in row if key not in (FILE, LABEL, TEXT))
    found: dict[str, Column] = {}
    for name in names:
        column = _column(name, [row.get(name) for row in rows])
        if isinstance(column, str):
            notes(f"column {name!r}", f"{column}; left out")
        elif column[0].name in found:
            raise ValueError(f"two columns have the name {column[0].name!r} in small letters: rename one")
        else:
            found[column[0].name] = column
    return list(found.values())


def _column(name: str, values: Sequence[Any]) -> Column | str:
    """The attribute that a column is, or why it is none."""
    slug = re.sub("[^a-z0-9]+", "_", name.lower()).strip("_")
    if not slug[:1].isalpha():
        return "an attribute's name begins with a letter from a to z"
    if any(isinstance(value, list | dict) for value in values):
        return "lists and objects are no attribute"
    texts = ["" if (text := cell(value)).lower() in MISSING else text for value in values]
    given = {text.lower() for text in texts if text}
    if not given or len(set(texts)) < 2:
        return "it says the same of every picture"
    if given <= set(YES_NO):
        values = [YES_NO.get(text.lower()) for text in texts]
        if len(set(values) - {None}) < 2:
            return "it says the same of every picture"
        return Attribute(slug, ("no", "yes")), values
    numbers = [_number(text) if text else None for text in texts]
    if all(number is not None for number, text in zip(numbers, texts, strict=True) if text):
        known = [number for number in numbers if number is not None]
        attribute = Attribute(slug, low=min(known), high=max(known))
        if attribute.high - attribute.low < attribute.narrowest:
            return "its numbers are the same, or too close for their size: subtract what they share"
        return attribute, numbers
    choices = sorted({text or "none" for text in texts})
    if len(choices) > MOST_CHOICES:
        return f"{len(choices):,} different texts, an attribute has at most {MOST_CHOICES}"
    return Attribute(slug, tuple(choices)), [float(choices.index(text or "none")) for text in texts]


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) <= LARGEST else None
