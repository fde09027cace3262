"""What a query asks for: pictures of the generator, or other work on a model.

A route is a function (query, resident) -> `Plan` or `Work`, checked and ready to be run; its query string is
the permalink, the REST call and the cache's key. Tabs bring routes of their own (`cgan.ui.tabs`).

Shapes: N pictures, C channels, H x W pixels, Z noise width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cgan.conditions import Choice, Field, Paint, Range, Sketch
from cgan.engine import Resident
from cgan.latent import INTERPOLATIONS, place
from cgan.rng import SEED_LIMIT
from cgan.types import Cond
from cgan.ui.fields import near
from cgan.ui.pictures import GAP, enlarge, gif, png, tile
from cgan.ui.query import Query

PICTURES, PIXELS = 256, 2**22  # the most in one answer
ROWS = 5  # noises of a grid
ALONG = 7  # steps of a range in a grid
FIRST = 2**20  # the last of a seed's samples that an answer may begin with


@dataclass(frozen=True)
class Plan:
    """Pictures, and how they become a file."""

    noise: Tensor  # [N, Z], or [N, K, Z] for the K places that read it
    cond: Cond  # of N pictures
    pixels: int  # of the file, all its frames together
    encode: Callable[[Tensor], bytes]  # uint8 [N, C, H, W] -> the file
    resident: Resident | None = None  # who makes them, where it is not the model asked for but a snapshot

    def __post_init__(self):
        bound(len(self.noise), self.pixels)


@dataclass(frozen=True)
class Work:
    """Anything else that is computed of a model, in a thread beside the engine's, on the CPU."""

    run: Callable[[], bytes]  # makes the file


@dataclass(frozen=True)
class Route:
    """An address that can be asked."""

    # The file itself where it is made at once. ValueError names the parameter and what it accepts.
    answer: Callable[[Query, Resident], Plan | Work | bytes]
    media: str  # the file's type
    aside: bool = False  # whether its answer may take long and is found beside the event loop


def bound(pictures: int, pixels: int) -> None:
    """ValueError if that is more than an answer may hold."""
    if pictures > PICTURES:
        raise ValueError(f"at most {PICTURES} pictures in one answer, this would be {pictures}")
    if pixels > PIXELS:
        raise ValueError(f"at most {PIXELS} pixels in one answer, this would be {pixels}; lower scale")


def frame(query: Query, resident: Resident) -> Plan:
    """One picture, or `count` of them tiled; with a second end, the one at `t` on the way there."""
    count = query.whole("count", 1, 1, 64)
    noise, cond = start(query, resident, count)
    t = query.number("t", 0, 0, 1)
    noise, cond = between(query, resident, noise, cond, [t], count)
    return sheet(query, resident, noise, cond, columns=query.whole("columns", near_square(count), 1, 64))


def strip(query: Query, resident: Resident) -> Plan:
    """A row of pictures from one end to the other."""
    noise, cond = start(query, resident, 1)
    steps = query.whole("steps", 9, 2, 64)
    noise, cond = between(query, resident, noise, cond, torch.linspace(0, 1, steps).tolist())
    return sheet(query, resident, noise, cond, columns=steps)


def grid(query: Query, resident: Resident) -> Plan:
    """The same noises (rows) under every value of one field (columns), or transposed."""
    encoder = resident.model.encoder
    known = {field.name: field for field in sorted(encoder.fields(), key=lambda f: not isinstance(f, Choice))}
    field = known[query.choice("along", next(iter(known)), tuple(known))]
    values = values_along(field)
    if not values:
        raise ValueError(f"model {resident.name} has no examples of {field.name} to make a grid of")
    columns = len(values)
    rows = query.whole("rows", most_rows(resident, ROWS, columns), 1, 16)
    other = field_values(query, resident, without=field.name)
    conds = [resident.condition({**other, field.name: value}) for value in values]
    noise = noise_at(query, resident, "seed", rows)
    cond = Cond.cat([strengthen(query, resident, Cond.cat(conds))] * rows)
    noise = noise.repeat_interleave(columns, 0)
    if query.whole("transpose", 0, 0, 1):
        order = torch.arange(rows * columns).view(rows, columns).T.flatten()
        noise, cond, columns = noise[order], cond[order], rows
    return sheet(query, resident, noise, cond, columns)


def most_rows(resident: Resident, rows: int, columns: int, frames: int = 1) -> int:
    """As many of the rows as one answer has room for in every frame, one at least."""
    pixels = frames * (resident.model.config.size + GAP) ** 2
    return max(1, min(rows, min(PICTURES, PIXELS // pixels) // columns))


def values_along(field: Field) -> tuple[str, ...]:
    """What a field takes from one end to the other: its choices, steps of its range, or its examples."""
    match field:
        case Choice():
            return field.choices
        case Range():
            steps = torch.linspace(field.low, field.high, ALONG).tolist()
            return tuple(near(field, value, 4) for value in steps)
    return field.examples


def walk(query: Query, resident: Resident) -> Plan:
    """From one end to the other and back, as an animated GIF."""
    noise, cond = start(query, resident, 1)
    steps, fps = query.whole("steps", 16, 2, 64), query.whole("fps", 12, 1, 50)
    noise, cond = between(query, resident, noise, cond, torch.linspace(0, 1, steps).tolist())
    scale = query.whole("scale", 1, 1, 16)

    def encode(pictures: Tensor) -> bytes:
        there = [enlarge(tile(picture[None], 1), scale) for picture in pictures]
        return gif(there + there[-2:0:-1], fps)

    pixels = (2 * steps - 2) * (resident.model.config.size * scale) ** 2
    return Plan(noise, cond, pixels, encode)


def start(query: Query, resident: Resident, count: int) -> tuple[Tensor, Cond]:
    """noise [N, Z] and condition of what seed and fields ask for."""
    return noise_at(query, resident, "seed", count), asked(query, resident).expand(count)


def asked(query: Query, resident: Resident, suffix: str = "") -> Cond:
    """The condition of one picture. What the second end (suffix 2) leaves open is as at the first."""
    values = field_values(query, resident) | (field_values(query, resident, suffix=suffix) if suffix else {})
    return strengthen(query, resident, resident.condition(values))


def between(
    query: Query, resident: Resident, noise: Tensor, cond: Cond, way: Sequence[float], count: int = 1
) -> tuple[Tensor, Cond]:
    """noise and condition at every place, from 0 to 1, of the way to the second end; one place, or a `count`
    of 1."""
    path = INTERPOLATIONS[query.choice("mode", "slerp", tuple(INTERPOLATIONS))]
    names = ["seed2", *(f"{field.name}2" for field in resident.model.encoder.fields())]
    if all(query.text(name) is None for name in names):  # the ends are the same
        return (noise, cond) if len(way) == 1 else (noise.expand(len(way), -1), cond.expand(len(way)))
    other = noise_at(query, resident, "seed2", count, default=query.whole("seed", 0, 0, SEED_LIMIT - 1))
    t = torch.tensor(way)
    return path(noise, other, t[:, None]), cond.lerp(asked(query, resident, suffix="2"), t)


def field_values(query: Query, resident: Resident, suffix: str = "", without: str = "") -> dict[str, str]:
    """The condition's fields as the query gives them."""
    names = [field.name for field in resident.model.encoder.fields() if field.name != without]
    found = {name: query.text(name + suffix) for name in names}
    return {name: text for name, text in found.items() if text is not None}


def noise_at(query: Query, resident: Resident, seed: str, count: int, default: int = 0) -> Tensor:
    """The noise [N, Z] at the seed of that name, moved by psi, z and raw."""
    dim = resident.model.config.generator.noise_dim
    return place(
        resident.model,
        resident.directions,
        seed=query.whole(seed, default, 0, SEED_LIMIT - 1),
        count=count,
        first=query.whole("first", 0, 0, FIRST),
        psi=query.number("psi", 1, 0, 2),
        strengths=query.numbers("z", len(resident.directions), -6, 6),
        components=query.indexed("raw", dim, -6, 6),
    )


def decodes(query: Query, resident: Resident) -> bool:
    """Whether the condition holds a picture that is yet to be decoded, which may take long."""
    return any(
        not resident.remembers({field.name: text})
        for field in resident.model.encoder.fields()
        if isinstance(field, Paint | Sketch)
        for text in query.given(field.name, f"{field.name}2")
    )


def strengthen(query: Query, resident: Resident, cond: Cond) -> Cond:
    """The condition, moved away from 'no condition' (strength 0) to and beyond itself (1)."""
    strength = query.number("strength", 1, -1, 3)
    if strength == 1:
        return cond
    return resident.unconditional.expand(len(cond)).lerp(cond, strength)


def near_square(count: int) -> int:
    """Of a near-square grid."""
    return max(1, round(count**0.5 + 0.49))


def sheet(query: Query, resident: Resident, noise: Tensor, cond: Cond, columns: int) -> Plan:
    scale, size = query.whole("scale", 1, 1, 16), resident.model.config.size + GAP
    rows = -(-len(noise) // columns)
    return Plan(
        noise=noise,
        cond=cond,
        pixels=rows * columns * (size * scale) ** 2,
        encode=lambda pictures: png(enlarge(tile(pictures, columns), scale)),
    )


PICTURE_ROUTES: dict[str, Route] = {
    "/frame.png": Route(frame, "image/png"),
    "/strip.png": Route(strip, "image/png"),
    "/grid.png": Route(grid, "image/png"),
    "/walk.gif": Route(walk, "image/gif"),
}
