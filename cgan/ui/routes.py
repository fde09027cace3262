"""Pictures by plain GET routes beside Gradio. A query is the permalink, the REST call and the cache's key.

Shapes: N pictures, C channels, H x W pixels, Z noise width.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from torch import Tensor

from cgan.conditions import Choice
from cgan.data import DATASETS
from cgan.engine import Busy, Engine, Resident, Superseded
from cgan.latent import INTERPOLATIONS, place
from cgan.rng import SEED_LIMIT
from cgan.types import Cond
from cgan.ui.cache import Cache
from cgan.ui.pictures import GAP, enlarge, gif, png, tile
from cgan.ui.query import Query

PICTURES, PIXELS = 256, 2**22  # the most in one answer
FIRST = 2**20  # the last of a seed's samples that an answer may begin with
INLINE_PIXELS = 2**16  # larger answers are encoded in a thread, so that nobody waits behind them
IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATE = "public, max-age=0, must-revalidate"


@dataclass(frozen=True)
class Plan:
    """What a query asks for: pictures, and how they become a file."""

    noise: Tensor  # [N, Z]
    cond: Cond  # of N pictures
    pixels: int  # of the file, all its frames together
    encode: Callable[[Tensor], bytes]  # uint8 [N, C, H, W] -> the file

    def __post_init__(self):
        if len(self.noise) > PICTURES:
            raise ValueError(f"at most {PICTURES} pictures in one answer, this would be {len(self.noise)}")
        if self.pixels > PIXELS:
            raise ValueError(
                f"at most {PIXELS} pixels in one answer, this would be {self.pixels}; lower scale"
            )


def frame(query: Query, resident: Resident) -> Plan:
    """One picture, or `count` of them tiled; with a second end, the one at `t` on the way there."""
    count = query.whole("count", 1, 1, 64)
    noise, cond = _start(query, resident, count)
    t = torch.tensor([query.number("t", 0, 0, 1)])
    noise, cond = _between(query, resident, noise, cond, t, count)
    return _sheet(query, resident, noise, cond, columns=_columns(count))


def strip(query: Query, resident: Resident) -> Plan:
    """A row of pictures from one end to the other."""
    noise, cond = _start(query, resident, 1)
    steps = query.whole("steps", 9, 2, 64)
    noise, cond = _between(query, resident, noise, cond, torch.linspace(0, 1, steps))
    return _sheet(query, resident, noise, cond, columns=steps)


def grid(query: Query, resident: Resident) -> Plan:
    """The same noises (rows) under every choice of the first choice field (columns), or transposed."""
    encoder = resident.model.encoder
    field = next((field for field in encoder.fields() if isinstance(field, Choice)), None)
    if field is None:
        raise ValueError(f"model {resident.name} has no choice to make a grid of")
    rows, columns = query.whole("rows", 6, 1, 16), len(field.choices)
    other = _values(query, resident, without=field.name)
    raw = torch.cat([encoder.parse({**other, field.name: choice}) for choice in field.choices])
    noise = _noise(query, resident, "seed", rows)
    cond = Cond.cat([_strengthen(query, resident, resident.embed(raw))] * rows)
    noise = noise.repeat_interleave(columns, 0)
    if query.whole("transpose", 0, 0, 1):
        order = torch.arange(rows * columns).view(rows, columns).T.flatten()
        noise, cond, columns = noise[order], cond[order], rows
    return _sheet(query, resident, noise, cond, columns)


def walk(query: Query, resident: Resident) -> Plan:
    """From one end to the other and back, as an animated GIF."""
    noise, cond = _start(query, resident, 1)
    steps, fps = query.whole("steps", 16, 2, 64), query.whole("fps", 12, 1, 50)
    noise, cond = _between(query, resident, noise, cond, torch.linspace(0, 1, steps))
    scale = query.whole("scale", 1, 1, 16)

    def encode(pictures: Tensor) -> bytes:
        there = [enlarge(tile(picture[None], 1), scale) for picture in pictures]
        return gif(there + there[-2:0:-1], fps)

    pixels = (2 * steps - 2) * (resident.model.config.size * scale) ** 2
    return Plan(noise, cond, pixels, encode)


def _start(query: Query, resident: Resident, count: int) -> tuple[Tensor, Cond]:
    """noise [N, Z] and condition of what seed and fields ask for."""
    return _noise(query, resident, "seed", count), _asked(query, resident).expand(count)


def _asked(query: Query, resident: Resident, suffix: str = "") -> Cond:
    """The condition of one picture. What the second end (suffix 2) leaves open is as at the first."""
    values = _values(query, resident) | (_values(query, resident, suffix=suffix) if suffix else {})
    return _strengthen(query, resident, resident.embed(resident.model.encoder.parse(values)))


def _between(
    query: Query, resident: Resident, noise: Tensor, cond: Cond, t: Tensor, count: int = 1
) -> tuple[Tensor, Cond]:
    """noise and condition at every t [T] on the way to the second end; one of T and `count` is 1."""
    path = INTERPOLATIONS[query.choice("mode", "slerp", tuple(INTERPOLATIONS))]
    names = ["seed2", *(f"{field.name}2" for field in resident.model.encoder.fields())]
    if all(query.text(name) is None for name in names):  # the ends are the same
        return noise.expand(len(noise) * len(t), -1), cond.expand(len(cond) * len(t))
    other = _noise(query, resident, "seed2", count, default=query.whole("seed", 0, 0, SEED_LIMIT - 1))
    return path(noise, other, t[:, None]), cond.lerp(_asked(query, resident, suffix="2"), t)


def _values(query: Query, resident: Resident, suffix: str = "", without: str = "") -> dict[str, str]:
    """The condition's fields as the query gives them."""
    names = [field.name for field in resident.model.encoder.fields() if field.name != without]
    found = {name: query.text(name + suffix) for name in names}
    return {name: text for name, text in found.items() if text is not None}


def _noise(query: Query, resident: Resident, seed: str, count: int, default: int = 0) -> Tensor:
    """The noise [N, Z] at the seed of that name, moved by psi, z and raw."""
    dim = resident.model.config.generator.noise_dim
    return place(
        resident.model,
        resident.directions,
        seed=query.whole(seed, default, 0, SEED_LIMIT - 1),
        count=count,
        first=query.whole("first", 0, 0, FIRST),
        psi=query.number("psi", 1, 0, 2),
        strengths=query.numbers("z", len(resident.directions), -6, 6),
        components=query.indexed("raw", dim, -6, 6),
    )


def _strengthen(query: Query, resident: Resident, cond: Cond) -> Cond:
    """The condition, moved away from 'no condition' (strength 0) to and beyond itself (1)."""
    strength = query.number("strength", 1, -1, 3)
    if strength == 1:
        return cond
    return resident.embed(resident.model.encoder.null(len(cond))).lerp(cond, strength)


def _columns(count: int) -> int:
    """Of a near-square grid."""
    return max(1, round(count**0.5 + 0.49))


def _sheet(query: Query, resident: Resident, noise: Tensor, cond: Cond, columns: int) -> Plan:
    scale, size = query.whole("scale", 1, 1, 16), resident.model.config.size + GAP
    rows = -(-len(noise) // columns)
    return Plan(
        noise=noise,
        cond=cond,
        pixels=rows * columns * (size * scale) ** 2,
        encode=lambda pictures: png(enlarge(tile(pictures, columns), scale)),
    )


ROUTES: dict[str, tuple[Callable[[Query, Resident], Plan], str]] = {
    "/frame.png": (frame, "image/png"),
    "/strip.png": (strip, "image/png"),
    "/grid.png": (grid, "image/png"),
    "/walk.gif": (walk, "image/gif"),
}


def describe(engine: Engine) -> list[dict[str, Any]]:
    """What can be asked of every model, and what is known of it."""
    found = []
    for resident in engine.models.values():
        config, metrics = resident.model.config, resident.metrics()
        fields = resident.model.encoder.fields()
        found.append(
            {
                "name": resident.name,
                "title": config.dataset.title,
                "dataset": DATASETS.name_of(config.dataset),
                "size": config.size,
                "channels": config.channels,
                "noise_dim": config.generator.noise_dim,
                "directions": len(resident.directions),
                "version": resident.version,
                "fields": [{"type": type(f).__name__.lower(), **dataclasses.asdict(f)} for f in fields],
                "device": str(engine.device),
                "kimg": metrics.get("training", {}).get("kimg"),
                "metrics": metrics,
            }
        )
    return found


class PictureRoutes:
    """Answers queries with pictures from an engine."""

    def __init__(self, engine: Engine, cache_bytes: int = 16 * 2**20):
        self.engine = engine
        self._cache = Cache(cache_bytes)

    def add_to(self, app: FastAPI) -> None:
        """Register every route. Plain Starlette routes: they do without FastAPI's work for each request."""
        for path in ROUTES:
            app.add_route(path, functools.partial(self.picture, path), methods=["GET"])
        app.add_route("/models.json", self.models, methods=["GET"])
        app.add_route("/healthz", self.health, methods=["GET"])

    async def picture(self, path: str, request: Request) -> Response:
        """The file that the query asks for; 400, 503 or 204 with one line where there is none."""
        pairs = request.query_params.multi_items()
        try:
            query = Query(pairs)
            resident = self.engine.resident(query.text("model"))
            current = query.matching("v", "[0-9A-Za-z]{1,64}", "a weights version from /models.json")
            client = query.matching("client", "[0-9A-Za-z_-]{1,64}", "1 to 64 letters, digits, - or _")
            asked = sorted(pair for pair in pairs if pair[0] not in ("v", "client"))
            digest = hashlib.blake2s(repr((path, asked)).encode(), digest_size=16).hexdigest()
            etag = f'"{resident.version}-{digest}"'
            headers = {
                "Cache-Control": IMMUTABLE if current == resident.version else REVALIDATE,
                "ETag": etag,
            }
            if etag in request.headers.get("if-none-match", ""):
                return Response(status_code=304, headers=headers)
            body = self._cache.get(digest)
            if body is None:
                body = await self._make(path, query, resident, client and f"{path} {client}")
                self._cache.put(digest, body)
            return Response(body, media_type=ROUTES[path][1], headers=headers)
        except ValueError as error:
            return PlainTextResponse(f"{error}\n", 400)
        except Busy as error:
            return PlainTextResponse(f"{error}\n", 503, {"Retry-After": "1"})
        except Superseded:
            return Response(status_code=204, headers={"Cache-Control": "no-store"})

    async def _make(self, path: str, query: Query, resident: Resident, client: str | None) -> bytes:
        plan = ROUTES[path][0](query, resident)
        query.done()
        future = self.engine.submit(resident.name, plan.noise, plan.cond, client)
        pictures = await asyncio.wrap_future(future)
        if plan.pixels <= INLINE_PIXELS:
            return plan.encode(pictures)
        return await asyncio.get_running_loop().run_in_executor(None, plan.encode, pictures)

    async def models(self, request: Request) -> Response:
        """What can be asked for."""
        return JSONResponse(describe(self.engine), headers={"Cache-Control": REVALIDATE})

    async def health(self, request: Request) -> Response:
        """200 once pictures can be made."""
        engine = self.engine
        state = {"status": "ok", "models": [*engine.models], "device": str(engine.device)}
        return JSONResponse(
            state | {"queue_depth": engine.queue_depth}, headers={"Cache-Control": "no-store"}
        )
