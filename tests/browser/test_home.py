"""What a visitor takes home makes the picture on the stage, to the byte; and the readout of speed."""

from __future__ import annotations

import base64
import io
import shlex
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest
from PIL import Image, ImageChops, ImageStat

from cgan import timeline
from cgan.conditions import CONDITIONS
from tests.browser.conftest import formed, snapshots
from tests.conftest import tiny_model

pytestmark = pytest.mark.browser
STATES = {
    "generate": "label=two:0.5,zero:0.5&seed=7&z=1.5,0,-2&raw=3:-1.25&psi=0.7&count=6&first=2&strength=1.5",
    "interpolate": "label=one&seed=7&seed2=9&label2=zero&t=0.35",
    "pad": "label=two&x=0.25&y=0.75&seed=4",
    "mixer": "label=two:0.4,zero:0.2,one:0.4&seed=7&count=4",
    "directions": "label=two&seed=7&moves=1.5,0,-2&layers=0&kind=pca",
    "conditioning": "seed=7&rows=4&psi=1.3&transpose=1",
    "learn": "seed=7&snapshot=2&view=one&label=two",
    "inside": "seed=7&label=two&off=0:1,1:2",
}
# Endpoints that are not named as their tab.
NAMED = {"generate": "picture", "interpolate": "picture", "mixer": "generate", "directions": "picture"}


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder that holds the servers' models under their names."""
    folder = tmp_path_factory.mktemp("home")
    tiny_model().save(folder / "first")
    timeline.write(folder / "first", snapshots())
    for name in CONDITIONS:
        formed(name).save(folder / name)
    return folder


def snippets(page) -> dict[str, str]:
    """What stands under Take it home, by the tool that it is for."""
    page.locator("[data-home]").click()
    found = {}
    for key in ("curl", "client", "python"):
        code = page.locator(f'[data-snippet="snippet_{key}"] code')
        page.wait_for_selector(f'[data-snippet="snippet_{key}"] code:not(:empty)')
        found[key] = code.inner_text()
    return found


def check(told: dict[str, str], shown: bytes) -> None:
    """Run every snippet as it is told. The working directory gets a picture.png."""
    program, option, name, address = shlex.split(told["curl"])
    assert (program, option, name) == ("curl", "-o", "picture.png")
    if shutil.which("curl"):
        subprocess.run(f"{told['curl']} -sS", shell=True, check=True)
        assert Path(name).read_bytes() == shown
    assert httpx.get(address).raise_for_status().content == shown

    exec(told["python"], {})
    assert Path("picture.png").read_bytes() == shown

    left: dict = {}
    exec(told["client"], left)
    left["client"].close()
    assert Path(left["path"]).read_bytes() == shown


@pytest.mark.parametrize("tab", STATES)
def test_every_snippet_makes_the_picture(visit, tab, workplace, monkeypatch):
    page = (visitor := visit()).open(f"tab={tab}&{STATES[tab]}")
    told = snippets(page)
    monkeypatch.chdir(workplace)
    check(told, visitor.shown())
    assert f'api_name="/{NAMED.get(tab, tab)}"' in told["client"]


@pytest.mark.parametrize("name", CONDITIONS)
def test_every_snippet_asks_for_the_whole_condition(visit, forms, name, workplace, monkeypatch):
    visitor = visit(at=forms)
    page = visitor.open(f"tab=generate&model={name}&seed=7")
    page.locator("#panel-generate [data-dice]").click()
    visitor.address(f"seed={page.locator('#generate-seed').input_value()}")
    told = snippets(page)
    monkeypatch.chdir(workplace)
    check(told, visitor.shown())


@pytest.mark.parametrize("tab", ["generate", "conditioning"])
def test_the_saved_png_is_the_stage_s_picture(visit, tab):
    page = (visitor := visit()).open(f"tab={tab}&{STATES[tab]}")
    with page.expect_download() as download:
        page.locator("[data-save]").click()
    assert download.value.suggested_filename == f"first-{tab}.png"
    with Image.open(download.value.path()) as saved, Image.open(io.BytesIO(visitor.shown())) as stage:
        scale = saved.width // stage.width
        assert scale > 1, "enlarged for other programs, which blur small pictures"
        assert saved.mode == stage.mode
        assert saved.tobytes() == enlarged(stage, scale).tobytes()


def enlarged(picture, scale: int):
    """Every pixel as a square."""
    return picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)


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


def test_a_walk_is_saved_as_gif(visit, tmp_path):
    page = (visitor := visit()).open("label=one&seed=8")
    page.locator("[data-home]").click()
    with page.expect_download() as download:
        page.locator("[data-walk]").click()
    stage = Image.open(io.BytesIO(visitor.shown())).convert("RGB")
    with Image.open(download.value.path()) as walk:
        assert (walk.n_frames, walk.info["loop"]) == (62, 0)
        scale = walk.width // stage.width
        assert walk.convert("RGB").tobytes() == enlarged(stage, scale).tobytes(), "it begins with the stage's"
        walk.seek(31)
        end = httpx.get(f"{visitor.site}/frame.png?seed=9&label=one").content
        assert (
            walk.convert("RGB").tobytes()
            == enlarged(Image.open(io.BytesIO(end)), scale).convert("RGB").tobytes()
        )


WATCH = """async (file) => {  // what the browser makes of a video file
    const video = Object.assign(document.createElement("video"), { muted: true });
    const canvas = document.createElement("canvas");
    video.src = URL.createObjectURL(new Blob([Uint8Array.from(atob(file), (each) => each.charCodeAt())]));
    let first;
    video.requestVideoFrameCallback(() => {
        Object.assign(canvas, { width: video.videoWidth, height: video.videoHeight });
        canvas.getContext("2d").drawImage(video, 0, 0);
        first = canvas.toDataURL().split(",")[1];
    });
    const ended = new Promise((done) => video.addEventListener("ended", done));
    await video.play();
    await ended;
    return { first, seconds: video.currentTime, frames: video.getVideoPlaybackQuality().totalVideoFrames };
}"""


def test_a_noise_that_is_set_as_a_whole_has_nowhere_to_walk_to(visit):
    page = visit().open("seed=5&label=two&raw=0:1,1:-1,2:0.5,3:1")
    page.locator("[data-home]").click()
    page.wait_for_function("document.querySelector('[data-snippet] code').textContent")
    assert page.locator(".walks").is_visible()
    page.goto(page.url.replace("3:1", "3:1,4:0"))
    page.wait_for_selector(".frame img")
    page.locator("[data-home]").click()
    page.wait_for_function("document.querySelector('[data-snippet] code').textContent")
    assert page.locator(".walks").is_hidden()


def test_a_walk_is_saved_as_video(visit):
    page = (visitor := visit()).open("label=one&seed=8")
    page.locator("[data-home]").click()
    with page.expect_download(timeout=30_000) as download:
        page.locator("[data-video]").click()
    data = Path(download.value.path()).read_bytes()
    kinds = {".webm": b"\x1aE\xdf\xa3", ".mp4": b"ftyp"}
    assert kinds[Path(download.value.suggested_filename).suffix] in data[:12]
    told = page.evaluate(WATCH, base64.b64encode(data).decode())
    assert 85 <= told["frames"] <= 94, "a busy browser may drop some"
    assert told["seconds"] == pytest.approx(94 / 24, abs=0.5)
    stage = Image.open(io.BytesIO(visitor.shown())).convert("RGB")
    first = Image.open(io.BytesIO(base64.b64decode(told["first"]))).convert("RGB")
    assert first.width == first.height == stage.width * (480 // stage.width)
    apart = ImageChops.difference(first, enlarged(stage, first.width // stage.width))
    assert max(ImageStat.Stat(apart).mean) < 3, "it begins with the stage's, as well as the codec keeps it"


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
