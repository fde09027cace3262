"""The generator opened up: its feature maps for one picture, and the picture without some of their channels.

Shapes: N pictures, C channels, H x W pixels.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from cgan.conditions import Field
from cgan.dissection import stages
from cgan.engine import Resident
from cgan.types import Cond
from cgan.ui.controls import button, seed, slider, sliders
from cgan.ui.fields import widgets
from cgan.ui.i18n import say, text
from cgan.ui.pictures import diverging, enlarge, png, tile
from cgan.ui.plans import PIXELS, Plan, Route, Work, bound, frame, start
from cgan.ui.query import Query
from cgan.ui.tabs.base import Tab

if TYPE_CHECKING:
    from cgan.ui.api import Api

SHOWN, COLUMNS = 40, 8  # channels of a level on its sheet
REACH = 3.0  # spreads above the mean that have the strongest colour
GAIN = 2.0  # a difference of half the range from black to white has the strongest colour
MOST = 1024  # channels that can be switched off at once


def dissected(query: Query, resident: Resident) -> Plan | Work:
    """The picture without the channels that are off."""
    off = _off(query)
    if not off:
        return frame(query, resident)
    noise, cond = start(query, resident, 1)
    scale = _scale(query, resident.model.config.size)

    def run() -> bytes:
        pictures, _ = _run(resident, noise, cond, off)
        return png(enlarge(tile(resident.model.to_uint8(pictures), 1), scale))

    return Work(run)


def missing(query: Query, resident: Resident) -> Work:
    """What is darker (blue) or lighter (orange) in the picture as it is than without what is off."""
    off = _off(query)
    noise, cond = start(query, resident, 1)
    scale = _scale(query, resident.model.config.size)

    def run() -> bytes:
        whole, less = (_run(resident, noise, cond, each)[0][0].mean(0) for each in ({}, off))
        low, high = resident.model.config.generator.image_range
        return png(enlarge(diverging((whole - less) / (high - low) * GAIN), scale))

    return Work(run)


def features(query: Query, resident: Resident) -> Work:
    """The maps of a level's channels, those that vary most first, each about its own mean."""
    off, level = _off(query), query.whole("block", 0, 0, 99)
    noise, cond = start(query, resident, 1)
    scale, most = query.whole("scale", 1, 1, 16), _most(resident)
    bound(most, most * (resident.model.config.size * scale) ** 2)

    def run() -> bytes:
        dissection = resident.dissection
        if level >= len(dissection.levels):
            raise ValueError(f"block must be from 0 to {len(dissection.levels) - 1}, got {level}")
        _, maps = _run(resident, noise, cond, off)
        order = list(dissection.levels[level].order[:most])
        coloured = diverging(dissection.contrast(level, maps[level])[0, order] / REACH)  # [C, H, W, 3]
        return png(enlarge(tile(torch.from_numpy(coloured).permute(0, 3, 1, 2), COLUMNS), scale))

    return Work(run)


def levels(query: Query, resident: Resident) -> Work:
    """The generator's parts, and which channels the sheets show."""

    def run() -> bytes:
        shown = [level.order[: _most(resident)] for level in resident.dissection.levels]
        parts = [dataclasses.asdict(stage) for stage in stages(resident.model)]
        return json.dumps({"stages": parts, "channels": shown, "columns": COLUMNS}).encode()

    return Work(run)


def _most(resident: Resident) -> int:
    """Channels of a level that are shown: as many as one answer has room for, in whole rows."""
    room = PIXELS // resident.model.config.size**2
    return min(SHOWN, max(COLUMNS, room // COLUMNS * COLUMNS))


def _off(query: Query) -> dict[int, list[int]]:
    """Channels by level, from LEVEL:CHANNEL pairs between commas."""
    given = query.matching(
        "off", r"(\d{1,2}:\d{1,4}(,\d{1,2}:\d{1,4})*)?", "LEVEL:CHANNEL pairs between commas"
    )
    pairs = sorted({tuple(map(int, pair.split(":"))) for pair in given.split(",")} if given else ())
    if len(pairs) > MOST:
        raise ValueError(f"off takes at most {MOST} channels, got {len(pairs)}")
    found: dict[int, list[int]] = {}
    for level, channel in pairs:
        found.setdefault(level, []).append(channel)
    return found


def _run(
    resident: Resident, noise: Tensor, cond: Cond, off: Mapping[int, Sequence[int]]
) -> tuple[Tensor, list[Tensor]]:
    try:
        return resident.dissection.run(noise, cond, off)
    except IndexError as error:
        raise ValueError(f"off: {error}") from error


def _scale(query: Query, size: int) -> int:
    scale = query.whole("scale", 1, 1, 16)
    bound(1, (size * scale) ** 2)
    return scale


@dataclass(frozen=True)
class Inside(Tab):
    """Look inside."""

    routes: ClassVar[Mapping[str, Route]] = {
        "/dissected.png": Route(dissected, "image/png"),
        "/missing.png": Route(missing, "image/png"),
        "/features.png": Route(features, "image/png"),
        "/levels.json": Route(levels, "application/json"),
    }

    def panel(self, models: Mapping[str, Iterable[Field]]) -> str:
        along = sliders("inside", "z", key="directions", kind="dense", low=-4, high=4, step=0.05)
        return f"""
            <input type="hidden" name="block" value="" data-default="" data-page>
            <input type="hidden" name="off" value="" data-default="">
            <input type="hidden" name="first" value="0" data-default="0">
            <input type="hidden" name="raw" value="" data-default="">
            <input type="hidden" name="strength" value="1" data-default="1">
            <div class="anatomy"></div>
            <div class="features">
                <p class="reading" role="status"></p>
                <div class="film">
                    <div class="channels" role="group" aria-label="{say("inside_channels")}"></div>
                </div>
            </div>
            <div class="lacks">
                {_thumb("whole", "inside_whole")}{_thumb("missing", "inside_missing")}
                <div>{button("inside_all", mark="data-all")}{button("inside_these", mark="data-these")}</div>
            </div>
            {widgets(models, "inside", compact=True)}
            <div class="row">{button("inside_carry", mark="data-carry")}</div>
            <div class="pair">
                {seed("inside", value=1)}
                {slider("inside", "psi", low=0, high=2, step=0.01, value=1)}
            </div>
            <details><summary>{text("directions")}</summary>{along}</details>"""

    def endpoint(self, api: Api) -> None:
        def inside(
            model: str = api.model,
            condition: str = api.condition,
            seed: int = 1,
            off: str = "",
            block: int = -1,
            psi: float = 1.0,
            scale: int = 1,
        ) -> str:
            """A picture without some channels of the generator, or a block's feature maps, as a PNG file; the
            same as /dissected.png and /features.png.

            Args:
                model: The model's name, as /models.json lists it.
                condition: What to show, a JSON object such as {"label": "3"}.
                seed: The seed of the noise, 0 or more.
                off: The channels to switch off, BLOCK:CHANNEL with commas between them; block 0 is the stem.
                block: The block whose feature maps to show, from 0; -1 for the picture.
                psi: Truncation, 0 to 2: what the noise is multiplied by.
                scale: How many pixels wide a pixel becomes, 1 to 16.
            """
            asked = {"seed": seed, "off": off, "psi": psi, "scale": scale}
            if block < 0:
                return api.make("/dissected.png", model, asked, condition)
            return api.make("/features.png", model, asked | {"block": block}, condition)

        api.add(inside)


def _thumb(name: str, key: str) -> str:
    """A small picture with its name below."""
    return f'<figure><div class="thumb" data-{name}></div><figcaption>{text(key)}</figcaption></figure>'
