"""Pictures as texts: base64url of a PNG, as they stand in an address. What strangers send is bounded in bytes
and, from its header, in pixels before it is decoded; metadata is not read.

Shapes: H x W pixels, C channels.
"""

from __future__ import annotations

import base64
import binascii
import io
import struct
from collections.abc import Iterable
from typing import Any

import numpy as np
from PIL import Image, ImageOps

LONGEST = 6000  # characters
LARGEST = 1024  # pixels in width and in height
BROKEN = (OSError, SyntaxError, ValueError, EOFError, OverflowError, struct.error)  # what Pillow raises


def to_text(pixels: np.ndarray, lossy: bool = False) -> str:
    """uint8 [H, W] or [H, W, 3] -> a text. If a PNG would be too long and `lossy` allows it: as WebP without
    losses, without the last bit of every colour, or, if that is too long too, of ever less quality."""
    ways: list[tuple[np.ndarray, dict[str, Any]]] = [(pixels, {"format": "PNG", "optimize": True})]
    if lossy:
        coarse = pixels & 0xFE | pixels >> 7  # the last bit follows the first, so that white stays white
        webp = {"format": "WEBP", "method": 6}
        ways += [(each, webp | {"lossless": True}) for each in (pixels, coarse)]
        ways += [(pixels, webp | {"quality": quality}) for quality in (75, 40, 10)]
    for each, options in ways:
        out = io.BytesIO()
        Image.fromarray(each).save(out, **options)
        if len(out.getvalue()) * 4 <= LONGEST * 3:
            break
    return base64.urlsafe_b64encode(out.getvalue()).decode().rstrip("=")


def examples(pictures: Iterable[np.ndarray], lossy: bool = False) -> tuple[str, ...]:
    """The texts of those pictures that are short enough to be sent."""
    texts = (to_text(picture, lossy) for picture in pictures)
    return tuple(text for text in texts if len(text) <= LONGEST)


def read(field: str, text: str, formats: tuple[str, ...]) -> Image.Image:
    """The decoded picture of a text. ValueError names `field` and what it accepts."""
    kinds, size = ", ".join(formats), f"{LARGEST}x{LARGEST}"
    accepted = f"{field} must be base64url of a {kinds} of at most {LONGEST} characters and {size} pixels"
    if not text or len(text) > LONGEST:
        raise ValueError(f"{accepted}, got {len(text)} characters")
    try:
        data = base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"{accepted}, got no base64url") from None
    try:
        picture = Image.open(io.BytesIO(data), formats=formats)
        fits = max(picture.size) <= LARGEST
        if fits:
            picture.load()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        fits = False
    except BROKEN:
        raise ValueError(f"{accepted}, got something else or a broken file") from None
    if not fits:
        raise ValueError(f"{accepted}, got more pixels")
    return picture


def read_map(field: str, text: str, size: int) -> np.ndarray:
    """A PNG of class ids, grey values or palette indices -> uint8 [size, size]; 255 where an alpha channel
    makes it transparent. (A value that the file calls transparent stays an id, as in a data set's masks.)
    ValueError if it is none."""
    picture = read(field, text, ("PNG",))
    if picture.mode not in ("L", "P"):
        grey, alpha = picture.convert("LA").split()
        picture = Image.composite(
            grey, Image.new("L", grey.size, 255), alpha.point(lambda a: 255 * (a > 127))
        )
    return np.array(ImageOps.fit(picture, (size, size), Image.Resampling.NEAREST), dtype=np.uint8)


def read_picture(field: str, text: str, size: int, channels: int) -> np.ndarray:
    """A PNG, JPEG or WebP, cropped to a square, on white where it is transparent -> uint8 [C, size, size].
    ValueError if it is none."""
    picture = read(field, text, ("PNG", "JPEG", "WEBP"))
    if picture.mode.startswith("I"):  # 16 bits, which Pillow would cut off at 255
        picture = Image.fromarray((np.asarray(picture) / 257).round().astype(np.uint8))
    picture = picture.convert("RGBA")
    ground = Image.new("RGBA", picture.size, "white")
    picture = Image.alpha_composite(ground, picture).convert("L" if channels == 1 else "RGB")
    pixels = np.array(ImageOps.fit(picture, (size, size), Image.Resampling.BICUBIC), dtype=np.uint8)
    return pixels.reshape(size, size, channels).transpose(2, 0, 1)
