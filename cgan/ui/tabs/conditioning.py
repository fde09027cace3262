"""The same noise under every label, so that one sees what the label controls and what the noise does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cgan.conditions import Field
from cgan.ui.controls import seed, slider, switch
from cgan.ui.fields import widgets
from cgan.ui.i18n import text
from cgan.ui.tabs.base import Tab

if TYPE_CHECKING:
    from cgan.ui.api import Api


@dataclass(frozen=True)
class Conditioning(Tab):
    def panel(self, models: Mapping[str, Iterable[Field]]) -> str:
        fields = {name: list(each) for name, each in models.items()}
        several = {name: each if len(each) > 1 else [] for name, each in fields.items()}
        return f"""
            {seed("conditioning", value=1, dice="new_noises")}
            <div class="dropdown" data-along><label for="conditioning-along">{text("along")}</label>
                <select id="conditioning-along" name="along"></select></div>
            <div class="pair">
                {slider("conditioning", "rows", low=1, high=16, step=1, value=5, kept=True)}
                {slider("conditioning", "psi", low=0, high=2, step=0.01, value=1)}
                {slider("conditioning", "strength", low=-1, high=3, step=0.01, value=1)}
                <p class="note">{text("strength_hint")}</p>
            </div>
            {switch("transpose", key="transpose")}
            <ol class="asked"></ol>
            {widgets(several, "conditioning", compact=True)}"""

    def endpoint(self, api: Api) -> None:
        def conditioning(
            model: str = api.model,
            seed: int = 1,
            along: str = "",
            condition: str = "",
            rows: int = 5,
            psi: float = 1.0,
            strength: float = 1.0,
            transpose: bool = False,
            scale: int = 1,
        ) -> str:
            """The same noises (rows) under every label (columns), as a PNG file; the same as /grid.png.

            A field without choices has steps of its range or its examples as columns.

            Args:
                model: The model's name, as /models.json lists it.
                seed: The seed of the noises, 0 or more.
                along: The name of the condition's field to go along; left out, its first choice.
                condition: What the other fields hold, a JSON object such as {"glasses": "round"}.
                rows: How many noises, 1 to 16.
                psi: Truncation, 0 to 2: what the noise is multiplied by.
                strength: Strength of the label, -1 to 3: 0 is none, 1 as given.
                transpose: Whether to have labels as rows and noises as columns.
                scale: How many pixels wide a pixel becomes, 1 to 16.
            """
            noises = {"seed": seed, "rows": rows, "psi": psi, "strength": strength}
            asked = {**noises, "transpose": int(transpose), "scale": scale} | (
                {"along": along} if along else {}
            )
            return api.make("/grid.png", model, asked, condition)

        api.add(conditioning)
