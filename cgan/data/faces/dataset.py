"""Cartoon faces as a data set: drawn on every core the first time, then read back from the disk.

Shapes: N faces, A attributes, S x S pixels.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from cgan.data.base import Images, Split
from cgan.data.faces.attributes import (
    ATTRIBUTES,
    CLASSES,
    PURPOSE,
    SEEDS,
    attribute_values,
    uniforms,
    visibility,
)
from cgan.data.faces.captions import captions, terms
from cgan.rng import stream

FORMAT = 1  # raise it whenever a face changes, so that nobody reads an old cache
BLOCK = 500  # faces that one process draws at a time
COLUMNS = ("images", "mask", "image", "attributes")


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
        images, mask, image, attributes = (torch.from_numpy(columns[name]) for name in COLUMNS)
        return Images(images, {
            "attributes": attributes, "attribute_fields": ATTRIBUTES, "text": columns["text"],
            "mask": mask, "mask_classes": tuple(CLASSES), "mask_colours": tuple(CLASSES.values()),
            "image": image,
        })  # fmt: skip

    def draw(self, split: Split, first: int, count: int) -> dict[str, Any]:
        """Faces first, first + 1, ... as arrays by column, and "text"."""
        blocks = [
            (self.size, split, k, min(BLOCK, first + count - k)) for k in range(first, first + count, BLOCK)
        ]
        workers = min(
            len(blocks),
            len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        )
        if len(blocks) < 8 or workers == 1:
            parts = [_block(*block) for block in blocks]
        else:
            with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
                parts = list(pool.map(_block, *zip(*blocks, strict=True)))
        drawn: dict[str, Any] = {name: np.concatenate([part[name] for part in parts]) for name in COLUMNS}
        return drawn | {"text": [text for part in parts for text in part["text"]]}

    @staticmethod
    def visible(attributes: Tensor) -> Tensor:
        """bool [N, A]: which of the attributes [N, A] can be seen."""
        return torch.from_numpy(visibility(attributes.cpu().numpy()))

    @staticmethod
    def terms(caption: str) -> dict[str, tuple[float, float]]:
        """What a caption asks for: attribute name to the closed interval of its value."""
        return terms(caption)


def _block(size: int, split: str, first: int, count: int) -> dict[str, Any]:
    from cgan.data.faces.drawing import Painter  # here, so that the demo runs without the drawing library

    painter = Painter(size)
    u = uniforms(split, first, count)
    attributes = attribute_values(u)
    images = np.empty((count, 3, size, size), np.uint8)
    mask = np.empty((count, size, size), np.uint8)
    lines = np.empty((count, 1, size, size), np.uint8)
    for k in range(count):
        colours, ids, drawing = painter.face(u[k])
        images[k], mask[k], lines[k, 0] = colours.transpose(2, 0, 1), ids, drawing
    seen = visibility(attributes)
    text = [
        captions(attributes[k], seen[k], stream(SEEDS[split], first + k, PURPOSE + 1)) for k in range(count)
    ]
    return {"images": images, "mask": mask, "image": lines, "attributes": attributes, "text": text}


def _read(folder: Path, count: int, size: int) -> dict[str, Any] | None:
    """The columns, mapped and not yet read; None if any is missing or damaged."""
    shapes = ((count, 3, size, size), (count, size, size), (count, 1, size, size), (count, len(ATTRIBUTES)))
    try:
        columns: dict[str, Any] = {name: np.load(folder / f"{name}.npy", mmap_mode="c") for name in COLUMNS}
        text = json.loads((folder / "text.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, EOFError):
        return None
    if (
        any(columns[name].shape != shape for name, shape in zip(COLUMNS, shapes, strict=True))
        or len(text) != count
    ):
        return None
    return columns | {"text": [tuple(texts) for texts in text]}


def _write(folder: Path, columns: dict[str, Any]) -> bool:
    """Whole or not at all; False where nothing can be written."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".faces-", dir=folder.parent) as scratch:
            whole = Path(scratch) / "whole"
            whole.mkdir()
            for name in COLUMNS:
                np.save(whole / f"{name}.npy", columns[name])
            (whole / "text.json").write_text(json.dumps(columns["text"]), encoding="utf-8")
            if folder.exists():
                shutil.move(folder, Path(scratch) / "damaged")
            os.replace(whole, folder)
    except OSError:
        return False
    return True
