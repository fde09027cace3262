"""What a cartoon face is made of: named attributes that conditions ask for, and details that they leave to
the noise. Left and right are the viewer's.

Shapes: N faces, A attributes, U uniform numbers a face.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cgan.rng import stream
from cgan.types import Attribute

HAIR = {
    "black": "#2a2630", "brown": "#5d351c", "red": "#c24b26", "blonde": "#eabf5c", "grey": "#b4b6bf",
    "blue": "#4779cf", "pink": "#ea7fae",
}  # fmt: skip
EYES = {"brown": "#7a4320", "blue": "#2f7fdc", "green": "#3a9d4b", "violet": "#9150c8"}
BACKGROUNDS = {
    "yellow": "#f9d774", "orange": "#f6a66b", "pink": "#f7bccb", "green": "#a9d9a0", "blue": "#9fcdf2",
    "purple": "#c0a9e6", "grey": "#cdd2d9",
}  # fmt: skip
CLOTHES = {
    "red": "#d64a4a", "yellow": "#f0b429", "green": "#3d9a68", "blue": "#3566b0", "purple": "#7c549f",
    "black": "#353945", "white": "#f5f2ec",
}  # fmt: skip


def _colours(name: str, palette: dict[str, str]) -> Attribute:
    return Attribute(name, choices=tuple(palette), colours=tuple(palette.values()))


ATTRIBUTES: tuple[Attribute, ...] = (
    Attribute("skin_tone", ends=("light", "dark")),
    Attribute("face_width", ends=("narrow", "wide")),
    Attribute("brow_angle", low=-1, ends=("worried", "angry")),
    Attribute("eye_openness", ends=("closed", "wide open")),
    Attribute("gaze", low=-1, ends=("left", "right")),
    Attribute("nose_size", ends=("small", "big")),
    Attribute("smile", low=-1, ends=("sad", "happy")),
    Attribute("mouth_open", ends=("closed", "open")),
    Attribute("tilt", low=-1, ends=("left", "right")),
    Attribute("light", low=-1, ends=("from the left", "from the right")),
    Attribute("hair_style", choices=("bald", "short", "spiky", "curly", "bob", "long", "bun")),
    _colours("hair_colour", HAIR),
    _colours("eye_colour", EYES),
    Attribute("glasses", choices=("none", "round", "square")),
    Attribute("facial_hair", choices=("none", "moustache", "beard")),
    Attribute("hat", choices=("none", "cap", "beanie", "fedora")),
    _colours("clothes", CLOTHES),
    _colours("background", BACKGROUNDS),
)
NAMES = tuple(attribute.name for attribute in ATTRIBUTES)

CLASSES = {
    "background": "#cdd2d9", "skin": "#f1c19f", "hair": "#6a3f24", "brows": "#1f1a24", "eyes": "#2f7fdc",
    "nose": "#e08a6a", "mouth": "#b8323e", "glasses": "#7c549f", "facial hair": "#a0673f", "hat": "#3d9a68",
    "clothes": "#f0b429",
}  # fmt: skip
"""Classes of the segmentation map in the order of their ids, with a colour to paint each."""

WEIGHTS = {  # how often each choice is drawn; all other attributes are uniform
    "hair_style": (1, 2, 1.5, 1.5, 1.5, 2, 1.5),
    "glasses": (2, 1, 1),
    "facial_hair": (3, 1, 1),
    "hat": (3, 1, 1, 1),
}
SHADES = (
    "skin_tone", "light", "hair_colour", "eye_colour", "clothes", "background", "motif", "blush", "freckles",
    "frame", "hat_colour", "earring",
)  # fmt: skip
"""Attributes and details that only colour a face: its map and its line drawing do not change with them."""

EYES_SHOW = 0.25  # eye colour and gaze can be seen from this openness on
HAIR_SHOWS_UNDER_HAT = ("curly", "bob", "long")


@dataclass(frozen=True)
class Details:
    """What varies beside the attributes, so that one attribute vector has many faces. Uniform on [0, 1)
    unless said otherwise."""

    shift_x: float
    shift_y: float
    flip: float  # the parting, and the peak of a cap, lie left below 0.5
    collar: float  # crew neck, open neck, shirt, hood
    motif: float  # of the background: plain, disc, hills, rays
    blush: float
    freckles: float
    frame: float  # colour of the glasses
    hat_colour: float
    brow_weight: float
    earring: float
    neck: float


UNIFORMS = len(ATTRIBUTES) + len(Details.__annotations__)
SEEDS = {"train": 4242, "test": 2424}
PURPOSE = 16  # keeps these streams apart from noise and training under the same seed


def uniforms(split: str, first: int, count: int) -> np.ndarray:
    """float64 [count, U]; row k is a function of (split, first + k) alone."""
    rows = [stream(SEEDS[split], k, PURPOSE).random(UNIFORMS) for k in range(first, first + count)]
    return np.stack(rows) if rows else np.empty((0, UNIFORMS))


def attribute_values(u: np.ndarray) -> np.ndarray:
    """Uniform numbers [N, U] to attributes float32 [N, A], each in its own units, all independent."""
    values = np.empty((len(u), len(ATTRIBUTES)), np.float32)
    for a, attribute in enumerate(ATTRIBUTES):
        if attribute.choices:
            weights = np.array(WEIGHTS.get(attribute.name, (1,) * len(attribute.choices)), np.float64)
            values[:, a] = np.searchsorted(np.cumsum(weights / weights.sum())[:-1], u[:, a], side="right")
        else:
            values[:, a] = attribute.low + (attribute.high - attribute.low) * u[:, a]
    return values


def details(u: np.ndarray) -> Details:
    """The details of one face, from its row [U] of uniform numbers."""
    return Details(*u[len(ATTRIBUTES) :].tolist())


def named(row: np.ndarray) -> dict[str, float | str]:
    """One attribute vector [A] by name: numbers, and choices by their names."""
    return {
        attribute.name: attribute.choices[round(value)] if attribute.choices else value
        for attribute, value in zip(ATTRIBUTES, row.tolist(), strict=True)
    }


def visibility(values: np.ndarray) -> np.ndarray:
    """Attributes [N, A] to bool [N, A]: can this attribute be seen in the picture?"""
    choice = {a.name: np.array(a.choices)[values[:, NAMES.index(a.name)].round().astype(int)]
              for a in ATTRIBUTES if a.choices}  # fmt: skip
    seen = np.ones(values.shape, bool)
    open_eyes = values[:, NAMES.index("eye_openness")] >= EYES_SHOW
    seen[:, NAMES.index("eye_colour")] = seen[:, NAMES.index("gaze")] = open_eyes
    seen[:, NAMES.index("hair_colour")] = (choice["hair_style"] != "bald") | (choice["facial_hair"] != "none")
    bare = choice["hat"] == "none"
    seen[:, NAMES.index("hair_style")] = bare | np.isin(choice["hair_style"], HAIR_SHOWS_UNDER_HAT)
    return seen
