"""A pen that draws every shape twice: in colour, and as a number in the order of drawing.

Coordinates run over a square of 64 x 64 units whatever the size in pixels S. What lies on top is the same in
both, so the map of classes and the line drawing, which are made of the numbers, are those of the colours.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from functools import lru_cache, reduce, wraps

import numpy as np
import skia

UNITS = 64
CONTOUR = 0.94  # width of the lines around shapes, in units
FINE = 3  # points to a pixel's side, odd: one of them lies in the middle
OPAQUE = 0xFF000000
GREYS = np.linspace(255, 0, FINE**2 + 1).round().astype(np.uint8)  # by how many of its points are black


@lru_cache(2**13)  # most mixtures are of few colours
def mix(a: int, b: int, amount: float) -> int:
    """0xRRGGBB `a` moved towards `b` by `amount` from 0 to 1."""
    red, green, blue = a >> 16, a >> 8 & 255, a & 255
    red += round(((b >> 16) - red) * amount)
    green += round(((b >> 8 & 255) - green) * amount)
    return red << 16 | green << 8 | blue + round(((b & 255) - blue) * amount)


def argb(colour: int, alpha: float = 1.0) -> int:
    return round(alpha * 255) << 24 | colour


MIRROR = skia.Matrix.Scale(-1, 1).postTranslate(UNITS, 0)  # about the middle line


def curve(start: tuple[float, float], *parts: tuple[float, ...], close: bool = True) -> skia.Path:
    """A path of lines (2 numbers a part), quadratic (4) and cubic (6) Bezier curves."""
    path = skia.Path()
    path.moveTo(*start)
    for part in parts:
        (path.lineTo if len(part) == 2 else path.quadTo if len(part) == 4 else path.cubicTo)(*part)
    if close:
        path.close()
    return path


def ellipse(x: float, y: float, rx: float, ry: float) -> skia.Path:
    return skia.Path.Oval(skia.Rect.MakeLTRB(x - rx, y - ry, x + rx, y + ry))


def box(x: float, y: float, rx: float, ry: float, corner: float) -> skia.Path:
    """A rectangle with round corners, by its centre and half its width and height."""
    path = skia.Path()
    path.addRoundRect(skia.Rect.MakeLTRB(x - rx, y - ry, x + rx, y + ry), corner, corner)
    return path


def together(*paths: skia.Path) -> skia.Path:
    """Several paths as one; where they overlap is inside."""
    whole = skia.Path()
    for path in paths:
        whole.addPath(path)
    return whole


def pair(path: skia.Path) -> skia.Path:
    """A path and its mirror image about the middle line."""
    path.addPath(path, MIRROR)
    return path


def twice(path: skia.Path, apart: float) -> skia.Path:
    """A path, and the same again `apart` to the right."""
    path.addPath(path, apart, 0)
    return path


def lines(*ends: tuple[float, float, float, float]) -> skia.Path:
    """Straight lines, each from (x, y) to (x, y)."""
    path = skia.Path()
    for x, y, *end in ends:
        path.moveTo(x, y)
        path.lineTo(*end)
    return path


def stretched(low: float, high: float) -> Callable[[Callable[..., skia.Path]], Callable[..., skia.Path]]:
    """Decorates what makes a path of a number and of a few choices, all of whose coordinates are linear in
    that number: it is called for `low` and `high` alone, and Skia goes from one path to the other, which is
    sooner done than a path is made."""

    def decorate(make: Callable[..., skia.Path]) -> Callable[..., skia.Path]:
        ends = lru_cache(None)(lambda *choices: (make(low, *choices), make(high, *choices)))

        @wraps(make)
        def between(x: float, *choices: Hashable) -> skia.Path:
            start, end = ends(*choices)
            path = skia.Path()
            end.interpolate(start, (x - low) / (high - low), path)
            return path

        return between

    return decorate


def _stroke(**options: object) -> skia.Paint:
    return skia.Paint(
        Style=skia.Paint.kStroke_Style, StrokeCap=skia.Paint.kRound_Cap, StrokeJoin=skia.Paint.kRound_Join,
        **options,
    )  # fmt: skip


class Pen:
    """Draws a few faces, one after the other, and keeps the order of drawing.

    That is `FINE` times as fine as the colours: every point has the number of what was drawn there last, an
    even one, or an odd one if it is ink. Where no contour is shown the number is negative. Maps and line
    drawings are made for all faces at once, in half the time."""

    def __init__(self, size: int, classes: tuple[str, ...], faces: int):
        self.pixels = np.zeros((size, size, 4), np.uint8)
        # Opaque and in this order: what Skia is fastest with.
        self._surface = skia.Surface(self.pixels, skia.kBGRA_8888_ColorType, skia.kOpaque_AlphaType)
        self.colour = self._surface.getCanvas()
        self.colour.scale(size / UNITS, size / UNITS)
        self.colour.save()
        self._fine = FINE * size
        self._radius = CONTOUR * self._fine / UNITS + 0.4  # points lie inside a shape by up to one half
        stride = self._fine + int(self._radius)  # nothing is drawn in the rest
        self._orders = np.zeros((faces, stride, stride), np.int8)
        grey = skia.ImageInfo.Make(self._fine, self._fine, skia.kGray_8_ColorType, skia.kOpaque_AlphaType)
        self._areas = [
            skia.Surface.MakeRasterDirect(grey, order, stride) for order in self._orders.view(np.uint8)
        ]
        for surface in self._areas:
            surface.getCanvas().scale(self._fine / UNITS, self._fine / UNITS)
            surface.getCanvas().save()
        self._classes = np.zeros((faces, 256), np.uint8)  # of every face by number, as unsigned
        self._ids = {name: k for k, name in enumerate(classes)}
        self._fill, self._stroke = skia.Paint(AntiAlias=True), _stroke(AntiAlias=True)
        self._area, self._band = skia.Paint(AntiAlias=False), _stroke(AntiAlias=False)

    def begin(self, face: int, colours: np.ndarray) -> None:
        """Draw `face` from now on, on a background [S, S, 4]."""
        self.pixels[:], self._orders[face] = colours, 0
        self._face, self._order, self._last = face, self._areas[face].getCanvas(), 0

    def paint(self, path: skia.Path, colour: int, alpha: float = 1.0) -> None:
        """Colour alone: shading and decoration."""
        self._fill.setColor(argb(colour, alpha))
        self.colour.drawPath(path, self._fill)

    def trace(self, path: skia.Path, colour: int, width: float, alpha: float = 1.0) -> None:
        """A stroke in colour alone."""
        self._stroke.setColor(argb(colour, alpha))
        self._stroke.setStrokeWidth(width)
        self.colour.drawPath(path, self._stroke)

    def spot(self, x: float, y: float, rx: float, ry: float, colour: int, alpha: float = 1.0) -> None:
        """An ellipse in colour alone."""
        self.paint(ellipse(x, y, rx, ry), colour, alpha)

    def shape(self, path: skia.Path, colour: int, name: str, contour: bool = True) -> None:
        """A filled shape of class `name`. Its contour lies outside it, so that joined paths show one."""
        self.paint(path, colour)
        self._cover(path, self._area, name, 1 if contour else -1)

    def shade(self, path: skia.Path, left: int, right: int, x: tuple[float, float], name: str) -> None:
        """As `shape`, the colour running from `left` to `right` between two x."""
        points = [skia.Point(x[0], 0), skia.Point(x[1], 0)]
        shader = skia.GradientShader.MakeLinear(points, [OPAQUE | left, OPAQUE | right])
        self.colour.drawPath(path, skia.Paint(AntiAlias=True, Dither=True, Shader=shader))
        self._cover(path, self._area, name)

    def line(self, path: skia.Path, colour: int, width: float, name: str, ink: float = 0.85) -> None:
        """A stroke of class `name`; in the line drawing it is a line of width `ink`."""
        self.trace(path, colour, width)
        if width > ink:
            self._band.setStrokeWidth(width)
            self._cover(path, self._band, name, -1)
        if ink:
            self._band.setStrokeWidth(ink)
            self._cover(path, self._band, name, -1, ink=True)

    def dot(self, path: skia.Path, colour: int, name: str) -> None:
        """A filled shape of class `name`, black in the line drawing."""
        self.paint(path, colour)
        self._cover(path, self._area, name, -1, ink=True)

    def _cover(self, path: skia.Path, paint: skia.Paint, name: str, sign: int = 1, ink: bool = False) -> None:
        """Number what `paint` reaches, with `sign` -1 if it has no contour."""
        self._last += 2
        number = sign * (self._last + ink) & 255
        self._classes[self._face, number] = self._ids[name]
        paint.setColor(OPAQUE | number * 0x010101)
        self._order.drawPath(path, paint)

    def maps(self, faces: int) -> np.ndarray:
        """Class ids of the first faces, uint8 [N, S, S]: those of the points in the middle of pixels."""
        points = slice(FINE // 2, self._fine, FINE)
        numbers = self._orders[:faces, points, points].view(np.uint8)
        return np.stack([ids.take(row) for ids, row in zip(self._classes, numbers, strict=False)])

    def lines(self, faces: int) -> np.ndarray:
        """Line drawings of the first faces, uint8 [N, S, S]. A point is black if it is of ink, or if
        something that was drawn later, and has a contour, is no farther than the contour's width."""
        orders = self._orders[:faces]
        black = (_spread(orders, self._radius) > np.abs(orders)).view(np.int8)
        black |= orders & 1
        rows = reduce(np.add, (black[:, k : self._fine : FINE] for k in range(FINE)))
        return GREYS.take(reduce(np.add, (rows[:, :, k : self._fine : FINE] for k in range(FINE))))

    @contextmanager
    def inside(self, path: skia.Path) -> Iterator[None]:
        """What is painted, traced or dotted shows inside `path` only."""
        self.colour.save()
        self.colour.clipPath(path, skia.ClipOp.kIntersect, True)
        self._order.save()
        self._order.clipPath(path, skia.ClipOp.kIntersect, False)
        yield
        self.colour.restore()
        self._order.restore()

    def place(self, matrix: skia.Matrix) -> None:
        """From now on what is drawn is moved, turned and enlarged by `matrix`."""
        for canvas in (self.colour, self._order):
            canvas.restore()
            canvas.save()
            canvas.concat(matrix)


def _spread(numbers: np.ndarray, radius: float) -> np.ndarray:
    """int8 [N, H, W]: the largest of `numbers` within `radius` of every point, rows being followed by the
    next ones."""
    flat, width = numbers.ravel(), numbers.shape[-1]
    widest, run, reach = flat.copy(), flat.copy(), 0
    for rows in range(int(radius), -1, -1):
        while reach < int(math.sqrt(radius**2 - rows**2)):
            reach += 1
            np.maximum(run[reach:], flat[:-reach], out=run[reach:])
            np.maximum(run[:-reach], flat[reach:], out=run[:-reach])
        start, end = rows * width, len(flat) - rows * width
        np.maximum(widest[start:], run[:end], out=widest[start:])
        np.maximum(widest[:end], run[start:], out=widest[:end])
    return widest.reshape(numbers.shape)
