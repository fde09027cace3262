"""Two ends and the way between them, noise and condition together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cgan.conditions import Field
from cgan.ui.controls import button, choice, download, seed, slider
from cgan.ui.fields import widgets
from cgan.ui.i18n import say, text
from cgan.ui.tabs.base import Tab

if TYPE_CHECKING:
    from cgan.ui.api import Api


STEPS = 9  # pictures on the film strip


@dataclass(frozen=True)
class Interpolate(Tab):
    def panel(self, models: Mapping[str, Iterable[Field]]) -> str:
        return f"""
            <div class="way">
                <div class="film" data-steps="{STEPS}" style="--steps: {STEPS}"></div>
                {slider("interpolate", "t", low=0, high=1, step=0.01, value=0.5, key="scrub", kept=True)}
            </div>
            <div class="row">
                {button("play", mark="data-play")}
                {choice("mode", key="path", options=("slerp", "lerp"))}
                {download("save_gif", mark="data-gif")}{download("save_strip", mark="data-strip")}
            </div>
            <div class="ends">{_end(models, "", "start", 1)}{_end(models, "2", "end", 2)}</div>"""

    def endpoint(self, api: Api) -> None:
        def interpolate(
            model: str = api.model,
            condition: str = api.condition,
            condition2: str = api.condition,
            seed: int = 1,
            seed2: int = 2,
            mode: str = "slerp",
            steps: int = STEPS,
            animated: bool = False,
            scale: int = 1,
        ) -> str:
            """The way between two ends, noise and condition together; the same as /strip.png and /walk.gif.

            Args:
                model: The model's name, as /models.json lists it.
                condition: What the first end shows, a JSON object such as {"label": "3"}.
                condition2: What the second end shows.
                seed: The seed of the first end's noise, 0 or more.
                seed2: The seed of the second end's noise.
                mode: The path of the noise, "slerp" (along the sphere) or "lerp" (straight).
                steps: How many pictures the way has, 2 to 64.
                animated: False for a film strip (PNG), true for an animated GIF there and back.
                scale: How many pixels wide a pixel becomes, 1 to 16.
            """
            asked = {"seed": seed, "seed2": seed2, "mode": mode, "steps": steps, "scale": scale}
            return api.make("/walk.gif" if animated else "/strip.png", model, asked, condition, condition2)

        api.add(interpolate)


def _end(models: Mapping[str, Iterable[Field]], end: str, key: str, value: int) -> str:
    """One end: its picture, seed and condition."""
    return f"""
        <div class="end" role="group" aria-label="{say(key)}">
            <div class="thumb" data-end="{end}"></div>
            <div>{text(key)}{seed("interpolate", "seed" + end, value=value)}</div>
            {widgets(models, "interpolate", end=end, compact=True)}
        </div>"""
