"""Picture files as uint8 arrays, read on all cores. What can't be read is named on stderr and left out.

Shapes: N pictures, C channels, H x W pixels.
"""

from __future__ import annotations

import os
import struct
import sys
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor
from tqdm import tqdm

from cgan.cli import first_process

Job = TypeVar("Job")

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")  # none that runs another program
SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".gif", ".tif", ".tiff")
    + (".ppm", ".pgm", ".pbm", ".pnm")
)
OTHERS = frozenset((".heic", ".heif", ".avif", ".jxl", ".jp2", ".svg", ".tga", ".psd"))  # of pictures too
BOMB = (Image.DecompressionBombWarning, Image.DecompressionBombError)
# What Pillow's decoders raise on broken files.
DAMAGE = (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, OverflowError,
          MemoryError, struct.error, zlib.error, *BOMB)  # fmt: skip
CHUNK = 256  # files in flight, so that Ctrl-C is heard soon
SHOWN = 20  # lines of a kind before the rest is only counted


def printable(text: str) -> str:
    """Without what would steer a terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


class Notes:
    """Says on stderr what was left out and why: one line each, at most SHOWN, then how many more. Of several
    processes the first one says it; who is not `aloud` only counts."""

    def __init__(self, aloud: bool = True):
        self.count, self.aloud = 0, aloud and first_process()

    def __call__(self, name: object, reason: object) -> None:
        self.count += 1
        if self.count <= SHOWN:
            self._say(printable(f"{name}: {reason}"))

    def close(self) -> None:
        """How many lines were not shown."""
        if self.count > SHOWN:
            self._say(f"... and {self.count - SHOWN:,} more left out")

    def _say(self, line: str) -> None:
        if self.aloud:
            tqdm.write(line, file=sys.stderr)


def read_picture(path: Path, size: int, channels: int) -> np.ndarray:
    """A picture file of any size and mode -> uint8 [C, size, size]: upright, on white, its short side scaled
    to `size` without aliasing, its middle kept. Raises one of DAMAGE."""
    with Image.open(path, formats=FORMATS) as picture:
        picture.draft(None, (2 * size, 2 * size))  # a large JPEG is decoded at a fraction of its size
        upright = _flat(ImageOps.exif_transpose(picture), "L" if channels == 1 else "RGB")
    pixels = np.asarray(ImageOps.fit(upright, (size, size), Image.Resampling.BICUBIC))
    return pixels.reshape(size, size, channels).transpose(2, 0, 1)


def _flat(picture: Image.Image, mode: str) -> Image.Image:
    """8 bits a channel, in `mode` (L or RGB), over white where it is transparent."""
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        pixels = np.asarray(picture).astype(np.float32)
        top = 65535.0 if picture.mode != "F" else 1.0 if pixels.max() <= 1 else 255.0
        picture = Image.fromarray((pixels * (255 / top)).round().clip(0, 255).astype(np.uint8))
    if picture.has_transparency_data:
        ground = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(ground, picture.convert("RGBA"))
    return picture.convert(mode)


def read_map(path: Path, size: int) -> np.ndarray:
    """A map of class ids (grey value or palette index) -> uint8 [size, size], cut as `read_picture` cuts, no
    ids mixed. Raises one of DAMAGE; ValueError if the file has more than one channel."""
    with Image.open(path, formats=FORMATS) as picture:
        ids = Image.fromarray(_ids(ImageOps.exif_transpose(picture)))
    return np.asarray(ImageOps.fit(ids, (size, size), Image.Resampling.NEAREST))


def _ids(picture: Image.Image) -> np.ndarray:
    """Class ids uint8 [H, W]."""
    if picture.mode not in ("1", "L", "P"):
        raise ValueError(f"a mask has one channel of 8 bits, grey or palette; this one is {picture.mode}")
    return np.asarray(picture).astype(np.uint8)


def inside(path: Path, root: Path) -> bool:
    """Whether a path, all links followed, leads into `root`, a resolved one."""
    return Path(os.path.realpath(path)).is_relative_to(root)  # Path.resolve raises where links go in a circle


def present(path: Path, root: Path) -> bool:
    """Whether there is such a text file. ValueError if it is a link out of `root`."""
    if path.is_file() and not inside(path, root):
        raise ValueError(f"{path} points outside the folder")
    return path.is_file()


def map_classes(paths: Sequence[Path]) -> tuple[int, list[int] | None]:
    """How many classes the maps have (the highest id but 255, plus one), and the palette of one of them as
    r, g, b, r, ... where it has one. Files that can't be read count nothing.

    ValueError if they hold nothing but 0 and 255, as many programs write two classes."""

    def look(path: Path) -> tuple[int, bool, list[int] | None]:
        try:
            with Image.open(path, formats=FORMATS) as picture:
                ids, palette = _ids(picture), picture.getpalette("RGB")
        except DAMAGE:
            return 0, False, None
        return int(ids.max(where=ids < 255, initial=0)), bool((ids == 255).any()), palette

    with strict(), ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(look, paths))
    count = max((highest for highest, _, _ in found), default=-1) + 1
    if count == 1 and any(anything for _, anything, _ in found):
        raise ValueError(
            "the masks hold one class (0) beside 255, which means anything: write 1 for the second"
        )
    return count, next((palette for _, _, palette in found if palette), None)


def header(path: Path) -> tuple[str, float]:
    """A picture file's mode and its width over its height, upright; ("", 0.0) if it can't be read."""
    try:
        with Image.open(path, formats=FORMATS) as picture:
            turned = picture.getexif().get(0x0112, 1) >= 5
            ratio = picture.width / picture.height
            return picture.mode, 1 / ratio if turned else ratio
    except DAMAGE:
        return "", 0.0


def read_files(
    jobs: Sequence[Job],
    read: Callable[[Job], tuple[np.ndarray, ...]],
    name: Callable[[Job], object],
    notes: Notes,
) -> tuple[list[int], list[Tensor]]:
    """What `read` makes of every job, in order: the jobs that could be read, and for each part of the answer
    a uint8 tensor [N, ...]. A job that raises one of DAMAGE is named and left out."""
    rows: list[int] = []
    parts: list[Tensor] = []

    def attempt(job: Job) -> tuple[np.ndarray, ...] | str:
        try:
            return read(job)
        except DAMAGE as error:
            return reason(error)

    with strict(), ThreadPoolExecutor(os.cpu_count()) as pool:
        bar = tqdm(total=len(jobs), unit="img", desc="reading pictures", leave=False, disable=None)
        for first in range(0, len(jobs), CHUNK):
            for row, answer in enumerate(pool.map(attempt, jobs[first : first + CHUNK]), first):
                bar.update()
                if isinstance(answer, str):
                    notes(name(jobs[row]), f"{answer}; left out")
                    continue
                parts = parts or [torch.empty(len(jobs), *a.shape, dtype=torch.uint8) for a in answer]
                for part, array in zip(parts, answer, strict=True):
                    part[len(rows)] = torch.tensor(array)
                rows.append(row)
        bar.close()
    return rows, [part[: len(rows)] for part in parts]


@contextmanager
def strict() -> Iterator[None]:
    """Decompression bombs are errors; what else Pillow finds odd is not worth a line."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def reason(error: BaseException) -> str:
    """Why a file could not be read, in one line without its path."""
    if isinstance(error, BOMB):
        return f"more than {Image.MAX_IMAGE_PIXELS:,} pixels"
    if isinstance(error, UnidentifiedImageError):
        return "empty, or no picture"
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split())[:200] or type(error).__name__
