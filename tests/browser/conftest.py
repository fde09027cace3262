"""A server with two tiny models, as `python app.py` starts it, and Chromium to look at it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from torch import Tensor

from benchmarks.dragging import CHROMIUM, FLAGS
from cgan import timeline
from cgan.conditions import CONDITIONS
from cgan.conditions.label import Label
from cgan.data.vision import MNIST
from cgan.model import ConditionalGAN
from tests.conftest import tiny_config, tiny_model
from tests.test_conditions import SIZE, TARGETS, configured

ROOT = Path(__file__).parents[2]
SIZES = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}
METRICS = {
    "training": {
        "command": "python train.py --preset tiny",
        "commit": "abc1234",
        "hardware": "CPU",
        "kimg": 3,
        "began_from": {"command": "python train.py --preset tinier"},
    },
    "curve": [
        {"kimg": 1.0, "obedience": 0.5, "frechet": 9.0, "frechet_ratio": 90.0},
        {"kimg": 3.0, "obedience": 0.9, "frechet": 0.4, "frechet_ratio": 4.0},
    ],
    "evaluation": {
        "features": {"name": "our-features", "judge_accuracy": 0.875},
        "form": "label",
        "headline": "accuracy",
        "seeds": [1, 2, 3],
        "count": 10000,
        "generated": {
            "obedience": {
                "accuracy": {"mean": 0.925, "std": 0.0125},
                "confusion": [[1.0, 0.0, 0.0], [0.0, 0.9, 0.1], [0.125, 0.0, 0.875]],
            },
            **{name: {"mean": 0.5, "std": None} for name in ("frechet", "kernel", "precision", "recall")},
            **{name: {"mean": 0.5, "std": 0.25} for name in ("density", "coverage")},
            "nearest": {name: {"mean": 0.02, "std": 0.01} for name in ("distance", "ratio", "copies")},
            "variety": {"ratio": {"mean": 0.75, "std": 0.01}},
        },
        "real": {
            "obedience": {"accuracy": 0.875},
            **dict.fromkeys(("frechet", "kernel", "precision", "recall", "density", "coverage"), 0.625),
            "nearest": {"distance": 0.02, "ratio": 1.0, "copies": 0.01},
            "variety": {"ratio": 0.98},
        },
        "ratio": dict.fromkeys(("frechet", "precision", "recall", "density", "coverage"), 0.8),
    },
}
LONG = ("Ankle boot", "T-shirt/top", "Bag")  # too long for chips in a narrow place


def snapshot(kimg: float) -> dict[str, Tensor]:
    """The first model as it was then: the earlier, the less contrast."""
    model = tiny_model()
    model.generator.to_image.conv.weight.mul_((1 + kimg) / 4)
    return timeline.compress(model.sampler_state())


def snapshots() -> list[tuple[float, dict[str, Tensor]]]:
    """The first model's timeline, not even in time."""
    return [(kimg, snapshot(kimg)) for kimg in (0.0, 0.5, 1.0, 3.0)]


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with two models, which was also told of a third on a Hub that is down."""
    folder = tmp_path_factory.mktemp("models")
    tiny_model().save(folder / "first")
    (folder / "first" / "metrics.json").write_text(json.dumps(METRICS))
    timeline.write(folder / "first", snapshots())
    tiny_model(condition=Label(classes=LONG)).save(folder / "second")
    with serving(folder, str(folder / "first"), str(folder / "second"), "nobody/third") as address:
        yield address


@pytest.fixture(scope="package")
def forms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with a tiny model of every form of condition, and of one that has a judge."""
    folder = tmp_path_factory.mktemp("forms")
    for name in CONDITIONS:
        formed(name).save(folder / name)
    judged = tiny_config(condition=Label()).model({"classes": tuple("0123456789")}, MNIST().size, 1)
    ConditionalGAN(judged).eval().requires_grad_(False).save(folder / "judged")
    with serving(folder, *(str(folder / name) for name in (*CONDITIONS, "judged"))) as address:
        yield address


def formed(name: str) -> ConditionalGAN:
    """An untrained tiny model of that form, of some contrast."""
    torch.manual_seed(0)
    model = ConditionalGAN(configured(name, generator__widths=(8, 8)).model(TARGETS, SIZE, 1))
    model.eval().requires_grad_(False)
    model.generator.to_image.conv.weight *= 3
    return model


@contextmanager
def serving(folder: Path, *models: str) -> Iterator[str]:
    """The address of a server with these models; `folder` has room for what it keeps."""
    command = [sys.executable, "app.py", "--device=cpu", "--port=0", *(f"--model={spec}" for spec in models)]
    environment = {
        **os.environ,
        "HF_ENDPOINT": "http://127.0.0.1:9",
        "HF_HOME": str(folder / "hub"),
        "GRADIO_TEMP_DIR": str(folder / "gradio"),
    }
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline()
            assert "http://" in line, f"app.py ended with {process.wait()}"
            address = "http://" + line.strip().partition("http://")[2]
            httpx.get(address, timeout=60).raise_for_status()  # the page comes after the pictures
            yield address
        finally:
            process.terminate()


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Ends with this package: Playwright keeps an event loop running, in which others can't start theirs."""
    if not CHROMIUM:
        pytest.skip("no Chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Visitor:
    """A tab of the browser, which notes what ought not to happen."""

    def __init__(self, context: BrowserContext, site: str):
        self.page: Page = context.new_page()
        self.site, self.complaints = site, []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._request)

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.site, "blob:", "data:")):
            self.complaints.append(f"a request to {request.url}")

    def open(self, query: str = "", picture: bool = True) -> Page:
        """The page at that query, once its first picture or its warning is there."""
        self.page.goto(f"{self.site}/?{query}")
        self.page.wait_for_selector(".frame img" if picture else ".warning:not(:empty)", timeout=20_000)
        return self.page

    def shown(self) -> bytes:
        """The file on the stage."""
        script = """async () => {
            const image = document.querySelector(".frame img");
            return Array.from(new Uint8Array(await (await fetch(image.src)).arrayBuffer()));
        }"""
        return bytes(self.page.evaluate(script))

    def wait_for(self, path: str) -> bytes:
        """The file of a route, once it is what the stage shows. AssertionError if it never is."""
        asked = httpx.get(f"{self.site}/{path}").raise_for_status().content
        until = time.monotonic() + 5
        while (shown := self.shown()) != asked and time.monotonic() < until:
            self.page.wait_for_timeout(20)
        assert shown == asked, f"the stage shows {self.page.locator('.frame img').get_attribute('src')}"
        return shown

    def address(self, *parts: str) -> str:
        """The address, once it has every one of these parts."""
        for part in parts:
            self.page.wait_for_function("part => location.search.includes(part)", arg=part, timeout=5000)
        return self.page.url


@pytest.fixture(scope="package")
def contexts(chromium: Browser) -> dict[str, BrowserContext]:
    """A browser of either size, which keeps its cache from test to test as a real one does."""
    clipboard = ["clipboard-read", "clipboard-write"]
    return {
        size: chromium.new_context(
            viewport=viewport, has_touch=size == "phone", is_mobile=size == "phone", permissions=clipboard
        )
        for size, viewport in SIZES.items()
    }


@pytest.fixture
def visit(
    contexts: dict[str, BrowserContext], request: pytest.FixtureRequest
) -> Iterator[Callable[..., Visitor]]:
    """Makes visitors of the site, or of a server elsewhere; at the end none of them may have met an error or
    another origin."""
    visitors: list[Visitor] = []

    def make(size: str = "desktop", at: str = "") -> Visitor:
        visitors.append(Visitor(contexts[size], at or request.getfixturevalue("site")))
        return visitors[-1]

    yield make
    for visitor in visitors:
        visitor.page.close()
    assert [complaint for visitor in visitors for complaint in visitor.complaints] == []
