"""What a visitor takes home makes the picture on the stage, to the byte; and the readout of speed."""

from __future__ import annotations

import shlex
from pathlib import Path

import httpx
import pytest
from PIL import Image

from cgan import timeline
from tests.browser.conftest import snapshot
from tests.conftest import tiny_model

pytestmark = pytest.mark.browser
STATES = {
    "generate": "label=two:0.5,zero:0.5&seed=7&z=1.5,0,-2&raw=3:-1.25&psi=0.7&count=6&first=2&strength=1.5",
    "interpolate": "label=one&seed=7&seed2=9&label2=zero&t=0.35",
    "pad": "label=two&x=0.25&y=0.75&seed=4",
    "conditioning": "seed=7&rows=4&psi=1.3&transpose=1",
    "learn": "seed=7&snapshot=2&view=one&label=two",
    "inside": "seed=7&label=two&off=0:1,1:2",
}


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder that holds the server's first model under its name."""
    folder = tmp_path_factory.mktemp("home")
    tiny_model().save(folder / "first")
    timeline.write(folder / "first", [(float(kimg), snapshot(kimg)) for kimg in range(4)])
    return folder


@pytest.mark.parametrize("tab", STATES)
def test_every_snippet_makes_the_picture(visit, tab, workplace, monkeypatch):
    page = (visitor := visit()).open(f"tab={tab}&{STATES[tab]}")
    page.locator("[data-home]").click()
    snippets = {}
    for key in ("snippet_curl", "snippet_client", "snippet_python"):
        page.wait_for_selector(f'[data-snippet="{key}"] code:not(:empty)')
        snippets[key] = page.locator(f'[data-snippet="{key}"] code').inner_text()
    shown = visitor.shown()
    monkeypatch.chdir(workplace)

    program, option, name, address = shlex.split(snippets["snippet_curl"])
    assert (program, option, name) == ("curl", "-o", "picture.png")
    assert httpx.get(address).raise_for_status().content == shown

    exec(snippets["snippet_python"], {})
    assert Path("picture.png").read_bytes() == shown

    told: dict = {}
    exec(snippets["snippet_client"], told)
    told["client"].close()
    assert Path(told["path"]).read_bytes() == shown
    named = "/picture" if tab in ("generate", "interpolate") else f"/{tab}"
    assert f'api_name="{named}"' in snippets["snippet_client"]


def test_a_snippet_is_copied_and_follows_the_picture(visit):
    visitor = visit()
    page = visitor.open("label=one&seed=8")
    page.locator("[data-home]").click()
    client = page.locator('[data-snippet="snippet_client"]')
    page.wait_for_function(
        "document.querySelector('[data-snippet=snippet_client] code').textContent.includes('seed=8')"
    )
    assert 'api_name="/generate"' in client.locator("code").inner_text()
    page.locator("#generate-psi").fill("0.5")
    page.wait_for_function(
        "document.querySelector('[data-snippet=snippet_client] code').textContent.includes('psi=0.5')"
    )
    client.locator("[data-code]").click()
    page.wait_for_selector('[data-snippet="snippet_client"] button:has-text("Copied")')
    assert page.evaluate("navigator.clipboard.readText()") == client.locator("code").inner_text()


def test_a_walk_is_saved_as_gif_and_as_video(visit, tmp_path):
    page = visit().open("label=one&seed=8")
    page.locator("[data-home]").click()
    with page.expect_download() as download:
        page.locator("[data-walk]").click()
    with Image.open(download.value.path()) as walk:
        assert walk.n_frames == 62
    with page.expect_download(timeout=30_000) as download:
        page.locator("[data-video]").click()
    data = Path(download.value.path()).read_bytes()
    kinds = {".webm": b"\x1aE\xdf\xa3", ".mp4": b"ftyp"}
    assert kinds[Path(download.value.suggested_filename).suffix] in data[:12]
    assert len(data) > 10_000


def test_the_readout_is_off_until_asked_for(visit):
    page = visit().open("label=one&seed=8")
    readout = page.locator(".readout")
    assert readout.is_hidden()
    page.keyboard.press("r")
    assert "cpu" in readout.inner_text()
    page.locator("#generate-psi").fill("0.5")
    page.wait_for_function(
        "/^\\d+ ms .* [1-9]\\d* pictures/.test(document.querySelector('.readout').textContent)"
    )
    page.locator("#generate-seed").focus()
    page.keyboard.press("r")
    assert readout.is_visible(), "a letter that is typed"
    page.locator("[data-readout]").click()
    assert readout.is_hidden()
