"""The discriminator's opinion: of the generator's pictures, and of what a visitor draws.

Shapes: N pictures, C channels, H x W pixels.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from torch import Tensor

from cgan.conditions import Field
from cgan.conditions.pictures import read_picture, to_text
from cgan.critic import scores, sensitivity
from cgan.engine import Resident
from cgan.types import Cond
from cgan.ui.controls import button, seed, slider, switch
from cgan.ui.fields import PAD, sketch, widgets
from cgan.ui.i18n import say, text
from cgan.ui.pictures import GAP, enlarge, png, tile
from cgan.ui.plans import Route, Work, asked, bound, noise_at
from cgan.ui.query import Query
from cgan.ui.real import SHOWN, judged_real, shown
from cgan.ui.tabs.base import Tab

if TYPE_CHECKING:
    from cgan.ui.api import Api

MANY = 64  # pictures of a seed that are sorted
LIGHTER, DARKER = (
    (255, 138, 30),
    (64, 150, 255),
)  # colours of where a lighter and where a darker pixel would help
STRONGEST = 0.99  # of the pixels lie at or below what has the full colour


def score(query: Query, resident: Resident) -> Work:
    """{"logit", "probability" or null} of the picture at the seed, or of the one that was drawn."""
    make, cond = _judged(query, resident)
    return Work(lambda: json.dumps(_told(resident, scores(resident.model, make(), cond).item())).encode())


def raising(query: Query, resident: Resident) -> Work:
    """Over the same picture: where a lighter pixel would raise the logit, and where a darker one."""
    make, cond = _judged(query, resident)
    scale = query.whole("scale", 1, 1, 16)
    bound(1, (resident.model.config.size * scale) ** 2)

    def run() -> bytes:
        _, raised = sensitivity(resident.model, make(), cond)
        return png(enlarge(overlay(raised), scale))

    return Work(run)


def ranking(query: Query, resident: Resident) -> Work:
    """{"logits": of the seed's first 64 pictures, "order": the best first}."""
    cond, noise = asked(query, resident), noise_at(query, resident, "seed", MANY)
    model = resident.model

    @torch.no_grad()
    def run() -> bytes:
        parts = [model.generator(z, cond.expand(len(z))) for z in noise.split(16)]
        found = scores(model, model.to_uint8(torch.cat(parts)), cond.expand(MANY))
        order = found.argsort(descending=True, stable=True).tolist()
        return json.dumps({"logits": [round(logit, 4) for logit in found.tolist()], "order": order}).encode()

    return Work(run)


def real(query: Query, resident: Resident) -> Work:
    """{"logits": of real pictures, each under what it shows, "pictures": their texts, "shown": the texts of
    the fields, none if they are of the class that is asked for}; all empty where none are kept."""
    found = judged_real(query, resident)

    def run() -> bytes:
        pictures, logits, raw = found()
        pixels = (each.squeeze(-1).numpy() for each in pictures.permute(0, 2, 3, 1))
        told = {
            "logits": [round(logit, 4) for logit in logits.tolist()],
            "pictures": [to_text(each, lossy=True) for each in pixels],
            "shown": shown(resident, raw),
        }
        return json.dumps(told).encode()

    return Work(run)


def real_sheet(query: Query, resident: Resident) -> Work:
    """The same pictures in a row."""
    found, scale = judged_real(query, resident), query.whole("scale", 1, 1, 16)
    bound(SHOWN, SHOWN * ((resident.model.config.size + GAP) * scale) ** 2)

    def run() -> bytes:
        pictures, *_ = found()
        if not len(pictures):
            raise ValueError(f"no labelled real pictures are stored for model {resident.name}")
        return png(enlarge(tile(pictures, SHOWN), scale))

    return Work(run)


def _judged(query: Query, resident: Resident) -> tuple[Callable[[], Tensor], Cond]:
    """What makes the picture, uint8 [1, C, H, W], and the condition it is judged under."""
    cond, config, drawn = asked(query, resident), resident.model.config, query.text("drawn")
    if drawn:
        pixels = torch.from_numpy(read_picture("drawn", drawn, config.size, config.channels))[None]
        return lambda: pixels, cond
    noise = noise_at(query, resident, "seed", 1)

    @torch.no_grad()
    def make() -> Tensor:
        return resident.model.to_uint8(resident.model.generator(noise, cond))

    return make, cond


def _told(resident: Resident, logit: float) -> dict[str, float | None]:
    """With the probability that the picture is real, if that is what the logit was trained to be."""
    found = resident.metrics()
    for key in ("training", "config", "loss", "name"):
        found = found.get(key) if isinstance(found, dict) else None
    probability = torch.tensor(logit).sigmoid().item() if found == "bce" else None
    return {"logit": round(logit, 4), "probability": probability}


def overlay(raised: Tensor) -> np.ndarray:
    """Signed values [H, W] -> uint8 [H, W, 4]: one colour above 0 and another below, the stronger the less
    transparent."""
    peak = raised.abs().flatten().quantile(STRONGEST).clamp(min=1e-12)
    strength = (raised.abs() / peak).clamp(0, 1)
    colour = torch.where(raised[..., None] > 0, torch.tensor(LIGHTER), torch.tensor(DARKER))
    return torch.cat([colour, (235 * strength[..., None]).round().long()], -1).to(torch.uint8).numpy()


@dataclass(frozen=True)
class Critic(Tab):
    """The discriminator's opinion."""

    routes: ClassVar[Mapping[str, Route]] = {
        "/score.json": Route(score, "application/json", aside=True),
        "/raising.png": Route(raising, "image/png", aside=True),
        "/ranking.json": Route(ranking, "application/json"),
        "/real.json": Route(real, "application/json"),
        "/real.png": Route(real_sheet, "image/png"),
    }

    def panel(self, models: Mapping[str, Iterable[Field]]) -> str:
        moves = button("critic_open", mark="data-open") + button("inside_carry", mark="data-carry")
        return f"""
            <input type="hidden" name="first" value="0" data-default="0">
            <input type="hidden" name="raw" value="" data-default="">
            <input type="hidden" name="strength" value="1" data-default="1">
            <input type="hidden" name="z" value="" data-default="">
            <div class="opinion"><p class="reading" role="status"></p><div class="scale"></div>
                <p class="note" data-ticks>{text("critic_ticks")}</p></div>
            <div class="row">{switch("heat", key="critic_heat")}
                <p class="note" data-legend hidden>{text("critic_legend")}</p></div>
            {widgets(models, "critic", compact=True)}
            <div class="pair">
                {seed("critic", value=1)}
                {slider("critic", "psi", low=0, high=2, step=0.01, value=1)}
            </div>
            {_ends("best", "critic_best")}{_ends("worst", "critic_worst")}{_ends("real", "critic_real")}
            <div class="row">{moves}</div>
            <p class="note">{text("critic_means")}</p>"""

    def beside(self) -> str:
        return f"""
            <div class="freehand" role="group" aria-label="{say("critic_draw")}">
                <h2>{text("critic_draw")}</h2><p>{text("critic_draw_hint")}</p>
                <div class="row">{button("critic_stage", mark="data-stage")}
                    <p class="reading" role="status"></p></div>
                {sketch(PAD, "critic", "", False)}
            </div>"""

    def endpoint(self, api: Api) -> None:
        def critic(
            model: str = api.model,
            condition: str = api.condition,
            seed: int = 1,
            first: int = 0,
            drawn: str = "",
            psi: float = 1.0,
        ) -> dict:
            """The discriminator's score of a picture, the generator's or one that is given; as /score.json.

            Args:
                model: The model's name, as /models.json lists it.
                condition: What the picture is to show, a JSON object such as {"label": "3"}.
                seed: The seed of the noise, 0 or more.
                first: Which of the seed's pictures, from 0.
                drawn: A picture to judge instead, base64url of a PNG, JPEG or WebP, at most 6000 characters.
                psi: Truncation, 0 to 2: what the noise is multiplied by.
            """
            asked = {"drawn": drawn} if drawn else {"seed": seed, "first": first, "psi": psi}
            return api.tell("/score.json", model, asked, condition)

        api.add(critic)


def _ends(which: str, key: str) -> str:
    """A row of places for pictures with their scores."""
    places = "".join('<button type="button"><i></i><small></small></button>' for _ in range(SHOWN))
    return (
        f'<div class="ranked" role="group" aria-label="{say(key)}" data-end="{which}"><p>{text(key)}</p>'
        f"<div>{places}</div></div>"
    )
