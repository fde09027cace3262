"""Several labels at once: a weight for every choice of a field, and a triangle of three of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from cgan.conditions import Choice, Field
from cgan.ui.controls import lacking, seed, slider
from cgan.ui.fields import title, widgets
from cgan.ui.i18n import say, text
from cgan.ui.tabs.base import Tab

if TYPE_CHECKING:
    from cgan.ui.api import Api

FIRST = (3, 8)  # of ten choices, those that are mixed at first: digits whose mixture one can picture


@dataclass(frozen=True)
class Mixer(Tab):
    def panel(self, models: Mapping[str, Iterable[Field]]) -> str:
        fields = {name: list(each) for name, each in models.items()}
        rest = {
            name: [field for field in each if not isinstance(field, Choice)] for name, each in fields.items()
        }
        mixed = "".join(
            f'<template data-model="{escape(name)}">{_held(each)}</template>' for name, each in fields.items()
        )
        return f"""
            {lacking("mixer_none")}
            <div class="fields mixed" data-end="">{mixed}</div>
            <div class="mixing">
                {_triangle()}
                <div class="faders" role="group" aria-label="{say("mixer_weights")}"></div>
                <div class="row presets" role="group" aria-label="{say("mixer_presets")}"></div>
            </div>
            {seed("mixer", value=1)}
            <div class="pair">
                {slider("mixer", "strength", low=-1, high=3, step=0.01, value=1)}
                <p class="note">{text("strength_hint")}</p>
                {slider("mixer", "psi", low=0, high=2, step=0.01, value=1)}
                {slider("mixer", "count", low=1, high=64, step=1, value=1)}
            </div>
            {widgets(rest, "mixer")}"""

    def endpoint(self, api: Api) -> None:
        fields = api.engine.resident(None).model.encoder.fields()
        choices = [field for field in fields if isinstance(field, Choice)]
        mixture = json.dumps({field.name: begin(field) for field in choices[:1]})

        def mixer(
            model: str = api.model,
            condition: str = mixture,
            seed: int = 1,
            strength: float = 1.0,
            psi: float = 1.0,
            count: int = 1,
            scale: int = 1,
        ) -> str:
            """Pictures of a mixture of labels, tiled, as a PNG file; the same as /frame.png.

            Args:
                model: The model's name, as /models.json lists it.
                condition: The mixture, such as {"label": "3:0.5,8:0.5"}; weights are scaled to sum to 1.
                seed: The seed of the noise, 0 or more.
                strength: Strength of the mixture, -1 to 3: 0 is none, 1 as given.
                psi: Truncation, 0 to 2: what the noise is multiplied by.
                count: How many pictures, 1 to 64.
                scale: How many pixels wide a pixel becomes, 1 to 16.
            """
            noise = {"seed": seed, "psi": psi, "count": count}
            return api.make("/frame.png", model, {**noise, "strength": strength, "scale": scale}, condition)

        api.add(mixer)


def begin(field: Choice) -> str:
    """The mixture of two that one begins with."""
    return ",".join(f"{field.choices[index]}:0.5" for index in pair(field))


def pair(field: Choice) -> tuple[int, int]:
    """The two that are mixed at first, by number. The first of many choices is often none at all."""
    last = len(field.choices) - 1
    return FIRST if last >= FIRST[1] else (last // 3, last)


def _held(fields: Sequence[Field]) -> str:
    """Every choice field's mixture in a hidden control, and which of them is being mixed.

    The first begins as a mixture, the others as their first choice.
    """
    choices = [field for field in fields if isinstance(field, Choice)]
    if not choices:
        return ""
    starts = [begin(choices[0]), *(field.choices[0] for field in choices[1:])]
    held = "".join(
        f'<input type="hidden" name="{field.name}" data-mix="{json.dumps(pair(field))}" value="{value}" '
        f'data-default="{value}" data-keep>'
        for field, value in zip(choices, map(escape, starts), strict=True)
    )
    if len(choices) == 1:
        return held
    names = "".join(f'<option value="{each.name}">{escape(title(each))}</option>' for each in choices)
    picker = (
        f'<div class="dropdown"><label for="mixer-mixed">{text("mixer_mixed")}</label><select '
        f'id="mixer-mixed" name="mixed" data-default="{choices[0].name}" data-page>{names}</select></div>'
    )
    return held + picker


def _triangle() -> str:
    """The triangle, whose corners and knob the script moves; `corners` are the three choices' numbers."""
    corners = "".join(
        f'<div class="corner" data-corner="{corner}"><div class="face"></div>'
        f'<select aria-label="{say("mixer_corner")}"></select></div>'
        for corner in range(3)
    )
    return f"""
        <div class="triangle">
            <input type="hidden" name="corners" value="" data-default="" data-page>
            <svg viewBox="0 0 200 174" aria-hidden="true"><path d="M100 2 198 172 2 172Z"/></svg>{corners}
            <div class="knob" role="slider" tabindex="0" aria-label="{say("mixer_knob")}" aria-valuemin="0"
                aria-valuemax="100" aria-valuenow="0"></div>
        </div>"""
