"""The plain GET routes beside Gradio: cached, coalesced, refused with one line where they must be."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from cgan.data import DATASETS
from cgan.engine import Busy, Engine, Resident, Superseded
from cgan.ui.arrivals import Arrivals
from cgan.ui.cache import Cache
from cgan.ui.i18n import TABLES, version
from cgan.ui.plans import Plan, decodes
from cgan.ui.query import Query
from cgan.ui.reading import judge
from cgan.ui.tabs import ROUTES
from cgan.ui.tabs.examples import opening

INLINE_PIXELS = 2**16  # larger answers are encoded in a thread, so that nobody waits behind them
ROOT = Path(__file__).parents[2]  # the project
CACHE_BYTES = 16 * 2**20  # of the files made last
WORKS = 64  # the most works that may wait
IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATE = "public, max-age=0, must-revalidate"


def describe(engine: Engine) -> list[dict[str, Any]]:
    """What can be asked of every model, and what is known of it."""
    found = []
    for resident in engine.models.values():
        config, metrics = resident.model.config, resident.metrics()
        fields, training = resident.model.encoder.fields(), metrics.get("training")
        found.append(
            {
                "name": resident.name,
                "folder": _folder(resident),
                "title": config.dataset.title,
                "dataset": DATASETS.name_of(config.dataset),
                "size": config.size,
                "channels": config.channels,
                "noise_dim": config.generator.noise_dim,
                "directions": len(resident.directions),
                "readers": resident.model.generator.readers,
                "version": resident.version,
                "opening": opening(resident),
                "fields": [{"type": type(f).__name__.lower(), **dataclasses.asdict(f)} for f in fields],
                "device": str(engine.device),
                "kimg": training.get("kimg") if isinstance(training, dict) else None,
                "snapshots": resident.snapshots.kimg if resident.snapshots else [],
                "judged": judge(resident.model) is not None,
                "metrics": metrics,
            }
        )
    return found


def _folder(resident: Resident) -> str:
    """Where the model lies in this project, if it does; else its name, for the reader to complete."""
    folder = resident.folder and resident.folder.resolve()
    return folder.relative_to(ROOT).as_posix() if folder and folder.is_relative_to(ROOT) else resident.name


class PictureRoutes:
    """Answers queries with an engine's pictures, and with what else is computed of its models."""

    def __init__(self, engine: Engine):
        self.engine = engine
        self._cache = Cache(CACHE_BYTES)
        self._shared_tasks: dict[str, asyncio.Task[bytes]] = {}  # files under way, of no client, by digest
        self._workers = ThreadPoolExecutor(1, "work")
        self._aside = ThreadPoolExecutor(4, "aside")  # of their own: large pictures do not wait behind them
        self._works = 0  # under way or waiting

    def add_to(self, app: Starlette) -> None:
        """Register every route."""
        for path in ROUTES:
            app.add_route(path, functools.partial(self.picture, path), methods=["GET"])
        app.add_route("/models.json", self.models, methods=["GET"])
        app.add_route("/healthz", self.health, methods=["GET"])
        app.add_route("/texts/{language}.json", texts, methods=["GET"])

    async def picture(self, path: str, request: Request) -> Response:
        """The file that the query asks for; 400, 503 or 204 with one line where there is none."""
        pairs = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
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
                if client:  # what it asks for next may take this one's place, so nobody else waits for it
                    body = await self._make(path, query, resident, f"{path} {client}")
                else:
                    body = await self._shared(digest, path, query, resident)
                self._cache.put(digest, body)
            return Response(body, media_type=ROUTES[path].media, headers=headers)
        except ValueError as error:
            return PlainTextResponse(f"{error}\n", 400)
        except Busy as error:
            return PlainTextResponse(f"{error}\n", 503, {"Retry-After": "1"})
        except Superseded:
            return Response(status_code=204, headers={"Cache-Control": "no-store"})

    async def _shared(self, digest: str, path: str, query: Query, resident: Resident) -> bytes:
        """The file, made once for all who ask for it meanwhile: a class opens the same examples at once."""
        if digest not in self._shared_tasks:
            task = asyncio.ensure_future(self._make(path, query, resident, None))
            self._shared_tasks[digest] = task

            def forget(done: asyncio.Task[bytes]) -> None:
                del self._shared_tasks[digest]
                if not done.cancelled():
                    done.exception()  # taken note of: all who waited may have gone

            task.add_done_callback(forget)
        return await asyncio.shield(self._shared_tasks[digest])  # if one who waits goes, the others stay

    async def _make(self, path: str, query: Query, resident: Resident, client: str | None) -> bytes:
        loop, route = asyncio.get_running_loop(), ROUTES[path]
        plan = (
            await loop.run_in_executor(self._aside, route.answer, query, resident)
            if route.aside or decodes(query, resident)
            else route.answer(query, resident)
        )
        query.done()
        if isinstance(plan, bytes):
            return plan
        if not isinstance(plan, Plan):
            if self._works >= WORKS:
                raise Busy("too many requests wait; ask again in a second")
            self._works += 1
            try:
                return await loop.run_in_executor(self._workers, plan.run)
            finally:
                self._works -= 1
        made = self.engine.submit(plan.resident or resident, plan.noise, plan.cond, client)
        pictures = await Arrivals.result(made)
        if plan.pixels <= INLINE_PIXELS:
            return plan.encode(pictures)
        return await loop.run_in_executor(None, plan.encode, pictures)

    async def models(self, request: Request) -> Response:
        """What can be asked for."""
        told = await asyncio.to_thread(describe, self.engine)  # which reads every model's figures
        return JSONResponse(told, headers={"Cache-Control": REVALIDATE})

    async def health(self, request: Request) -> Response:
        """200 once pictures can be made."""
        engine = self.engine
        state = {"status": "ok", "models": [*engine.models], "device": str(engine.device)}
        return JSONResponse(
            state | {"queue_depth": engine.queue_depth}, headers={"Cache-Control": "no-store"}
        )


async def texts(request: Request) -> Response:
    """Every text of the page in a language, by key; 404 with one line where it is none of them."""
    language = request.path_params["language"]
    if language not in TABLES:
        return PlainTextResponse(f"no texts in {language[:20]!a}; there are {', '.join(TABLES)}\n", 404)
    current = request.query_params.get("v") == version(language)
    headers = {"Cache-Control": IMMUTABLE if current else REVALIDATE}
    return Response(TABLES[language], media_type="application/json", headers=headers)
