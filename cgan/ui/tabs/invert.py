"""Draw a picture: the noise and the label that come closest to it are found. Keep the one, change the other.

Shapes: K conditions tried, Z noise width, C channels, H x W pixels.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from cgan.conditions import Field
from cgan.conditions.pictures import read_picture, to_text
from cgan.engine import Resident
from cgan.inversion import STEPS, Guess, Inversion, Moment, choices, embed, invert, shade
from cgan.types import Cond
from cgan.ui.controls import button, choice
from cgan.ui.fields import PAD, sketch, widgets
from cgan.ui.i18n import say, text
from cgan.ui.pictures import enlarge, png, tile
from cgan.ui.plans import Route, Work, bound, field_values
from cgan.ui.query import Query
from cgan.ui.tabs.base import Tab
from cgan.ui.tabs.neighbours import real_pictures

if TYPE_CHECKING:
    from cgan.ui.api import Api

SEEK = ("both", "noise")
MOST = 200  # steps
SHOWN = (0, 0.05, 0.125, 0.25, 0.5, 1)  # moments of a search, as shares of its steps
FEW = 64  # samples that a guess learns from, where it is made anew for every search
OTHERS, STARTS = 8, 8  # random pictures to compare with; pictures to start from
OWN = 1000  # the seed of the model's own to start from: none that a guess has learnt from


@dataclass(frozen=True)
class Search:
    """What is sought, checked and ready to be run."""

    resident: Resident
    picture: Tensor  # [1, C, H, W] uint8
    tried: tuple[dict[str, str], ...]  # conditions, as values of fields
    given: Cond | None  # the only one of them, if it was given
    steps: int

    @staticmethod
    def of(query: Query, resident: Resident) -> Search:
        """What the query asks for. A model with one choice among names may be asked for `both` label and
        noise; else the noise is sought alone, under the condition that is given."""
        model, config, given = resident.model, resident.model.config, field_values(query, resident)
        pixels = read_picture("drawn", query.text("drawn") or "", config.size, config.channels)
        steps = query.whole("steps", STEPS, 0, MOST)
        every = choices(model.encoder)
        if query.choice("seek", SEEK[0], SEEK) == "both" and every:
            return Search(resident, torch.from_numpy(pixels)[None], every, None, steps)
        return Search(resident, torch.from_numpy(pixels)[None], (given,), embed(model, (given,)), steps)

    def run(self) -> Inversion:
        """What is found."""
        resident, given = self.resident, self.given
        guess = resident.guess if given is None else Guess(resident.model, given, FEW)
        return invert(guess, self.picture.float() / 255, self.steps)

    def moments(self, found: Inversion) -> list[Moment]:
        """Those that are shown, the last of them the answer."""
        return [found.path[step] for step in sorted({round(share * self.steps) for share in SHOWN})]

    @torch.no_grad()
    def pictures(self, moments: list[Moment]) -> Tensor:
        """uint8 [N, C, H, W]."""
        model = self.resident.model
        cond = embed(model, tuple(self.tried[moment.condition] for moment in moments))
        return model.to_uint8(model.generator(torch.stack([moment.noise for moment in moments]), cond))

    @torch.no_grad()
    def random(self, condition: int) -> float:
        """The error of noise that was not sought, under one of the conditions."""
        model = self.resident.model
        cond = embed(model, (self.tried[condition],)).expand(OTHERS)
        gap = shade(model, model.generator(model.noise(0, OTHERS), cond)) - self.picture / 255
        return gap.square().mean((1, 2, 3)).sqrt().mean().item()


def inversion(query: Query, resident: Resident) -> Work:
    """What was found after some steps, as parameters of the other routes: `values` of the condition's fields
    and all of the noise as `raw`. Errors are root mean square differences of pixels, 0 to 1."""
    search = Search.of(query, resident)

    def run() -> bytes:
        found = search.run()
        path = [
            {
                "step": moment.step,
                "values": search.tried[moment.condition],
                "raw": ",".join(f"{index}:{value:.3f}" for index, value in enumerate(moment.noise.tolist())),
                "error": round(moment.error, 4),
            }
            for moment in search.moments(found)
        ]
        finalists = [{"values": search.tried[k], "error": round(error, 4)} for k, error in found.finalists]
        random = round(search.random(found.path[-1].condition), 4)
        return json.dumps({"path": path, "finalists": finalists, "random": random}).encode()

    return Work(run)


def searched(query: Query, resident: Resident) -> Work:
    """What was drawn and, beside it, what was found after some steps, the answer last."""
    search, scale = Search.of(query, resident), query.whole("scale", 1, 1, 16)
    columns = len(SHOWN) + 1
    bound(columns, columns * (resident.model.config.size * scale) ** 2)

    def run() -> bytes:
        pictures = torch.cat([search.picture, search.pictures(search.moments(search.run()))])
        return png(enlarge(tile(pictures, len(pictures)), scale))

    return Work(run)


def starts(query: Query, resident: Resident) -> Work:
    """Pictures to start from, as `drawn` takes them: real ones of different labels, or the model's own; under
    the condition that is given, if there is one."""
    model, given = resident.model, field_values(query, resident)
    raw = model.encoder.parse(given) if given else None

    def run() -> bytes:
        kept = None if given else real_pictures(model)
        if kept is None or kept.labels is None:
            kept = None
            wanted = model.encoder.sample(STARTS, OWN) if raw is None else torch.cat([raw] * STARTS)
            pictures = model.sample(model.noise(OWN, STARTS), wanted)
        else:
            labels = kept.labels.tolist()
            first = sorted(labels.index(label) for label in set(labels))
            pictures = kept.pictures[first[:STARTS]]
        rows = pictures.permute(0, 2, 3, 1).numpy()
        texts = [to_text(row[..., 0] if row.shape[2] == 1 else row, lossy=True) for row in rows]
        return json.dumps({"real": kept is not None, "pictures": texts}).encode()

    return Work(run)


@dataclass(frozen=True)
class Invert(Tab):
    """Draw and invert."""

    # The first search learns a guess from samples, which takes half a second.
    routes: ClassVar[Mapping[str, Route]] = {
        "/inversion.json": Route(inversion, "application/json", aside=True),
        "/inversion.png": Route(searched, "image/png", aside=True),
        "/starts.json": Route(starts, "application/json"),
    }

    def panel(self, models: Mapping[str, Iterable[Field]]) -> str:
        return f"""
            <div class="slate">{sketch(PAD, "invert", "", False)}</div>
            <div class="starts"><p class="note"></p>
                <div class="thumbs" role="group" aria-label="{say("examples_of")}"
                    data-places="{STARTS}"></div></div>
            <div class="row seeking">{choice("seek", key="invert_seek", options=SEEK)}
                {button("inside_carry", mark="data-stage")}</div>
            {widgets(models, "invert", compact=True)}
            <p class="reading" role="status"></p>
            <div class="searched" data-places="{len(SHOWN)}"></div>
            <div class="kept">
                <h2>{text("invert_keep")}</h2>
                <div class="relabelled"></div>
                <div class="row">{button("invert_open", mark="data-open")}</div>
            </div>"""

    def endpoint(self, api: Api) -> None:
        def invert(
            drawn: str = "",
            model: str = api.model,
            seek: str = SEEK[0],
            condition: str = "",
            steps: int = STEPS,
        ) -> dict:
            """The noise and the label under which a model comes closest to a picture; the same as
            /inversion.json. /inversion.png shows the search.

            Args:
                drawn: The picture, base64url of a PNG, JPEG or WebP, at most 6000 characters.
                model: The model's name, as /models.json lists it.
                seek: "both" for noise and label, "noise" for noise alone under the condition.
                condition: The condition to keep, a JSON object such as {"label": "3"}.
                steps: How many steps to take, 0 to 200.
            """
            asked = {"drawn": drawn, "seek": seek, "steps": steps}
            return api.tell("/inversion.json", model, asked, condition)

        api.add(invert)
