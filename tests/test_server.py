"""app.py: which models it shows, how it refuses, and that pictures come before the page."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from starlette.responses import PlainTextResponse

from cgan import hub
from cgan.engine import Engine
from cgan.ui import server
from tests.conftest import tiny_model

ROOT = Path(__file__).parent.parent


@pytest.fixture
def bundled(tmp_path, monkeypatch) -> Path:
    """Three bundled models and one folder that is none."""
    for name in ("fashion-mnist", "mnist", "mnist-article"):
        tiny_model().save(tmp_path / "bundled" / name)
    (tmp_path / "bundled" / "notes").mkdir()
    monkeypatch.setattr(server, "BUNDLED", tmp_path / "bundled")
    monkeypatch.delenv("CGAN_MODELS", raising=False)
    return tmp_path / "bundled"


@pytest.fixture
def unreachable(monkeypatch):
    def fetch(spec):
        if Path(spec).is_dir():
            return Path(spec)
        raise hub.HubUnreachable(f"{spec}: the Hub can't be reached; no copy of it is kept here")

    monkeypatch.setattr(hub, "fetch", fetch)


def test_all_bundled_models_are_shown_mnist_first(bundled):
    folders, notice = server.find_models([])
    assert list(folders) == ["mnist", "fashion-mnist", "mnist-article"]
    assert notice == ""


def test_given_models_are_shown_instead_in_their_order(bundled):
    folders, notice = server.find_models([str(bundled / "mnist-article"), str(bundled / "mnist") + "/"])
    assert folders == {"mnist-article": bundled / "mnist-article", "mnist": bundled / "mnist"}
    assert notice == ""


def test_where_the_hub_cannot_be_reached_the_bundled_models_take_its_place(bundled, unreachable):
    folders, notice = server.find_models(["somebody/digits@v1"])
    assert list(folders) == ["mnist", "fashion-mnist", "mnist-article"]
    assert "somebody/digits@v1: the Hub can't be reached" in notice
    assert "bundled" in notice
    folders, notice = server.find_models(["somebody/digits", str(bundled / "mnist")])
    assert list(folders) == ["mnist"]
    assert "somebody/digits" in notice
    assert "bundled" not in notice


def test_hub_models_are_called_by_their_name(bundled, monkeypatch):
    monkeypatch.setattr(hub, "fetch", lambda spec: bundled / "mnist")
    folders, _ = server.find_models(["somebody/digits@v1", "somebody/letters"])
    assert folders == {"digits": bundled / "mnist", "letters": bundled / "mnist"}
    with pytest.raises(ValueError, match="two models are called digits"):
        server.find_models(["somebody/digits", "another/digits@main"])


def test_the_variable_names_models(monkeypatch):
    monkeypatch.setenv("CGAN_MODELS", " somebody/digits@v1 ,, some/folder,")
    assert server.environment_models() == ["somebody/digits@v1", "some/folder"]
    monkeypatch.setenv("CGAN_MODELS", "")
    assert server.environment_models() == []


def test_no_models_at_all(tmp_path, monkeypatch):
    monkeypatch.setattr(server, "BUNDLED", tmp_path)
    with pytest.raises(ValueError, match="there are no models in"):
        server.find_models([])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "no/such/folder"], "no/such/folder: there is no such folder"),
        (["--model", "~nobody-of-that-name/x"], "~nobody-of-that-name/x"),
        (["--model", "d" * 300], "there is no such folder"),
        (["--model", "{bundled}/notes"], "config.json: missing"),
        (["--device", "tpu"], "device must be one of auto, cpu, cuda"),
        (["--port", "70000"], "--port must be a whole number from 0 to 65535, got '70000'"),
        (["--port", "http"], "--port must be a whole number"),
        (["--host", "999.0.0.1", "--port", "0"], "can't listen at 999.0.0.1:0"),
        (["--port", "{taken}"], "see --host and --port"),
        (["--speed", "high"], "unrecognized arguments: --speed high"),
    ],
)
def test_bad_input_is_one_line_and_status_2(bundled, capsys, monkeypatch, arguments, message):
    monkeypatch.setattr(server, "serve", lambda engine, notice, bound: pytest.fail("it serves"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        given = [part.format(bundled=bundled, taken=port) for part in arguments]
        assert status(given) == 2
    err = capsys.readouterr().err
    assert message in err
    assert len(err.splitlines()) == 1


def status(arguments: list[str]) -> int:
    try:
        return server.main(arguments)
    except SystemExit as left:
        return int(left.code)


def test_answers_are_not_delayed():
    """asyncio turns Nagle's algorithm off only for sockets that say they are TCP."""
    with server.bind("127.0.0.1", "0") as bound:
        assert bound.proto == socket.IPPROTO_TCP


def test_the_url_of_an_ipv6_address_has_brackets():
    with server.bind("127.0.0.1", "0") as bound:
        assert server.url(bound) == f"http://127.0.0.1:{bound.getsockname()[1]}"
    try:
        bound = server.bind("::1", "0")
    except ValueError:
        pytest.skip("there is no IPv6 here")
    with bound:
        assert server.url(bound) == f"http://[::1]:{bound.getsockname()[1]}"


@pytest.fixture
def engine():
    engine = Engine({"tiny": tiny_model()}, "cpu")
    yield engine
    engine.close()


def test_pictures_do_not_wait_for_the_page_and_the_page_waits_to_be_built(engine):
    steps = []

    @asynccontextmanager
    async def lifespan(app):
        steps.append("opened")
        yield
        steps.append("closed")

    inner = FastAPI(lifespan=lifespan)
    inner.add_route("/", lambda request: PlainTextResponse("the page"))

    async def go():
        loop, may_build = asyncio.get_running_loop(), asyncio.Event()

        def build():
            asyncio.run_coroutine_threadsafe(may_build.wait(), loop).result(20)
            return inner

        page = server.Page(build)
        app = server.build_app(engine, page)
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://test") as client,
        ):
            waiting = asyncio.create_task(client.get("/"))
            assert (await client.get("/healthz")).status_code == 200
            assert (await client.get("/frame.png?label=one")).status_code == 200
            assert not waiting.done()
            may_build.set()
            assert (await waiting).text == "the page"
            assert (await client.get("/frame.png?label=one")).headers["content-type"] == "image/png"
            assert steps == ["opened"]
        assert steps == ["opened", "closed"]
        assert page.error is None

    asyncio.run(go())


def test_a_page_that_cannot_be_built_is_reported(engine):
    def build():
        raise ImportError("no gradio here")

    async def go():
        page, failed = server.Page(build), asyncio.Event()
        page.on_failure = failed.set
        app = server.build_app(engine, page)
        async with app.router.lifespan_context(app):
            await asyncio.wait_for(failed.wait(), 20)
            with pytest.raises(RuntimeError, match="could not be built"):
                await page({"type": "http"}, None, None)
        assert isinstance(page.error, ImportError)

    asyncio.run(go())


def test_a_visitor_cannot_choose_a_repository(engine, monkeypatch):
    monkeypatch.setattr(hub, "fetch", lambda *spec: pytest.fail("fetched"))

    async def go():
        app = server.build_app(engine, server.Page(FastAPI))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            for name in ("somebody/digits", "https://example.org/x", "/etc", "../tiny"):
                answer = await client.get("/frame.png", params={"model": name, "label": "one"})
                assert answer.status_code == 400
                assert "model must be one of tiny" in answer.text

    asyncio.run(go())


def test_the_program_serves_pictures_and_page_and_stops_when_told(bundled):
    """The real thing: app.py in a process of its own, on a free port, without network."""
    command = [sys.executable, "app.py", "--port", "0", "--model", str(bundled / "mnist")]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            line = process.stdout.readline()
            assert line.startswith("mnist on "), process.stderr.read()
            url = line.split()[-1]

            def get(path):
                with urllib.request.urlopen(url + path, timeout=60) as answer:
                    return answer.read()

            assert b'"status":"ok"' in get("/healthz")
            assert get("/frame.png?seed=1&label=two").startswith(b"\x89PNG")
            assert b"<html" in get("/")
            assert b'"components"' in get("/config")
            with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as stream:
                stream.sendall(b"GET /gradio_api/heartbeat/x HTTP/1.1\r\nHost: test\r\n\r\n")
                assert stream.recv(100).startswith(b"HTTP/1.1 200"), "a page is open"
                process.send_signal(signal.SIGINT)
                assert process.wait(30) == 0
            assert "Traceback" not in process.stderr.read()
        finally:
            process.kill()
