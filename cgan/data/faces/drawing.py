"""Draws one face: attributes and details to a colour picture, a map of classes and a line drawing.

S is the size in pixels; coordinates are in the 64 units of `pen`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import skia

from cgan.data.faces import attributes, hair
from cgan.data.faces.attributes import CLASSES, Details, named
from cgan.data.faces.pen import (
    UNITS,
    Pen,
    argb,
    box,
    curve,
    ellipse,
    lines,
    mix,
    pair,
    stretched,
    together,
    twice,
)

HAIR, EYES, CLOTHES, BACKGROUNDS = (
    {name: int(colour[1:], 16) for name, colour in palette.items()}
    for palette in (attributes.HAIR, attributes.EYES, attributes.CLOTHES, attributes.BACKGROUNDS)
)
SKIN = (0xFDE3D2, 0xF3C6A2, 0xDBA174, 0xB0734A, 0x855236)
SHADOW, LIPS = 0x3A1C2E, 0xB23A4B
FRAMES = (0x2B2A35, 0x7A3B2E, 0xC9962F, 0xB03A48, 0x2E5F8A)
HATS = (0xD2504F, 0xE9A13B, 0x3F8F6B, 0x39629F, 0x7A5299, 0x3A3D49, 0xA9744A, 0xE7E1D6)
FRECKLES = pair(together(*(ellipse(x, y, 0.6, 0.6) for x, y in ((41, 40.4), (39, 42), (42.6, 42.3)))))
CORDS = pair(lines((35, 61, 35.4, 65)))
BEND = curve((26, 54.6), (32, 56.8, 38, 54.6), close=False)
MOUSTACHE = curve((32, 42), (36, 40.4, 38.2, 42.8), (39.8, 44.2, 42, 42.4), (41, 47.2, 36, 46.2),
                  (33, 45.6, 32, 44.8), (31, 45.6, 28, 46.2), (23, 47.2, 22, 42.4), (24.2, 44.2, 25.8, 42.8),
                  (28, 40.4, 32, 42))  # fmt: skip
of_neck = stretched(5.6, 7.2)
WHOLE = skia.Rect.MakeWH(UNITS, UNITS)
CHIN = (32.0, 54.0)  # about which the head tilts
TILT = 11.0  # degrees
SCALE = 1.1  # of the whole figure, about the chin
AT_ONCE = 8  # faces whose maps and lines are made together; more leave the processor's cache


class Painter:
    """Draws faces of one size; it keeps its canvases."""

    def __init__(self, size: int):
        self.pen = Pen(size, tuple(CLASSES), AT_ONCE)
        self._backgrounds: dict[tuple[int, int], np.ndarray] = {}

    def draw(self, values: np.ndarray, more: Sequence[Details]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Attributes [N, A] to colours [N, 3, S, S], class ids [N, S, S] and lines [N, S, S], uint8."""
        size = len(self.pen.pixels)
        colours = np.empty((len(values), 3, size, size), np.uint8)
        maps, lines = (np.empty((len(values), size, size), np.uint8) for _ in range(2))
        for first in range(0, len(values), AT_ONCE):
            rows = range(first, min(first + AT_ONCE, len(values)))
            for k in rows:
                self._face(k - first, named(values[k]), more[k])
                colours[k] = self.pen.pixels[..., 2::-1].transpose(2, 0, 1)
            maps[rows.start : rows.stop] = self.pen.maps(len(rows))
            lines[rows.start : rows.stop] = self.pen.lines(len(rows))
        return colours, maps, lines

    def _face(self, k: int, look: dict, more: Details) -> None:
        pen = self.pen
        pen.begin(k, self._background(BACKGROUNDS[look["background"]], int(more.motif * 4)))
        upright = _place(2.4 * (more.shift_x - 0.5), 1.6 * more.shift_y + 1.0)
        tilted = _place(2.4 * (more.shift_x - 0.5), 1.6 * more.shift_y + 1.0, TILT * look["tilt"])
        skin, colour = skin_of(look["skin_tone"]), HAIR[look["hair_colour"]]
        w = hair.WIDTHS[0] + (hair.WIDTHS[1] - hair.WIDTHS[0]) * look["face_width"]
        pen.place(tilted)
        hair.behind(pen, look["hair_style"], colour, w, look["hat"] != "none")
        pen.place(upright)
        _body(pen, look, more, skin)
        pen.place(tilted)
        _head(pen, look, more, w, skin, colour)
        pen.place(skia.Matrix())
        _light(pen, look["light"])

    def _background(self, ground: int, motif: int) -> np.ndarray:
        """uint8 [S, S, 4], drawn once: there are few."""
        if (ground, motif) not in self._backgrounds:
            self.pen.colour.clear(argb(ground))
            _motif(self.pen, ground, motif)
            self._backgrounds[ground, motif] = self.pen.pixels.copy()
        return self._backgrounds[ground, motif]


def _place(x: float, y: float, degrees: float = 0.0) -> skia.Matrix:
    """Enlarges the figure, tilts it clockwise and shifts it by (x, y)."""
    return skia.Matrix.RotateDeg(degrees, skia.Point(*CHIN)).preScale(SCALE, SCALE, *CHIN).postTranslate(x, y)


def skin_of(tone: float) -> int:
    k = min(int(tone * (len(SKIN) - 1)), len(SKIN) - 2)
    return mix(SKIN[k], SKIN[k + 1], tone * (len(SKIN) - 1) - k)


def pick(options: tuple[int, ...], u: float) -> int:
    return options[int(u * len(options))]


def _motif(pen: Pen, ground: int, kind: int) -> None:
    pale, deep = mix(ground, 0xFFFFFF, 0.32), mix(ground, 0x4A3A6A, 0.12)
    if kind == 1:
        pen.spot(32, 34, 27, 27, pale)
    elif kind == 2:
        pen.spot(10, 66, 30, 24, deep)
        pen.spot(54, 68, 28, 30, pale)
    elif kind == 3:
        for x in (2, 34, 66):
            pen.paint(curve((x - 8, 0), (x + 8, 0), (x - 12, 64), (x - 28, 64)), pale, 0.6)


def _body(pen: Pen, look: dict, more: Details, skin: int) -> None:
    cloth = CLOTHES[look["clothes"]]
    shade, dark, light = mix(skin, SHADOW, 0.2), mix(cloth, 0x1B1830, 0.25), mix(cloth, 0xFFFFFF, 0.22)
    n, kind = 5.6 + 1.6 * more.neck, int(more.collar * 4)
    pen.shape(_neck(n), shade, "skin")
    pen.shape(_clothes(n, kind), cloth, "clothes")
    if kind == 0:
        pen.trace(_collar(n, kind), light, 1.7)
    elif kind == 2:
        pen.shape(_collar(n, kind), light, "clothes")
    elif kind == 3:
        pen.shape(_collar(n, kind), dark, "clothes")
        pen.trace(CORDS, 0xFFFFFF, 0.9)


@of_neck
def _neck(n: float) -> skia.Path:
    return curve((32 - n, 44), (32 - n, 66), (32 + n, 66), (32 + n, 44))


@of_neck
def _clothes(n: float, kind: int) -> skia.Path:
    dip = (58.5, 64, 60.5, 58)[kind]
    return curve((3, 68), (3.5, 58, 15, 56), (22, 54.6, 31 - n, 53.6), (32, dip * 2 - 53.6, 33 + n, 53.6),
                 (42, 54.6, 49, 56), (60.5, 58, 61, 68))  # fmt: skip


@of_neck
def _collar(n: float, kind: int) -> skia.Path:
    if kind == 0:
        return curve((31 - n, 54), (32, 64.2, 33 + n, 54), close=False)
    if kind == 2:
        return pair(curve((32.6 + n, 52.6), (32, 60.5), (38, 64), (36.5 + n, 56)))
    return pair(curve((32.8 + n, 51.8), (40 + n, 53, 38 + n, 59), (36, 62, 32, 61), (36, 58, 32.8 + n, 51.8)))


def _head(pen: Pen, look: dict, more: Details, w: float, skin: int, colour: int) -> None:
    if look["hair_style"] not in ("bob", "long"):
        pen.shape(_beside(w, 0.6, 35, 3.1, 4.2), skin, "skin")
        pen.paint(_beside(w, 1, 35.2, 1.5, 2.5), mix(skin, SHADOW, 0.17))
        if more.earring > 0.8:
            pen.paint(_beside(w, 1.4, 40.2, 1.3, 1.3), 0xF3C33C)
    side = look["light"]
    ends = (mix(skin, SHADOW, 0.17 * (1 + side) / 2), mix(skin, SHADOW, 0.17 * (1 - side) / 2))
    pen.shade(_oval(w), *ends, (32 - w, 32 + w), "skin")
    eyes = _apart(w)
    if more.blush > 0.4:
        pen.paint(_beside(eyes, 2.2, 42, 3.2, 2), 0xF0566A, 0.1 + 0.25 * (more.blush - 0.4))
    if more.freckles > 0.8:
        pen.paint(FRECKLES, mix(skin, 0x7A3316, 0.5))
    if look["hat"] == "none" and look["hair_style"] == "bald":
        pen.spot(27, 18, 4, 2, mix(skin, 0xFFF4E6, 0.16))
    _facial_hair(pen, look["facial_hair"], colour, w)
    _mouth(pen, look["smile"], look["mouth_open"], skin)
    _nose(pen, look["nose_size"], skin)
    _eyes(pen, eyes, look)
    _brows(pen, look, more, eyes, skin, colour)
    flip = more.flip < 0.5
    hatted = look["hat"] != "none"
    hair.in_front(pen, look["hair_style"], colour, w, hatted, flip)
    _glasses(pen, look["glasses"], pick(FRAMES, more.frame), w)
    hair.hat(pen, look["hat"], pick(HATS, more.hat_colour), w, flip)


@hair.of_width
def _oval(w: float) -> skia.Path:
    return curve((32, 12.5), (32 + 0.62 * w, 12.5, 32 + w, 20, 32 + w, 32),
                 (32 + w, 43.5, 32 + 0.56 * w, 54, 32, 54), (32 - 0.56 * w, 54, 32 - w, 43.5, 32 - w, 32),
                 (32 - w, 20, 32 - 0.62 * w, 12.5, 32, 12.5))  # fmt: skip


@hair.of_width
def _beside(apart: float, x: float, y: float, rx: float, ry: float) -> skia.Path:
    """Two ellipses, each `apart` + x from the middle."""
    return pair(ellipse(32 + apart + x, y, rx, ry))


def _eyes(pen: Pen, apart: float, look: dict) -> None:
    """Each `apart` from the middle."""
    openness, left, right = look["eye_openness"], 32 - apart, 32 + apart

    def iris(x: float, y: float, rx: float, ry: float) -> skia.Path:
        """In both eyes, which look the same way."""
        return twice(ellipse(left + 2.1 * look["gaze"] + x, y, rx, ry), 2 * apart)

    height = 0.35 + 4.0 * openness
    white = pair(ellipse(right, 34, 4.7, height))
    pen.shape(white, 0xFFFDF8, "eyes")
    with pen.inside(white):
        colour = EYES[look["eye_colour"]]
        pen.paint(iris(0, 34, 3.05, 3.05), colour)
        pen.paint(iris(0, 34.9, 2.1, 1.7), mix(colour, 0xFFFFFF, 0.3))
        pen.dot(iris(0, 34, 1.35, 1.35), 0x17131C, "eyes")
        pen.paint(iris(-1, 32.8, 0.85, 0.85), 0xFFFFFF)
    if openness < 0.12:
        lid = curve((right - 4.6, 33.6), (right, 36.4, right + 4.6, 33.6), close=False)
    else:
        top = 34 - 2 * height + 0.4 * openness
        lid = curve((right - 4.9, 34.2), (right, top, right + 4.9, 34.2), close=False)
    pen.line(pair(lid), 0x2A1C26, 1.5, "eyes")


def _brows(pen: Pen, look: dict, more: Details, eyes: float, skin: int, colour: int) -> None:
    angle, raised = look["brow_angle"], 26.6 - 0.9 * look["eye_openness"]
    tone = mix(mix(colour, 0x2B1C1C, 0.35), skin, 0.05)
    path = curve((36.3 + eyes, raised + 0.6 - 1.7 * angle),
                 (32 + eyes, raised - 1.4, 28.1 + eyes, raised + 0.2 + 2.2 * angle), close=False)  # fmt: skip
    pen.line(pair(path), tone, 1.9 + 0.7 * more.brow_weight, "brows", ink=1.7)


def _nose(pen: Pen, size: float, skin: int) -> None:
    rx, ry = 1.7 + 2.5 * size, 1.5 + 1.5 * size
    pen.shape(ellipse(32, 40.6 - 0.3 * ry, rx, ry), mix(mix(skin, 0xD23C34, 0.4), SHADOW, 0.16), "nose")
    pen.spot(32 - 0.3 * rx, 40.3 - 0.7 * ry, 0.42 * rx, 0.3 * ry, mix(skin, 0xFFFFFF, 0.35), 0.8)


def _mouth(pen: Pen, smile: float, opening: float, skin: int) -> None:
    """Between an upper and a lower curve from corner to corner."""
    half = 6.2 + 0.6 * abs(smile) - 1.0 * opening
    bend, gap = 3.6 * smile, 5.2 * opening
    y = 47.6 - 0.42 * bend - 0.3 * gap
    corner = (32 - half, y)

    def lens(top: float, bottom: float) -> skia.Path:
        return curve(corner, (32, y + top, 32 + half, y), (32, y + bottom, *corner))

    lips = mix(LIPS, skin, 0.12)
    whole = lens(2 * bend - 0.8 * gap - 0.4, 2 * bend + 1.2 * gap + 0.4)
    pen.line(whole, lips, 1.9, "mouth", ink=0.0)
    pen.shape(whole, 0x611A26, "mouth", contour=False)
    pen.line(whole, lips, 1.1, "mouth", ink=1.2)
    if opening > 0.22:
        pen.paint(lens(2 * bend - 0.75 * gap, 2 * bend - 0.1 * gap), 0xFFFAF0)
        pen.paint(lens(2 * bend + 0.65 * gap, 2 * bend + 1.1 * gap), 0xE2707A)


def _facial_hair(pen: Pen, kind: str, colour: int, w: float) -> None:
    """Under the mouth, which stays whole."""
    if kind == "beard":
        pen.shape(_beard(w), colour, "facial hair")
        pen.trace(BEND, mix(colour, 0xFFFFFF, 0.2), 0.9, 0.6)
    elif kind == "moustache":
        pen.shape(MOUSTACHE, colour, "facial hair")


@hair.of_width
def _beard(w: float) -> skia.Path:
    return curve((31.4 - w, 33), (31 - w, 46, 33 - 0.62 * w, 57.6, 32, 57.6),
                 (31 + 0.62 * w, 57.6, 33 + w, 46, 32.6 + w, 33), (30.5 + w, 41.5, 28 + w, 43),
                 (37, 41, 32, 43), (27, 41, 36 - w, 43), (33.5 - w, 41.5, 31.4 - w, 33))  # fmt: skip


def _glasses(pen: Pen, kind: str, colour: int, w: float) -> None:
    if kind == "none":
        return
    pen.paint(_lenses(w, kind), 0xE9F6FF, 0.16)
    pen.line(_frame(w, kind), colour, 1.7, "glasses", ink=1.0)
    pen.trace(_glints(w), 0xFFFFFF, 0.9, 0.5)


def _apart(w: float) -> float:
    """From the middle of the face to that of an eye."""
    return 6.6 + 0.22 * (w - 13)


@hair.of_width
def _lenses(w: float, kind: str) -> skia.Path:
    x = 32 + _apart(w)
    return pair(ellipse(x, 34, 6.3, 6.2) if kind == "round" else box(x, 34.2, 6.3, 5.3, 1.3))


@hair.of_width
def _frame(w: float, kind: str) -> skia.Path:
    left, right = 38.3 - _apart(w), 25.7 + _apart(w)
    bridge = curve((left, 33.4), (32, 32, right, 33.4), close=False)
    return together(_lenses(w, kind), bridge, pair(lines((38.3 + _apart(w), 32.6, 32.8 + w, 31.8))))


@hair.of_width
def _glints(w: float) -> skia.Path:
    return twice(lines((28.6 - _apart(w), 32, 30.4 - _apart(w), 30)), 2 * _apart(w))


def _light(pen: Pen, light: float) -> None:
    """Warm light from one side, violet shadow from the other."""
    pen.colour.drawImageRect(_lit(len(pen.pixels), light < 0), WHOLE, paint=skia.Paint(Alphaf=abs(light)))


@lru_cache(8)
def _lit(size: int, left: bool) -> skia.Image:
    """The strongest light there is, as size x size pixels; it fades out towards the middle."""
    warm, cool = argb(0xFFF1C9, 0.26), argb(0x231A4D, 0.42)
    start, end = (warm, cool) if left else (cool, warm)
    colours = [start, start & 0xFFFFFF, end & 0xFFFFFF, end]
    ends = [skia.Point(2, 20), skia.Point(62, 44)]
    shader = skia.GradientShader.MakeLinear(ends, colours, [0.0, 0.45, 0.55, 1.0])
    surface = skia.Surface(size, size)
    surface.getCanvas().scale(size / UNITS, size / UNITS)
    surface.getCanvas().drawPaint(skia.Paint(Shader=shader))
    return surface.makeImageSnapshot()
