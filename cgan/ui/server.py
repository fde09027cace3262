"""The server: argv -> models -> pictures at once, the page as soon as Gradio has been imported."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import torch
import uvicorn
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from cgan import hub
from cgan.cli import Parser, fail
from cgan.engine import Engine
from cgan.model import BUNDLED, CONFIG
from cgan.study.bundled import BundledStudy
from cgan.ui.routes import PictureRoutes
from cgan.ui.study import StudyRoutes

DEFAULT = "mnist"  # the bundled model that is shown first


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until interrupted. 2 after one line on what was wrong with the input."""
    arguments = parser().parse_args(argv)
    torch.set_num_threads(1)  # two threads gain little when idle and lose much under load
    try:
        folders, notice = find_models(arguments.model or environment_models())
        with bind(arguments.host, arguments.port) as bound:
            serve(Engine.load(folders, arguments.device), notice, bound)
    except (ValueError, FileNotFoundError) as error:
        return fail("app.py", error)
    return 0


def parser() -> Parser:
    """The command line of app.py. Gradio's variables for host and port are honoured: Spaces set them."""
    parser = Parser(prog="app.py", description="Explore conditional GANs in a browser.")
    what = "a model folder, or USER/NAME[@REVISION] on the Hugging Face Hub; may be repeated (default: "
    what += "the variable CGAN_MODELS, comma-separated, else the bundled models)"
    parser.add_argument("--model", action="append", metavar="FOLDER_OR_REPO", help=what)
    parser.add_argument("--device", default="auto", metavar="auto|cpu|cuda")
    host = os.environ.get("GRADIO_SERVER_NAME") or ("0.0.0.0" if "SPACE_ID" in os.environ else "127.0.0.1")
    parser.add_argument("--host", default=host, metavar="H", help="the address to listen at (%(default)s)")
    port = os.environ.get("GRADIO_SERVER_PORT") or "7860"
    parser.add_argument("--port", default=port, metavar="P", help="0 takes a free one (%(default)s)")
    return parser


def environment_models() -> list[str]:
    """The models that the variable CGAN_MODELS names."""
    return [spec.strip() for spec in os.environ.get("CGAN_MODELS", "").split(",") if spec.strip()]


def bundled_models() -> dict[str, Path]:
    """The folders of the models that come with the program."""
    folders = sorted(path.parent for path in BUNDLED.glob(f"*/{CONFIG}"))
    return {path.name: path for path in sorted(folders, key=lambda path: path.name != DEFAULT)}


def find_models(specs: Sequence[str]) -> tuple[dict[str, Path], str]:
    """Model folders by name, and a line for the page on what could not be had.

    Where the Hub can't be reached and holds all there was to show, the bundled models take its place.
    ValueError if a spec is no model, two have one name, or there is none at all.
    """
    folders: dict[str, Path] = {}
    missing: list[str] = []
    for spec in specs:
        name = spec_name(spec)
        if name in folders:
            raise ValueError(f"--model: two models are called {name}; show one, or a copy under another name")
        try:
            folders[name] = hub.fetch(spec)
        except hub.HubUnreachable as error:
            missing.append(str(error))
    notice = "; ".join(missing)
    if not folders:
        folders = bundled_models()
        notice += ". These are the bundled models." if missing else ""
    if not folders:
        raise ValueError(f"there are no models in {BUNDLED}; give one with --model FOLDER_OR_REPO")
    return folders, notice


def spec_name(spec: str) -> str:
    """What visitors call the model of a folder or repository."""
    folder = hub.local(spec)
    return folder.resolve().name if folder else spec.partition("@")[0].rpartition("/")[2]


def bind(host: str, port: str) -> socket.socket:
    """A socket at that address, not yet listening. ValueError if there can't be one."""
    if not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"--port must be a whole number from 0 to 65535, got {port!r}")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, int(port), type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
        )[0]
        # With the protocol said, asyncio turns Nagle's algorithm off. Else every answer would wait 40 ms.
        bound = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ValueError(
            f"can't listen at {host}:{port} ({error.strerror}); see --host and --port"
        ) from error
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise ValueError(
            f"can't listen at {host}:{port} ({error.strerror}); see --host and --port"
        ) from error
    return bound


def url(bound: socket.socket) -> str:
    """Where a browser finds it."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if bound.family == socket.AF_INET6 else f"http://{host}:{port}"


def serve(engine: Engine, notice: str, bound: socket.socket) -> None:
    """Serve at a bound socket until interrupted. RuntimeError if the page could not be built."""
    page = Page(lambda: build_page(engine, notice))
    # Not uvloop: it accepts one connection each time it has seen to all the others, so that under load
    # newcomers wait for seconds.
    config = uvicorn.Config(
        build_app(engine, page),
        loop="asyncio",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=3,  # an open page listens without end
    )
    server = uvicorn.Server(config)
    page.on_failure = lambda: setattr(server, "should_exit", True)
    bound.listen(1024)
    print(f"{', '.join(engine.models)} on {engine.device}: {url(bound)}", flush=True)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[bound])
    finally:
        engine.close()
    if page.error:
        raise RuntimeError("the page could not be built") from page.error


def build_app(engine: Engine, page: Page) -> Starlette:
    """The picture and study routes, and behind them the page."""
    app = Starlette(lifespan=page.lifespan)  # FastAPI would do work of its own for each picture
    PictureRoutes(engine).add_to(app)
    StudyRoutes(BundledStudy()).add_to(app)
    app.mount("/", page)
    return app


def build_page(engine: Engine, notice: str) -> FastAPI:
    """The Gradio app. Its import takes longer than all else, which is why it comes here and late."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    from cgan.ui.app import mount

    return mount(engine, notice)


class Page:
    """An ASGI app that is built in a thread while the server already answers; requests for it wait."""

    def __init__(self, build: Callable[[], FastAPI]):
        self.build, self.on_failure = build, lambda: None
        self.error: Exception | None = None
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._ready.wait()
        if self._app is None:
            raise RuntimeError("the page could not be built") from self.error
        with contextlib.suppress(asyncio.CancelledError):  # by a server that stops, whoever still listens
            await self._app(scope, receive, send)

    @contextlib.asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """Builds the page and runs its lifespan beside the server's."""
        self._ready, stop = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(self._live(stop))
        yield
        stop.set()
        await task

    async def _live(self, stop: asyncio.Event) -> None:
        try:
            app = await asyncio.to_thread(self.build)
            async with app.router.lifespan_context(app):
                gc.collect()
                gc.freeze()  # what has been imported stays: a collection need not walk it while visitors wait
                self._app = app
                self._ready.set()
                await stop.wait()
        except Exception as error:  # noqa: BLE001 - whatever it is, `serve` raises it
            self.error = error
            self.on_failure()
        finally:
            self._ready.set()
