"""The named endpoints, as gradio_client sees them."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from cgan.ui.tabs import TABS

WITHOUT = {"card", "compare", "examples"}  # what they show has addresses of its own
ENDPOINTS = {f"/{name}" for name in TABS if name not in WITHOUT} | {"/models", "/picture"}


@pytest.fixture(scope="module")
def client(site, tmp_path_factory):
    client = Client(site, verbose=False, download_files=str(tmp_path_factory.mktemp("downloads")))
    yield client
    client.close()


@pytest.mark.parametrize(
    ("name", "arguments", "path"),
    [
        (
            "generate",
            {"condition": '{"label": "two"}', "seed": 7, "z": "1.5,-2", "strength": 2},
            "frame.png?seed=7&label=two&z=1.5,-2&strength=2",
        ),
        ("generate", {}, "frame.png?seed=1&label=zero"),
        ("generate", {"model": "second"}, "frame.png?model=second&seed=1&label=Ankle boot"),
        (
            "interpolate",
            {"condition2": '{"label": "two"}', "steps": 4},
            "strip.png?seed=1&label=zero&seed2=2&label2=two&steps=4",
        ),
        (
            "interpolate",
            {"steps": 3, "animated": True},
            "walk.gif?seed=1&label=zero&seed2=2&label2=two&steps=3",
        ),
        ("picture", {}, "frame.png?seed=1&label=zero"),
        ("picture", {"address": "/frame.png?seed=4&label=one&v=1"}, "frame.png?seed=4&label=one"),
        ("conditioning", {"seed": 5, "rows": 3, "transpose": True}, "grid.png?seed=5&rows=3&transpose=1"),
    ],
)
def test_an_endpoint_gives_the_file_of_the_route(client, site, name, arguments, path):
    found = client.predict(api_name=f"/{name}", **arguments)
    assert Path(found).read_bytes() == httpx.get(f"{site}/{path}").raise_for_status().content


def test_an_endpoint_says_what_was_wrong(client):
    with pytest.raises(AppError, match="psi must be a number from 0 to 2"):
        client.predict(psi=7, api_name="/generate")
    with pytest.raises(AppError, match="condition must be a JSON object"):
        client.predict(condition="three", api_name="/generate")
    with pytest.raises(AppError, match="condition must be a JSON object"):
        client.predict(condition="[" * 100_000, api_name="/generate")
    with pytest.raises(AppError, match="there is no route '/levels.json'"):
        client.predict("/levels.json", api_name="/picture")


def test_the_models_are_told_with_what_their_conditions_accept(client):
    found = client.predict(api_name="/models")
    assert list(found) == ["first", "second"]
    label = {"type": "choice", "choices": ["zero", "one", "two"]}
    assert found["first"] == {"title": "MNIST", "size": 8, "channels": 1, "condition": {"label": label}}


def test_every_parameter_is_documented(site):
    endpoints = httpx.get(f"{site}/gradio_api/info").json()["named_endpoints"]
    assert set(endpoints) == ENDPOINTS
    for endpoint in endpoints.values():
        for parameter in endpoint["parameters"]:
            assert parameter["parameter_has_default"]
            assert parameter["example_input"] == parameter["parameter_default"]
            assert parameter["label"].endswith(".")


def test_openapi_reads_well(site):
    told = httpx.get(f"{site}/gradio_api/openapi.json").json()
    assert told["info"]["description"].startswith("A generator turns noise")
    posts = {path: each["post"] for path, each in told["paths"].items() if "/call/v2/" in path}
    assert len(posts) == len(ENDPOINTS)
    for post in posts.values():
        assert ".\n\nOutput must be fetched" in post["description"]
        properties = post["requestBody"]["content"]["application/json"]["schema"]["properties"]
        for meaning in properties.values():
            assert meaning["description"].endswith(".")
            assert "default" in meaning
