"""Directions of the noise as film strips, from minus to plus; to go there, and to say what they do.

Shapes: N pictures, Z noise width, L directions, K places that read the noise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from cgan.conditions import Field
from cgan.engine import Resident
from cgan.latent import spread
from cgan.ui.controls import button, choice, seed, slider
from cgan.ui.fields import widgets
from cgan.ui.i18n import text
from cgan.ui.plans import Plan, Route, asked, noise_at, sheet
from cgan.ui.query import Query
from cgan.ui.tabs.base import Tab

if TYPE_CHECKING:
    from cgan.ui.api import Api

ROWS, STEPS, REACH = 8, 9, 4.0  # of the page's sheet: directions, pictures of each, strength at its ends
KINDS: Mapping[str, Callable[[Resident], Tensor]] = {  # [L, Z]
    "sefa": lambda resident: resident.directions,
    "pca": lambda resident: resident.principal,
}


def one(query: Query, resident: Resident) -> Plan:
    """The picture of a seed, moved."""
    return _plan(query, resident, lambda strengths: strengths, columns=1)


def film(query: Query, resident: Resident) -> Plan:
    """The picture of a seed, moved, and in every row along one direction from minus to plus."""
    rows = query.whole("rows", min(ROWS, len(resident.directions)), 1, len(resident.directions))
    steps = query.whole("steps", STEPS, 2, 16)
    line = torch.linspace(-1, 1, steps) * query.number("reach", REACH, 0.1, 6)

    def along(strengths: Tensor) -> Tensor:
        every = strengths.repeat(rows * steps, 1)
        every[torch.arange(rows * steps), torch.arange(rows).repeat_interleave(steps)] = line.repeat(rows)
        return every

    return _plan(query, resident, along, columns=steps)


def _plan(query: Query, resident: Resident, along: Callable[[Tensor], Tensor], columns: int) -> Plan:
    """The pictures at those strengths [N, L] that `along` makes of the strengths asked for [1, L]."""
    found = KINDS[query.choice("kind", "sefa", tuple(KINDS))](resident)
    given = query.numbers("moves", len(found), -6, 6)
    strengths = along(torch.tensor([given + (0.0,) * (len(found) - len(given))]))
    still = noise_at(query, resident, "seed", 1).repeat(len(strengths), 1)
    noise = still + strengths @ found
    readers = len(resident.model.generator.readers)
    layers = _layers(query, readers)
    if len(layers) < readers:
        noise = spread(still, noise, layers, readers)
    return sheet(query, resident, noise, asked(query, resident).expand(len(noise)), columns)


def _layers(query: Query, readers: int) -> list[int]:
    """Numbers of the places that feel the move; all of them where nothing is said."""
    what = f"different whole numbers from 0 to {readers - 1} with commas between them"
    given = query.matching("layers", "[0-9]{1,3}(,[0-9]{1,3})*", what)
    layers = [int(part) for part in given.split(",")] if given else list(range(readers))
    if max(layers) >= readers or len(set(layers)) < len(layers):
        raise ValueError(f"layers must be {what}, got {given!r}")
    return layers


@dataclass(frozen=True)
class Directions(Tab):
    # The first of a model's components takes a second to find.
    routes: ClassVar[Mapping[str, Route]] = {
        "/direction.png": Route(one, "image/png", aside=True),
        "/directions.png": Route(film, "image/png", aside=True),
    }

    def panel(self, models: Mapping[str, Iterable[Field]]) -> str:
        state = "".join(
            f'<input type="hidden" name="{name}" value="" data-default=""{mark}>'
            for name, mark in (("moves", ""), ("layers", ""), ("names", " data-page"))
        )
        shape = f'data-rows="{ROWS}" data-steps="{STEPS}" data-reach="{REACH:g}" style="--steps: {STEPS}"'
        return f"""
            <div class="row spread">
                {choice("kind", key="directions_kind", options=("sefa", "pca"))}
                {button("reset", mark="data-still")}
            </div>
            <p class="note" data-kind="sefa">{text("directions_sefa")}</p>
            <p class="note" data-kind="pca" hidden>{text("directions_pca")}</p>
            {state}
            <div class="ways" {shape}><div class="names"></div><div class="atlas"></div></div>
            <fieldset class="field readers"><legend>{text("directions_readers")}</legend>
                <div class="chips"></div></fieldset>
            <p class="note" data-stem hidden>{text("directions_stem")}</p>
            {widgets(models, "directions", compact=True)}
            {seed("directions", value=1)}
            <div class="pair">
                {slider("directions", "psi", low=0, high=2, step=0.01, value=1)}
                {slider("directions", "strength", low=-1, high=3, step=0.01, value=1)}
            </div>"""

    def endpoint(self, api: Api) -> None:
        def directions(
            model: str = api.model,
            condition: str = api.condition,
            seed: int = 1,
            kind: str = "sefa",
            moves: str = "",
            layers: str = "",
            psi: float = 1.0,
            strength: float = 1.0,
            strips: bool = True,
            scale: int = 1,
        ) -> str:
            """Film strips along directions of the noise (/directions.png), or one picture (/direction.png).

            Args:
                model: The model's name, as /models.json lists it.
                condition: What to show, a JSON object such as {"label": "3"}.
                seed: The seed of the noise, 0 or more.
                kind: "sefa" (what the weights amplify most) or "pca" (how early features vary most).
                moves: Strengths from -6 to 6 along the directions, with commas between them.
                layers: Numbers of the layers that feel the move, 0 for the stem; nothing for all of them.
                psi: Truncation, 0 to 2: what the noise is multiplied by.
                strength: Strength of the condition, -1 to 3: 0 is none, 1 as given.
                strips: True for a film strip of each direction, false for the one picture.
                scale: How many pixels wide a pixel becomes, 1 to 16.
            """
            asked = {"seed": seed, "kind": kind, "moves": moves, "psi": psi, "strength": strength}
            asked |= {"scale": scale} | ({"layers": layers} if layers else {})
            return api.make("/directions.png" if strips else "/direction.png", model, asked, condition)

        api.add(directions)
