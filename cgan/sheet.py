"""Many small pictures in one WebP file, row by row.

Shapes: N pictures, C channels, H x W pixels.
"""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image
from torch import Tensor

COLUMNS = 64


def pack(pictures: Tensor, quality: int | None = None) -> Tensor:
    """uint8 [N, C, H, W], C 1 or 3 -> the bytes of a sheet, uint8 [B]; without losses, or at a quality from 0
    to 100."""
    n, channels, height, width = pictures.shape
    rows = -(-n // COLUMNS)
    cells = np.zeros((rows * COLUMNS, height, width, channels), np.uint8)
    cells[:n] = pictures.permute(0, 2, 3, 1).numpy()
    grid = cells.reshape(rows, COLUMNS, height, width, channels).swapaxes(1, 2)
    grid = grid.reshape(rows * height, COLUMNS * width, channels)
    out = io.BytesIO()
    options = {"lossless": True} if quality is None else {"quality": quality}
    Image.fromarray(grid[..., 0] if channels == 1 else grid).save(out, "WEBP", method=6, **options)
    return torch.frombuffer(bytearray(out.getvalue()), dtype=torch.uint8)


def cut(sheet: Tensor, count: int, size: int, channels: int) -> Tensor:
    """The bytes of a sheet -> its `count` square pictures, uint8 [N, C, H, W]. ValueError or OSError if it is
    no such sheet."""
    picture = Image.open(io.BytesIO(sheet.numpy().tobytes()), formats=("WEBP",))
    rows = -(-count // COLUMNS)
    if picture.size != (COLUMNS * size, rows * size):
        raise ValueError(f"a sheet of {picture.size} pixels")
    grid = torch.from_numpy(np.array(picture.convert("L" if channels == 1 else "RGB")))
    cells = grid.view(rows, size, COLUMNS, size, channels).permute(0, 2, 4, 1, 3)
    return cells.flatten(0, 1)[:count].contiguous()
