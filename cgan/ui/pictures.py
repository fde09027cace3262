"""Tensors to files that a browser shows.

Shapes: N pictures, C channels (1 or 3), H x W pixels, R x K grid rows and columns.
"""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image
from torch import Tensor

DIVERGING = ((176, 222, 255), (40, 104, 200), (22, 22, 28), (212, 84, 30), (255, 224, 150))
COLOUR_TYPES = {1: 0, 3: 2, 4: 6}  # of a PNG, by channels
GAP = 1  # black pixels between the pictures of a grid


def tile(pictures: Tensor, columns: int) -> np.ndarray:
    """uint8 [N, C, H, W] -> one picture uint8 [R H + gaps, K W + gaps, C], row by row, the rest black."""
    n, channels, height, width = pictures.shape
    if n == 1:
        return pictures.numpy()[0].transpose(1, 2, 0)
    rows = -(-n // columns)
    cells = np.zeros((rows * columns, height + GAP, width + GAP, channels), dtype=np.uint8)
    cells[:n, :height, :width] = pictures.numpy().transpose(0, 2, 3, 1)
    cells = cells.reshape(rows, columns, height + GAP, width + GAP, channels).transpose(0, 2, 1, 3, 4)
    grid = cells.reshape(rows * (height + GAP), columns * (width + GAP), channels)
    return grid[:-GAP, :-GAP]


def enlarge(picture: np.ndarray, scale: int) -> np.ndarray:
    """[H, W, C] -> [H scale, W scale, C], every pixel a square."""
    return picture.repeat(scale, 0).repeat(scale, 1) if scale > 1 else picture


def png(picture: np.ndarray) -> bytes:
    """uint8 [H, W, 1, 3 or 4] -> a PNG in mode L, RGB or RGBA (W3C PNG, third edition, sections 5 and 11).

    For the small pictures that a dragged slider asks for, ten times as fast as Pillow at its fastest setting.
    """
    height, width, channels = picture.shape
    lines = np.zeros((height, 1 + width * channels), dtype=np.uint8)  # each begins with filter type 0
    lines[:, 1:] = picture.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, COLOUR_TYPES[channels], 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines, 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))


def diverging(values: Tensor) -> np.ndarray:
    """Signed values [..., H, W], clipped to [-1, 1] -> uint8 [..., H, W, 3]: nearly black at 0, through blue
    to pale blue below and through orange to pale yellow above, which reads on white and on black."""
    places = values.clamp(-1, 1).numpy()
    ends = np.linspace(-1, 1, len(DIVERGING))
    channels = [np.interp(places, ends, shades) for shades in zip(*DIVERGING, strict=True)]
    return np.stack(channels, -1).round().astype(np.uint8)


def gif(pictures: list[np.ndarray], fps: int) -> bytes:
    """uint8 [H, W, C] each -> an animated GIF that loops for ever."""
    frames = [Image.fromarray(picture[:, :, 0] if picture.shape[2] == 1 else picture) for picture in pictures]
    out = io.BytesIO()
    options = {"save_all": True, "append_images": frames[1:], "duration": round(1000 / fps), "loop": 0}
    frames[0].save(out, "GIF", **options)
    return out.getvalue()
