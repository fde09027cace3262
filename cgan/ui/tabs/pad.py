"""A square to move about in: four seeds at its corners, or two directions from one seed along its sides.

Shapes: N places, Z noise width, L directions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from cgan.conditions import Field
from cgan.engine import DIRECTIONS, Resident
from cgan.latent import bilinear, blend
from cgan.ui.controls import button, choice, dropdown, seed, slider, switch
from cgan.ui.fields import widgets
from cgan.ui.i18n import say, text
from cgan.ui.plans import Plan, Route, asked, noise_at, sheet
from cgan.ui.query import Query
from cgan.ui.tabs.base import Tab

if TYPE_CHECKING:
    from cgan.ui.api import Api

CELLS = 7  # places along a side that one can snap to
REACH = 4.0  # strength of a direction at the pad's edge
SEEDS = {"seed": "pad_seed", "seed2": "pad_seed2", "seed3": "pad_seed3", "seed4": "pad_seed4"}


def pad(query: Query, resident: Resident) -> Plan:
    """The picture at (x, y), or the whole pad as steps x steps pictures, its top first."""
    steps = query.whole("steps", 1, 1, 9)
    x, y = (torch.tensor([query.number(name, 0.5, 0, 1)]) for name in ("x", "y"))
    if steps > 1:
        y, x = (line.flatten() for line in torch.meshgrid(*_lines(steps), indexing="ij"))
    over = query.choice("over", "seeds", ("seeds", "axes"))
    corners = torch.cat([noise_at(query, resident, name, 1, k) for k, name in enumerate(SEEDS)])
    along = _directions(query, resident)
    noise = blend(corners, bilinear(x, y))
    if over == "axes":
        noise = corners[:1] + REACH * torch.stack([2 * x - 1, 2 * y - 1], 1) @ along
    return sheet(query, resident, noise, asked(query, resident).expand(len(noise)), columns=steps)


def _lines(steps: int) -> tuple[Tensor, Tensor]:
    return torch.linspace(1, 0, steps), torch.linspace(0, 1, steps)


def _directions(query: Query, resident: Resident) -> Tensor:
    """The two directions [2, Z] of the pad's sides, numbered from 1."""
    known = len(resident.directions)
    numbers = query.whole("across", 1, 1, known), query.whole("up", min(2, known), 1, known)
    return resident.directions[[number - 1 for number in numbers]]


@dataclass(frozen=True)
class Pad(Tab):
    routes: ClassVar[Mapping[str, Route]] = {"/pad.png": Route(pad, "image/png")}

    def panel(self, models: Mapping[str, Iterable[Field]]) -> str:
        numbers = tuple(str(number + 1) for number in range(DIRECTIONS))
        seeds = "".join(
            f"<div{' data-seeds' if number else ''}>{seed('pad', name, value=number + 1, key=key)}</div>"
            for number, (name, key) in enumerate(SEEDS.items())
        )
        sides = "".join(
            dropdown(name, text(key), numbers, value, f"pad-{name}")
            for name, key, value in (("across", "pad_across", "1"), ("up", "pad_up", "2"))
        )
        speed = slider("pad", "speed", low=0.25, high=4, step=0.25, value=1, key="pad_speed", page_only=True)
        walk = f"{button('play', mark='data-play')}{button('pad_clear', mark='data-untrace')}"
        return f"""
            <div class="padding">
                {_surface()}
                <div class="beside">
                    {choice("over", key="pad_over", options=("seeds", "axes"))}
                    <div class="seeds">{seeds}</div>
                    <div class="sides" data-axes>{sides}</div>
                    <div class="row" data-seeds>{button("pad_new", mark="data-new")}</div>
                    {switch("snap", key="pad_snap", page_only=True)}
                    <div class="row">{walk}</div>
                    {speed}
                </div>
            </div>
            {widgets(models, "pad", compact=True)}
            <div class="pair">
                {slider("pad", "psi", low=0, high=2, step=0.01, value=1)}
                {slider("pad", "strength", low=-1, high=3, step=0.01, value=1)}
            </div>"""

    def endpoint(self, api: Api) -> None:
        def pad(
            model: str = api.model,
            condition: str = api.condition,
            x: float = 0.5,
            y: float = 0.5,
            over: str = "seeds",
            seed: int = 1,
            seed2: int = 2,
            seed3: int = 3,
            seed4: int = 4,
            across: int = 1,
            up: int = 2,
            psi: float = 1.0,
            strength: float = 1.0,
            steps: int = 1,
            scale: int = 1,
        ) -> str:
            """A place on a square between four noises, or along two directions, as PNG; the same as /pad.png.

            Args:
                model: The model's name, as /models.json lists it.
                condition: What to show, a JSON object such as {"label": "3"}.
                x: How far to the right, 0 to 1.
                y: How far up, 0 to 1.
                over: What the square lies over, "seeds" (a noise at each corner) or "axes" (two directions).
                seed: The seed at the top left, or, over axes, of the noise in the middle.
                seed2: The seed at the top right.
                seed3: The seed at the bottom left.
                seed4: The seed at the bottom right.
                across: The number of the direction from left to right, 1 for the leading one.
                up: The number of the direction from the bottom to the top.
                psi: Truncation, 0 to 2: what the noises are multiplied by.
                strength: Strength of the condition, -1 to 3: 0 is none, 1 as given.
                steps: 1 for the picture at x and y, 2 to 9 for the whole square with so many along a side.
                scale: How many pixels wide a pixel becomes, 1 to 16.
            """
            place = {"x": x, "y": y, "over": over, "across": across, "up": up, "steps": steps}
            seeds = {"seed": seed, "seed2": seed2, "seed3": seed3, "seed4": seed4}
            asked = {**place, **seeds, "psi": psi, "strength": strength, "scale": scale}
            return api.make("/pad.png", model, asked, condition)

        api.add(pad)


def _surface() -> str:
    """The square: its pictures, the trail and the knob, which the script moves."""
    corners = "".join(f'<div class="corner" data-x="{x}" data-y="{y}"></div>' for y in (1, 0) for x in (0, 1))
    state = "".join(
        f'<input type="hidden" id="pad-{name}" name="{name}" value="0.5" data-default="0.5" data-keep>'
        for name in ("x", "y")
    )
    return f"""
        <div class="square" data-cells="{CELLS}" style="--cells: {CELLS}">
            {state}<div class="map"></div>{corners}
            <svg class="trail" viewBox="0 0 1000 1000" aria-hidden="true"></svg>
            <div class="knob" role="slider" tabindex="0" aria-label="{say("pad_knob")}" aria-valuemin="0"
                aria-valuemax="100" aria-valuenow="50"></div>
        </div>"""
