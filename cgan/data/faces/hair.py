"""Hair and hats, in the units of `pen`: behind the head, in front of it, on top of it.

`w` is half the width of the head, about the vertical line x = 32.
"""

from __future__ import annotations

import math

import skia

from cgan.data.faces.pen import MIRROR, Pen, box, curve, ellipse, lines, mix, pair, stretched, together

WIDTHS = (13.2, 17.6)  # of half the head
of_width = stretched(*WIDTHS)


def behind(pen: Pen, style: str, colour: int, w: float, hat: bool) -> None:
    """Hair that the head and the body hide in part."""
    dark = mix(colour, 0x1A1420, 0.22)
    if style in ("long", "bob", "curly"):
        pen.shape(_behind(w, style, hat), dark, "hair")
    elif style == "bun" and not hat:
        pen.shape(ellipse(32, 8, 6.6, 5.6), colour, "hair")
        pen.trace(curve((28, 8), (32, 11.5, 36, 8), close=False), dark, 1)


@of_width
def _behind(w: float, style: str, hat: bool) -> skia.Path:
    if style == "long":
        return curve((32, 8), (30 - w, 8, 26 - w, 18, 26.5 - w, 34), (26 - w, 50, 24.5 - w, 62),
                     (39.5 + w, 62), (38 + w, 50, 37.5 + w, 34), (38 + w, 18, 34 + w, 8, 32, 8))  # fmt: skip
    if style == "bob":
        return curve((32, 7), (29 - w, 7, 24 - w, 20, 25.5 - w, 36), (25 - w, 46, 28 - w, 51),
                     (36, 53.5, 36 + w, 51), (39 + w, 46, 38.5 + w, 36),
                     (40 + w, 20, 35 + w, 7, 32, 7))  # fmt: skip
    angles = (math.radians(x) for x in range(-120, 121, 30) if not hat or abs(x) > 60)
    ring = [ellipse(32 + (w + 1.5) * math.sin(a), 25 - 13.5 * math.cos(a), 6.2, 6.2) for a in angles]
    return together(ellipse(32, 25, w + 2, 8 if hat else 13), *ring)


def in_front(pen: Pen, style: str, colour: int, w: float, hat: bool, flip: bool) -> None:
    """Hair on the forehead and at the temples."""
    if style == "bald":
        return
    if hat and style in ("short", "spiky", "bun", "curly"):
        pen.shape(_temples(w), colour, "hair")
        return
    if style == "long":
        pen.shape(_sides(w), colour, "hair")
        pen.trace(_strands(w), mix(colour, 0x1A1420, 0.22), 0.9, 0.7)
    pen.shape(_front(w, style, flip), colour, "hair")
    if not hat:
        pen.paint(SHINE[flip], mix(colour, 0xFFFFFF, 0.16))


def _flipped(path: skia.Path) -> skia.Path:
    path.transform(MIRROR)
    return path


def _shine() -> skia.Path:
    return curve((25, 13.5), (28, 10.5, 33, 10.8), (29, 12.2, 26.5, 14.8))


SHINE = (_shine(), _flipped(_shine()))


@of_width
def _temples(w: float) -> skia.Path:
    return pair(curve((32.9 + w, 20), (34.1 + w, 28, 32.7 + w, 36), (30.3 + w, 33, 28.3 + w, 26),
                      (28.3 + w, 20)))  # fmt: skip


@of_width
def _sides(w: float) -> skia.Path:
    return pair(curve((28 + w, 15), (30.3 + w, 26, 30.6 + w, 36), (30.3 + w, 48, 32.3 + w, 61),
                      (39.8 + w, 61), (37.3 + w, 46, 37.3 + w, 32),
                      (36.8 + w, 18, 26.8 + w, 10)))  # fmt: skip


@of_width
def _strands(w: float) -> skia.Path:
    return pair(curve((34.8 + w, 30), (34.3 + w, 44, 35.8 + w, 57), close=False))


@of_width
def _front(w: float, style: str, flip: bool) -> skia.Path:
    fronts = {"short": _short, "spiky": _spiky, "curly": _curly, "bob": _bob, "long": _long, "bun": _bun}
    path = fronts[style](w)
    return _flipped(path) if flip else path


def _cap_of_hair(w: float, top: float, line: tuple[tuple[float, ...], ...]) -> skia.Path:
    """From the left temple over the top to the right one, and back along the hairline."""
    left, right = 32 - w, 32 + w
    over = ((left - 2.5, 20, left, top, 32, top), (right, top, right + 2.5, 20, right + 0.8, 33))
    return curve((left - 0.8, 33), *over, *line)


def _short(w: float) -> skia.Path:
    return _cap_of_hair(w, 8.5, ((31 + w, 25, 28 + w, 21.5), (34, 22.5, 24, 17.5), (25, 20.5, 36 - w, 22.5),
                                 (33 - w, 26, 31.2 - w, 33)))  # fmt: skip


def _spiky(w: float) -> skia.Path:
    tips = [
        (32 + (w + 2.6) * x, y)
        for x, y in ((-1.02, 17), (-0.7, 8.5), (-0.15, 4), (0.4, 5.5), (0.84, 9.5), (1.04, 19))
    ]
    valleys = [
        (32 + w * x, y) for x, y in ((-0.82, 14.5), (-0.42, 10), (0.16, 9.5), (0.64, 11.5), (0.94, 16.5))
    ]
    path = curve((31.2 - w, 33), (30.8 - w, 26), close=False)
    for k, tip in enumerate(tips):
        path.lineTo(*tip)
        if k < len(valleys):
            path.lineTo(*valleys[k])
    path.lineTo(32.8 + w, 33)
    path.quadTo(31 + w, 26, 28.5 + w, 21.5)
    for x, y in ((0.5, 19), (0.3, 23), (0.05, 18.5), (-0.2, 23), (-0.5, 19)):
        path.lineTo(32 + w * x, y)
    path.lineTo(35.5 - w, 21.5)
    path.quadTo(33 - w, 26, 31.2 - w, 33)
    path.close()
    return path


def _curly(w: float) -> skia.Path:
    locks = [
        ellipse(32 + (w - 1) * x, y, 4.8, 4.6)
        for x, y in ((-0.98, 22), (-0.62, 16.8), (-0.2, 15), (0.26, 15.2), (0.66, 17), (0.98, 22))
    ]
    return together(*locks)  # fmt: skip


def _bob(w: float) -> skia.Path:
    return curve((29.8 - w, 44), (26.5 - w, 12, 30 - w, 7.5, 32, 7.5),
                 (34 + w, 7.5, 37.5 + w, 12, 34.2 + w, 44), (31.5 + w, 40, 30 + w, 24),
                 (30, 21.5, 34 - w, 24), (32.5 - w, 40, 29.8 - w, 44))  # fmt: skip


def _long(w: float) -> skia.Path:
    return _cap_of_hair(w, 7.5, ((32 + w, 24, 28.5 + w, 24.5, 27, 14), (29, 21, 35 - w, 26, 31.2 - w, 33)))


def _bun(w: float) -> skia.Path:
    return _cap_of_hair(w, 9, ((31 + w, 18, 36, 16.5, 32, 17), (28, 16.5, 33 - w, 18, 31.2 - w, 33)))


def hat(pen: Pen, kind: str, colour: int, w: float, flip: bool) -> None:
    """A hat down to the upper forehead."""
    if kind == "none":
        return
    dark, light = mix(colour, 0x15121C, 0.3), mix(colour, 0xFFFFFF, 0.25)
    if kind == "cap":
        side = -1 if flip else 1
        pen.shape(_dome(w, kind), colour, "hat")
        pen.spot(32 - side * 5, 12, 3.6, 2.2, light, 0.55)
        pen.trace(curve((32, 8), (32 + side * 5, 12, 32 + side * 4, 18), close=False), dark, 0.8)
        pen.spot(32, 7.8, 1.7, 1.1, dark)
        pen.shape(_peak(w, flip), dark, "hat")
    elif kind == "beanie":
        pen.shape(ellipse(32, 7.2, 4.2, 3.8), light, "hat")
        pen.shape(_dome(w, kind), colour, "hat")
        pen.trace(_folds(w), dark, 0.9, 0.55)
        pen.shape(_band(w, kind), light, "hat")
        pen.trace(_ribs(w), colour, 0.8, 0.7)
    else:
        pen.shape(_dome(w, kind), colour, "hat")
        pen.paint(_band(w, kind), dark)
        pen.shape(_brim(w), colour, "hat")
        pen.trace(_rim(w), light, 0.9, 0.6)


@of_width
def _dome(w: float, kind: str) -> skia.Path:
    if kind == "cap":
        return curve((30 - w, 23), (29 - w, 7.5, 32, 7.5), (35 + w, 7.5, 34 + w, 23), (32, 17.5, 30 - w, 23))
    if kind == "beanie":
        return curve((30.5 - w, 22), (29 - w, 8, 32, 8), (35 + w, 8, 33.5 + w, 22))
    return curve((34.5 - w, 19), (35 - w, 7, 27, 6.5), (32, 9, 37, 6.5), (29 + w, 7, 29.5 + w, 19))


@of_width
def _peak(w: float, flip: bool) -> skia.Path:
    path = curve(
        (35 - w, 20.5), (38, 14.5, 40.5 + w, 22.5), (40 + w, 25.6, 36 + w, 24.8), (38, 19.8, 35 - w, 23)
    )
    return _flipped(path) if flip else path


@of_width
def _folds(w: float) -> skia.Path:
    folds = [
        curve((32 + w * x * 0.7, 11), (32 + w * x, 14, 32 + w * x * 1.1, 17), close=False)
        for x in (-0.55, 0.0, 0.55)
    ]
    return together(*folds)


@of_width
def _band(w: float, kind: str) -> skia.Path:
    if kind == "beanie":
        return box(32, 20.5, w + 2.6, 3.4, 2.4)
    return curve((34.6 - w, 19), (34.8 - w, 15.5), (32, 13.4, 29.2 + w, 15.5), (29.4 + w, 19))


@of_width
def _ribs(w: float) -> skia.Path:
    return lines(*((32 + k * w / 5.4, 18.8, 32 + k * w / 5.4, 22.3) for k in range(-5, 6)))


@of_width
def _brim(w: float) -> skia.Path:
    return curve((22 - w, 19.5), (27 - w, 17.5, 32, 17.2), (37 + w, 17.5, 42 + w, 19.5),
                 (39 + w, 23.6, 32, 23.2), (25 - w, 23.6, 22 - w, 19.5))  # fmt: skip


@of_width
def _rim(w: float) -> skia.Path:
    return curve((26 - w, 20.4), (32, 18.6, 38 + w, 20.4), close=False)
