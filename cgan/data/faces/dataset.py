"""Cartoon faces as a data set: drawn on every core the first time, then read back from the disk.

Shapes: N faces, A attributes, S x S pixels.
"""

from __future__ import annotations

import gc
import json
import math
import mmap
import multiprocessing
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from cgan.data.base import Images, Split
from cgan.data.faces.attributes import (
    ATTRIBUTES,
    CLASSES,
    NAMES,
    PURPOSE,
    SEEDS,
    SHADES,
    Details,
    attribute_values,
    details,
    uniforms,
    visibility,
)
from cgan.data.faces.captions import captions, terms
from cgan.rng import stream

if TYPE_CHECKING:
    from cgan.data.faces.drawing import Painter

FORMAT = 4  # raise it whenever a face changes, so that nobody reads an old cache
BLOCK = 96  # faces that one process draws at a time
SEVERAL = 1500  # faces from which on several processes draw; fewer are done before those have started
POOL = 2000  # test faces from which `alike` takes what a condition leaves open


@dataclass(frozen=True, kw_only=True)
class Faces:
    """Cartoon faces, drawn here, each with its attributes, a segmentation map, three captions and a line
    drawing. Face k of a split depends on the split and k alone."""

    title: ClassVar[str] = "Cartoon faces"
    classes: ClassVar[tuple[str, ...]] = ()
    channels: ClassVar[int] = 3
    test_count: ClassVar[int] = 10_000

    size: int = 64
    count: int = 40_000  # of the training split

    def __post_init__(self):
        if not 32 <= self.size <= 256:
            raise ValueError(f"dataset.size must be from 32 to 256 pixels, got {self.size}")
        if not 1 <= self.count <= 1_000_000:
            raise ValueError(f"dataset.count must be from 1 to 1000000 faces, got {self.count}")

    def load(self, root: Path, split: Split, download: bool = False) -> Images:
        """uint8 [N, 3, S, S] with the targets attributes [N, A], mask [N, S, S], image [N, 1, S, S] and
        text. Kept under `root` if that can be written to."""
        count = self.count if split == "train" else self.test_count
        folder = Path(root) / f"faces-v{FORMAT}-{self.size}-{split}-{count}"
        columns = _read(folder, count, self.size)
        if columns is None:
            columns = self.draw(split, 0, count)
            if _write(folder, columns):
                columns = _read(folder, count, self.size) or columns
        images, mask, image, attributes = (torch.from_numpy(columns[name]) for name in _shapes(self.size))
        return Images(images, {
            "attributes": attributes, "attribute_fields": ATTRIBUTES, "text": columns["text"],
            "mask": mask, "mask_classes": tuple(CLASSES), "mask_colours": tuple(CLASSES.values()),
            "image": image,
        })  # fmt: skip

    def draw(self, split: Split, first: int, count: int) -> dict[str, Any]:
        """Faces first, first + 1, ... as arrays by column, and "text"; many of them, where processes can be
        forked, by as many as there are cores. FileNotFoundError if the drawing library is missing."""
        columns = {name: _array((count, *shape), name) for name, shape in _shapes(self.size).items()}
        blocks = [range(k, min(k + BLOCK, first + count)) for k in range(first, first + count, BLOCK)]
        jobs = [self.size] * len(blocks), [split] * len(blocks), [first] * len(blocks), blocks
        with ExitStack() as stack:
            fill = partial(map, partial(_fill, columns))
            if count >= SEVERAL and sys.platform == "linux":
                # Forks write to our arrays, and need import nothing again. They use nothing of torch's, whose
                # threads are not forked.
                _painter(self.size)
                context = multiprocessing.get_context("fork")
                pool = ProcessPoolExecutor(cores(), context, initializer=_take, initargs=(columns,))
                fill = partial(stack.enter_context(pool).map, _fill_taken)
            texts = list(chain.from_iterable(fill(*jobs)))
        return columns | {"text": texts}

    def alike(self, form: str, conditions: int, each: int) -> Tensor:
        """uint8 [conditions x each, 3, S, S]: faces of which each of the first test faces' conditions would
        be true, `each` in a row. What the condition leaves open is as with other test faces.
        FileNotFoundError if the drawing library is missing."""
        painter, pool = _painter(self.size), uniforms("test", 0, POOL)
        attributes, faces = attribute_values(pool), []
        texts = _captions("test", range(conditions), attributes[:conditions])
        for k, own in enumerate(pool[:conditions]):
            told = _told(form, texts[k])
            u = np.where(told, own, np.roll(pool, -each * k, axis=0))
            values, asked = attribute_values(u), told[: len(NAMES)]
            fitting = (visibility(values) == visibility(attributes[k : k + 1]))[:, asked].all(1)
            rows = np.flatnonzero(fitting)[:each]
            faces.append(painter.draw(values[rows], [details(u[row]) for row in rows])[0])
        return torch.from_numpy(np.concatenate(faces))

    @staticmethod
    def visible(attributes: Tensor) -> Tensor:
        """bool [N, A]: which of the attributes [N, A] can be seen."""
        return torch.from_numpy(visibility(attributes.cpu().numpy()))

    @staticmethod
    def terms(caption: str) -> dict[str, tuple[float, float]]:
        """What a caption asks for: attribute name to the closed interval of its value."""
        return terms(caption)


def _told(form: str, texts: Sequence[str]) -> np.ndarray:
    """bool [U]: which of a face's uniform numbers its condition settles."""
    numbers = (*NAMES, *Details.__annotations__)
    told = {"attributes": NAMES, "text": terms(texts[0])}.get(form, [n for n in numbers if n not in SHADES])
    return np.array([name in told for name in numbers])


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _shapes(size: int) -> dict[str, tuple[int, ...]]:
    """The shape of one face in every column."""
    return {
        "images": (3, size, size),
        "mask": (size, size),
        "image": (1, size, size),
        "attributes": (len(ATTRIBUTES),),
    }


def _painter(size: int) -> Painter:
    try:  # here, so that the demo, and training on faces drawn before, run without the drawing library
        from cgan.data.faces.drawing import Painter
    except ImportError as error:
        raise FileNotFoundError(
            f"no faces drawn before, and the library that draws them does not load ({error}): "
            "pip install -r requirements-train.txt"
        ) from error
    return Painter(size)


def _array(shape: tuple[int, ...], name: str) -> np.ndarray:
    """For a column, in memory that forks share."""
    dtype = np.dtype(np.float32 if name == "attributes" else np.uint8)
    memory = mmap.mmap(-1, max(1, math.prod(shape) * dtype.itemsize))
    return np.frombuffer(memory, dtype, math.prod(shape)).reshape(shape)


def _fill(
    columns: dict[str, np.ndarray], size: int, split: Split, first: int, rows: range
) -> list[tuple[str, ...]]:
    """Draw faces `rows` into the columns, which begin with face `first`; returns their captions."""
    painter = _painter(size)
    u = uniforms(split, rows.start, len(rows))
    attributes = attribute_values(u)
    images, mask, lines = painter.draw(attributes, [details(row) for row in u])
    found = {"images": images, "mask": mask, "image": lines[:, None], "attributes": attributes}
    for name, values in found.items():
        columns[name][rows.start - first : rows.stop - first] = values
    return _captions(split, rows, attributes)


_taken: dict[str, np.ndarray] = {}  # by a fork from the process that made it


def _take(columns: dict[str, np.ndarray]) -> None:
    gc.freeze()  # or what the fork got is searched for garbage, and thereby copied
    _taken.update(columns)


def _fill_taken(*job: Any) -> list[tuple[str, ...]]:
    return _fill(_taken, *job)


def _captions(split: str, rows: Sequence[int], attributes: np.ndarray) -> list[tuple[str, ...]]:
    """Of faces `rows`, whose attributes are [N, A]."""
    rngs = (stream(SEEDS[split], k, PURPOSE + 1) for k in rows)
    return captions(attributes, visibility(attributes), rngs)


def _read(folder: Path, count: int, size: int) -> dict[str, Any] | None:
    """The columns, mapped and not yet read; None if any is missing or damaged."""
    shapes = _shapes(size)
    try:
        columns: dict[str, Any] = {name: np.load(folder / f"{name}.npy", mmap_mode="c") for name in shapes}
        text = json.loads((folder / "text.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, EOFError):
        return None
    if len(text) != count or any(columns[name].shape != (count, *shape) for name, shape in shapes.items()):
        return None
    return columns | {"text": [tuple(texts) for texts in text]}


def _write(folder: Path, columns: dict[str, Any]) -> bool:
    """Whole or not at all; False where nothing can be written."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".faces-", dir=folder.parent) as scratch:
            whole = Path(scratch) / "whole"
            whole.mkdir()
            for name in _shapes(0):
                np.save(whole / f"{name}.npy", columns[name])
            (whole / "text.json").write_text(json.dumps(columns["text"]), encoding="utf-8")
            if folder.exists():
                shutil.move(folder, Path(scratch) / "damaged")
            os.replace(whole, folder)
    except OSError:
        return False
    return True
