"""The real training pictures nearest to the one on the stage: did the generator learn them by heart?

Shapes: K pictures found, C channels, H x W pixels.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from cgan.conditions import Field
from cgan.engine import Resident
from cgan.model import ConditionalGAN
from cgan.neighbours import SPACES, Neighbours
from cgan.ui.controls import button, choice, seed, slider
from cgan.ui.fields import widgets
from cgan.ui.i18n import text
from cgan.ui.loaded import loaded
from cgan.ui.pictures import enlarge, png, tile
from cgan.ui.plans import Route, Work, bound, start
from cgan.ui.query import Query
from cgan.ui.tabs.base import Tab

if TYPE_CHECKING:
    from cgan.ui.api import Api

COUNT = 8  # of the pictures shown
USUAL = (5, 50, 95)  # percentiles of the distance from real test pictures to their nearest


def told(query: Query, resident: Resident) -> Work:
    """The nearest pictures' places in the training set, labels and distances, and how usual the least of
    them is. {"searched": 0} where no pictures are kept of the model's data set."""
    look = _look(query, resident)

    def run() -> bytes:
        kept = real_pictures(resident.model)
        if kept is None:
            return json.dumps({"searched": 0}).encode()
        distances, places, space = look(kept)
        names = kept.network.info.classes
        rows = [
            {
                "row": int(kept.rows[place]),
                "label": None if kept.labels is None else names[int(kept.labels[place])],
                "distance": round(distance, 4),
            }
            for place, distance in zip(places.tolist(), distances.tolist(), strict=True)
        ]
        low, usual, high = (round(kept.yardsticks[space][at].item(), 4) for at in USUAL)
        found = {"searched": len(kept.rows), "of": kept.info.of, "judge": kept.network.name, "rows": rows}
        rank = kept.rank(distances[0].item(), space)
        return json.dumps(found | {"rank": rank, "low": low, "usual": usual, "high": high}).encode()

    return Work(run)


def shown(query: Query, resident: Resident) -> Work:
    """The same pictures in a row, the nearest first."""
    look, scale = _look(query, resident), query.whole("scale", 1, 1, 16)
    bound(COUNT, COUNT * (resident.model.config.size * scale) ** 2)

    def run() -> bytes:
        kept = real_pictures(resident.model)
        if kept is None:
            raise ValueError(f"no real pictures are kept of the data set of model {resident.name}")
        _, places, _ = look(kept)
        return png(enlarge(tile(kept.pictures[places], COUNT), scale))

    return Work(run)


def _look(query: Query, resident: Resident) -> Callable[[Neighbours], tuple[Tensor, Tensor, str]]:
    """What finds distances [K] and places [K] of the pictures nearest to the one asked for."""
    noise, cond = start(query, resident, 1)
    space, model = query.choice("space", SPACES[0], SPACES), resident.model

    @torch.no_grad()
    def look(kept: Neighbours) -> tuple[Tensor, Tensor, str]:
        picture = model.to_uint8(model.generator(noise, cond))
        return *kept.nearest(picture, COUNT, space), space

    return look


def real_pictures(model: ConditionalGAN) -> Neighbours | None:
    """Those kept of the model's data set, if they have the size of its own."""
    kept = loaded(Neighbours.load, model)
    fits = kept and (kept.info.channels, kept.info.size) == (model.config.channels, model.config.size)
    return kept if fits else None


@dataclass(frozen=True)
class Nearest(Tab):
    """The nearest real pictures."""

    # The first lookup in a data set takes a second: its pictures are measured then.
    routes: ClassVar[Mapping[str, Route]] = {
        "/neighbours.json": Route(told, "application/json"),
        "/neighbours.png": Route(shown, "image/png"),
    }

    def panel(self, models: Mapping[str, Iterable[Field]]) -> str:
        return f"""
            <input type="hidden" name="first" value="0" data-default="0">
            <input type="hidden" name="raw" value="" data-default="">
            <input type="hidden" name="strength" value="1" data-default="1">
            <input type="hidden" name="z" value="" data-default="">
            <div class="nearest">
                {choice("space", key="neighbours_space", options=SPACES)}
                <div class="film"></div><ol></ol>
                <div class="yard" role="img"><i></i></div>
                <p class="ends" aria-hidden="true">{text("neighbours_copy")}{text("neighbours_far")}</p>
                <p class="reading" role="status"></p>
            </div>
            {widgets(models, "neighbours", compact=True)}
            <div class="row">{button("inside_carry", mark="data-carry")}</div>
            <div class="pair">
                {seed("neighbours", value=1)}
                {slider("neighbours", "psi", low=0, high=2, step=0.01, value=1)}
            </div>
            <p class="note" data-way></p>"""

    def endpoint(self, api: Api) -> None:
        def neighbours(
            model: str = api.model,
            condition: str = api.condition,
            seed: int = 1,
            first: int = 0,
            psi: float = 1.0,
            z: str = "",
            raw: str = "",
            space: str = SPACES[0],
        ) -> dict:
            """The real training pictures nearest to a generated one; the same as /neighbours.json, whose
            pictures /neighbours.png shows.

            Args:
                model: The model's name, as /models.json lists it.
                condition: What to show, a JSON object such as {"label": "3"}.
                seed: The seed of the noise, 0 or more.
                first: Which of the seed's pictures, from 0.
                psi: Truncation, 0 to 2: what the noise is multiplied by.
                z: Strengths from -6 to 6 along the leading directions, with commas between them.
                raw: Noise components to set, INDEX:VALUE with commas between them.
                space: Where distances are measured, "features" of the data set's judge or "pixels".
            """
            noise = {"seed": seed, "first": first, "psi": psi, "z": z, "raw": raw}
            return api.tell("/neighbours.json", model, {**noise, "space": space}, condition)

        api.add(neighbours)
