"""The same noise and condition at every snapshot of the training, beside the curves of quality.

Shapes: N pictures, C channels, H x W pixels, Z noise width.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from cgan.conditions import Choice, Field
from cgan.engine import Resident
from cgan.timeline import Snapshots
from cgan.types import Raw
from cgan.ui.controls import button, choice, download, lacking, seed, slider
from cgan.ui.fields import widgets
from cgan.ui.pictures import GAP, enlarge, gif, png, tile
from cgan.ui.plans import Plan, Route, Work, bound, field_values, most_rows, noise_at, sheet
from cgan.ui.query import Query
from cgan.ui.tabs.base import Tab

if TYPE_CHECKING:
    from cgan.ui.api import Api

VIEWS = ("every", "one")  # noises under every choice, or one picture
FIRST = 1  # the snapshot that the page opens with: something is to be seen, and much is still to come
ROWS, MOST = 5, 8  # noises under every choice, and the most of them


def snapshot(query: Query, resident: Resident) -> Plan:
    """Pictures of one snapshot, tiled."""
    snapshots = _snapshots(resident)
    index = query.whole("snapshot", len(snapshots) - 1, 0, len(snapshots) - 1)
    noise, raw, columns = _asked(query, resident)
    earlier = snapshots[index]
    plan = sheet(query, resident, noise, earlier.embed(raw), columns)
    return dataclasses.replace(plan, resident=earlier)


def history(query: Query, resident: Resident) -> Work:
    """One picture at every snapshot, in a row."""
    snapshots = _snapshots(resident)
    noise, raw = noise_at(query, resident, "seed", 1), _parse(query, resident)
    scale = _scale(query, resident, len(snapshots))

    def run() -> bytes:
        pictures = torch.cat([snapshots[index].model.sample(noise, raw) for index in range(len(snapshots))])
        return png(enlarge(tile(pictures, len(pictures)), scale))

    return Work(run)


def film(query: Query, resident: Resident) -> Work:
    """Every snapshot's pictures, tiled, one after the other in an animated GIF."""
    snapshots = _snapshots(resident)
    noise, raw, columns = _asked(query, resident, len(snapshots))
    scale = _scale(query, resident, len(noise), len(snapshots))
    fps = query.whole("fps", 2, 1, 50)

    def run() -> bytes:
        models = (snapshots[index].model for index in range(len(snapshots)))
        sheets = [tile(model.sample(noise, raw), columns) for model in models]
        return gif([enlarge(sheet, scale) for sheet in sheets], fps)

    return Work(run)


def _snapshots(resident: Resident) -> Snapshots[Resident]:
    if resident.snapshots is None:
        raise ValueError(f"model {resident.name} has no timeline of its training")
    return resident.snapshots


def _asked(query: Query, resident: Resident, frames: int = 1) -> tuple[Tensor, Raw, int]:
    """noise [N, Z], raw [N, ...] and the columns of a frame's sheet."""
    if query.choice("view", VIEWS[0], VIEWS) == "one":
        return noise_at(query, resident, "seed", 1), _parse(query, resident), 1
    field = next((field for field in resident.model.encoder.fields() if isinstance(field, Choice)), None)
    most = most_rows(resident, ROWS, len(field.choices) if field else ROWS, frames)
    rows = query.whole("rows", most, 1, MOST)
    if field is None:
        raw = _parse(query, resident)
        return noise_at(query, resident, "seed", rows**2), raw.expand(rows**2, *raw.shape[1:]), rows
    raw = torch.cat([_parse(query, resident, **{field.name: choice}) for choice in field.choices])
    noise = noise_at(query, resident, "seed", rows).repeat_interleave(len(raw), 0)
    return noise, raw.repeat(rows, *[1] * (raw.ndim - 1)), len(raw)


def _parse(query: Query, resident: Resident, **chosen: str) -> Raw:
    return resident.model.encoder.parse(field_values(query, resident) | chosen)


def _scale(query: Query, resident: Resident, pictures: int, frames: int = 1) -> int:
    scale = query.whole("scale", 1, 1, 16)
    bound(max(pictures, frames), pictures * frames * ((resident.model.config.size + GAP) * scale) ** 2)
    return scale


@dataclass(frozen=True)
class Learn(Tab):
    """Watch it learn."""

    routes: ClassVar[Mapping[str, Route]] = {
        "/snapshot.png": Route(snapshot, "image/png", aside=True),
        "/history.png": Route(history, "image/png"),
        "/history.gif": Route(film, "image/gif"),
    }

    def panel(self, models: Mapping[str, Iterable[Field]]) -> str:
        at = slider("learn", "snapshot", low=0, high=FIRST, step=1, value=FIRST, kept=True)
        return f"""
            {lacking("learn_none")}
            <div class="way learned" data-rows="{ROWS}">
                <div class="film"></div>
                {at}
                <p class="reading" role="status"></p>
            </div>
            <div class="row">
                {button("play", mark="data-play")}
                {choice("view", key="learn_view", options=VIEWS)}
                {download("save_gif", mark="data-gif")}
            </div>
            <div class="charts"></div>
            {widgets(models, "learn", compact=True)}
            <div class="pair">
                {seed("learn", value=1)}
                {slider("learn", "psi", low=0, high=2, step=0.01, value=1)}
            </div>"""

    def endpoint(self, api: Api) -> None:
        def learn(
            model: str = api.model,
            condition: str = api.condition,
            seed: int = 1,
            snapshot: int = 0,
            view: str = VIEWS[0],
            rows: int = ROWS,
            psi: float = 1.0,
            animated: bool = False,
            scale: int = 1,
        ) -> str:
            """What the generator made during its training; the same as /snapshot.png and /history.gif.

            Args:
                model: The model's name, as /models.json lists it.
                condition: What to show, a JSON object such as {"label": "3"}; with the view "one" alone.
                seed: The seed of the noise, 0 or more.
                snapshot: Which snapshot, from 0; /models.json lists when each was taken, in kimg.
                view: "every" for noises (rows) under every label (columns), "one" for one picture.
                rows: How many noises, 1 to 8.
                psi: Truncation, 0 to 2: what the noise is multiplied by.
                animated: False for one snapshot (PNG), true for all of them as an animated GIF.
                scale: How many pixels wide a pixel becomes, 1 to 16.
            """
            asked = {"seed": seed, "view": view, "psi": psi, "scale": scale}
            asked |= {} if view == "one" else {"rows": rows}
            asked |= {} if animated else {"snapshot": snapshot}
            return api.make("/history.gif" if animated else "/snapshot.png", model, asked, condition)

        api.add(learn)
