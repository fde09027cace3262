"""A pen that draws every shape three times: in colour, as a class id, and as a contour.

Coordinates run over a square of 64 x 64 units whatever the size in pixels S. Shapes cover what was drawn
before them in all three pictures, so map and contours are those of the colour picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import numpy as np
import skia

UNITS = 64
CONTOUR = 0.85  # width of the lines, in units
BLACK, WHITE = 0xFF000000, 0xFFFFFFFF


def rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


@lru_cache(2**13)  # most mixtures are of few colours
def mix(a: str, b: str, amount: float) -> str:
    """`a` moved towards `b` by `amount` from 0 to 1."""
    parts = (round(x + (y - x) * amount) for x, y in zip(rgb(a), rgb(b), strict=True))
    return "#{:02x}{:02x}{:02x}".format(*parts)


@lru_cache(2**13)
def argb(colour: str, alpha: float = 1.0) -> int:
    return round(alpha * 255) << 24 | int(colour[1:], 16)


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
    path = skia.Path()
    path.addOval(skia.Rect.MakeLTRB(x - rx, y - ry, x + rx, y + ry))
    return path


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


def _stroke(**options: object) -> skia.Paint:
    return skia.Paint(
        Style=skia.Paint.kStroke_Style, StrokeCap=skia.Paint.kRound_Cap, StrokeJoin=skia.Paint.kRound_Join,
        **options,
    )  # fmt: skip


class Pen:
    """Holds the three pictures of one face at a time."""

    def __init__(self, size: int, classes: tuple[str, ...]):
        self.pixels = np.zeros((size, size, 4), np.uint8)
        self.map = np.zeros((size, size), np.uint8)
        self.lines = np.zeros((size, size), np.uint8)
        grey = skia.ImageInfo.Make(size, size, skia.kGray_8_ColorType, skia.kOpaque_AlphaType)
        self._surfaces = (
            skia.Surface(self.pixels),
            skia.Surface.MakeRasterDirect(grey, self.map, size),
            skia.Surface.MakeRasterDirect(grey, self.lines, size),
        )
        self.colour, self._map, self._lines = (surface.getCanvas() for surface in self._surfaces)
        for canvas in (self.colour, self._map, self._lines):
            canvas.scale(size / UNITS, size / UNITS)
        self._fill, self._stroke = skia.Paint(AntiAlias=True), _stroke(AntiAlias=True)
        self._black, self._white = (skia.Paint(AntiAlias=True, Color=colour) for colour in (BLACK, WHITE))
        self._contour = _stroke(AntiAlias=True, Color=BLACK, StrokeWidth=2 * CONTOUR)
        self._ink = _stroke(AntiAlias=True, Color=BLACK)
        ids = {name: BLACK | k * 0x010101 for k, name in enumerate(classes)}
        self._class = {name: skia.Paint(AntiAlias=False, Color=grey) for name, grey in ids.items()}
        self._class_stroke = {name: _stroke(AntiAlias=False, Color=grey) for name, grey in ids.items()}

    def clear(self, colours: np.ndarray) -> None:
        """Begin anew, on a background [S, S, 4]."""
        self.pixels[:], self.map[:], self.lines[:] = colours, 0, 255

    def paint(self, path: skia.Path, colour: str, alpha: float = 1.0) -> None:
        """Colour alone: shading and decoration."""
        self._fill.setColor(argb(colour, alpha))
        self.colour.drawPath(path, self._fill)

    def trace(self, path: skia.Path, colour: str, width: float, alpha: float = 1.0) -> None:
        """A stroke in colour alone."""
        self._stroke.setColor(argb(colour, alpha))
        self._stroke.setStrokeWidth(width)
        self.colour.drawPath(path, self._stroke)

    def shape(self, path: skia.Path, colour: str, name: str, contour: bool = True) -> None:
        """A filled shape of class `name`. Its contour lies outside it, so that joined paths show one."""
        self.paint(path, colour)
        self._outline(path, name, contour)

    def shade(self, path: skia.Path, left: str, right: str, x: tuple[float, float], name: str) -> None:
        """As `shape`, the colour running from `left` to `right` between two x."""
        points = [skia.Point(x[0], 0), skia.Point(x[1], 0)]
        shader = skia.GradientShader.MakeLinear(points, [argb(left), argb(right)])
        self.colour.drawPath(path, skia.Paint(AntiAlias=True, Shader=shader))
        self._outline(path, name)

    def _outline(self, path: skia.Path, name: str, contour: bool = True) -> None:
        """A shape in the map and in the line drawing."""
        self._map.drawPath(path, self._class[name])
        if contour:
            self._lines.drawPath(path, self._contour)
        self._lines.drawPath(path, self._white)

    def line(self, path: skia.Path, colour: str, width: float, name: str, ink: float = CONTOUR) -> None:
        """A stroke of class `name`; in the line drawing it is a line of width `ink`."""
        self.trace(path, colour, width)
        self._class_stroke[name].setStrokeWidth(width)
        self._map.drawPath(path, self._class_stroke[name])
        self._ink.setStrokeWidth(ink)
        self._lines.drawPath(path, self._ink)

    def dot(self, path: skia.Path, colour: str) -> None:
        """Filled in the colour picture, and black in the line drawing."""
        self.paint(path, colour)
        self._lines.drawPath(path, self._black)

    @contextmanager
    def inside(self, path: skia.Path) -> Iterator[None]:
        """What is painted, traced or dotted shows inside `path` only."""
        for canvas in (self.colour, self._lines):
            canvas.save()
            canvas.clipPath(path, skia.ClipOp.kIntersect, True)
        yield
        for canvas in (self.colour, self._lines):
            canvas.restore()

    @contextmanager
    def moved(
        self, x: float, y: float, degrees: float, about: tuple[float, float], scale: float = 1.0
    ) -> Iterator[None]:
        """What is drawn is shifted by (x, y), and turned clockwise and enlarged about a point."""
        for canvas in (self.colour, self._map, self._lines):
            canvas.save()
            canvas.translate(x + about[0], y + about[1])
            canvas.rotate(degrees)
            canvas.scale(scale, scale)
            canvas.translate(-about[0], -about[1])
        yield
        for canvas in (self.colour, self._map, self._lines):
            canvas.restore()
