"""One label, one noise: drag the noise along the leading directions and watch the picture follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from cgan.conditions import Field
from cgan.ui.controls import button, choice, seed, slider, sliders
from cgan.ui.fields import widgets
from cgan.ui.i18n import say, text
from cgan.ui.plans import Route
from cgan.ui.reading import reading, remarks
from cgan.ui.tabs.base import Tab

if TYPE_CHECKING:
    from cgan.ui.api import Api


NOISES = 8  # in the strip below the stage


@dataclass(frozen=True)
class Generate(Tab):
    routes: ClassVar[Mapping[str, Route]] = {
        "/reading.json": Route(reading, "application/json"),
        "/remarks.json": Route(remarks, "application/json", aside=True),
    }

    def panel(self, models: Mapping[str, Iterable[Field]]) -> str:
        ways = choice("noise", key="noise", options=("directions", "components"), page_only=True)
        along = sliders("generate", "z", key="directions", kind="dense", low=-4, high=4, step=0.05)
        raw = sliders("generate", "raw", key="components", kind="sparse", low=-4, high=4, step=0.05)
        return f"""
            {widgets(models, "generate")}
            <div class="row spread">{seed("generate", value=1)}{button("reset", mark="data-reset")}</div>
            <p class="sample" hidden><input type="hidden" name="first" value="0" data-default="0">
                <span data-sample></span>{button("sample_clear", mark="data-first")}</p>
            <div class="noise">{ways}{along}{raw}</div>
            <div class="pair">
                {slider("generate", "psi", low=0, high=2, step=0.01, value=1)}
                {slider("generate", "count", low=1, high=64, step=1, value=1)}
                {slider("generate", "strength", low=-1, high=3, step=0.01, value=1)}
                <p class="note">{text("strength_hint")}</p>
            </div>"""

    def beside(self) -> str:
        return f"""
            <div class="noises" style="--count: {NOISES}">
                <p>{text("noises")}</p><div class="film" role="group" aria-label="{say("noises")}"></div>
            </div>
            <div class="measured" hidden><p>{text("measured")}</p><ul></ul><p class="note"></p></div>"""

    def endpoint(self, api: Api) -> None:
        def generate(
            model: str = api.model,
            condition: str = api.condition,
            seed: int = 1,
            psi: float = 1.0,
            strength: float = 1.0,
            z: str = "",
            raw: str = "",
            count: int = 1,
            scale: int = 1,
        ) -> str:
            """Pictures of one condition, tiled, as a PNG file; the same as /frame.png.

            Args:
                model: The model's name, as /models.json lists it.
                condition: What to show, a JSON object such as {"label": "3"} or {"label": "3:0.5,8:0.5"}.
                seed: The seed of the noise, 0 or more; a seed is the same noise on every machine.
                psi: Truncation, 0 to 2: what the noise is multiplied by.
                strength: Strength of the condition, -1 to 3: 0 is none, 1 as given.
                z: Strengths from -6 to 6 along the leading directions, with commas between them.
                raw: Noise components to set, INDEX:VALUE with commas between them.
                count: How many pictures, 1 to 64.
                scale: How many pixels wide a pixel becomes, 1 to 16.
            """
            noise = {"seed": seed, "psi": psi, "z": z, "raw": raw, "count": count}
            asked = {**noise, "strength": strength, "scale": scale}
            return api.make("/frame.png", model, asked, condition)

        api.add(generate)
