"""The endpoints as tools, as an MCP client sees them."""

from __future__ import annotations

import ast
import asyncio
import base64
import io
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from PIL import Image

mcp = pytest.importorskip("mcp", reason='needs pip install "gradio[mcp]"')
from mcp.client.streamable_http import streamable_http_client  # noqa: E402
from mcp.types import CallToolResult, Tool  # noqa: E402


def ask(site: str, *calls: tuple[str, dict[str, Any]]) -> tuple[list[Tool], list[CallToolResult]]:
    """The tools, and what these calls of one session give."""

    async def talk() -> tuple[list[Tool], list[CallToolResult]]:
        async with (
            streamable_http_client(f"{site}/gradio_api/mcp/") as (receive, send, _),
            mcp.ClientSession(receive, send) as session,
        ):
            await session.initialize()
            tools = (await session.list_tools()).tools
            return tools, [await session.call_tool(name, arguments) for name, arguments in calls]

    with ThreadPoolExecutor(1) as beside:  # where Playwright, in other tests, has a loop in this thread
        return beside.submit(asyncio.run, talk()).result()


def test_a_tool_says_what_its_arguments_are(site):
    tools, _ = ask(site)
    endpoints = httpx.get(f"{site}/gradio_api/info").json()["named_endpoints"]
    assert {f"/{tool.name}" for tool in tools} == set(endpoints)
    for tool in tools:
        assert tool.description.strip().endswith(".")
        arguments = tool.inputSchema["properties"]
        told = endpoints[f"/{tool.name}"]["parameters"]
        assert [*arguments] == [parameter["parameter_name"] for parameter in told]
        for parameter in told:
            argument = arguments[parameter["parameter_name"]]
            assert argument["type"] in ("string", "integer", "number", "boolean")
            assert argument["description"] == parameter["label"]
            assert argument["default"] == parameter["parameter_default"]
            opens = parameter["parameter_default"] == "{}"
            assert ("An empty object stands for what the page begins with." in parameter["label"]) == opens


def test_a_tool_gives_the_picture_of_the_route(site):
    condition = json.dumps({"label": "two"})
    cases = {
        "frame.png?seed=1&label=zero": ("generate", {}),
        "frame.png?model=second&seed=1&label=Ankle boot": ("generate", {"model": "second"}),
        "frame.png?seed=7&label=two&scale=2": ("generate", {"condition": condition, "seed": 7, "scale": 2}),
        "walk.gif?seed=1&label=zero&seed2=2&label2=two&steps=3": (
            "interpolate",
            {"steps": 3, "animated": True},
        ),
    }
    _, results = ask(site, *cases.values())
    for path, result in zip(cases, results, strict=True):
        assert not result.isError
        picture, address = result.content  # Gradio writes the picture anew, and says where its file is
        route = httpx.get(f"{site}/{path}").raise_for_status()
        assert httpx.get(address.text.removeprefix("Image URL: ")).content == route.content
        assert picture.mimeType == route.headers["content-type"]
        shown = [Image.open(io.BytesIO(data)) for data in (base64.b64decode(picture.data), route.content)]
        assert shown[0].convert("RGB").tobytes() == shown[1].convert("RGB").tobytes()


def test_a_tool_tells_figures(site):
    _, (models, score) = ask(site, ("models", {}), ("critic", {"seed": 7}))
    told = ast.literal_eval(models.content[0].text)
    assert told["second"]["condition"]["label"]["choices"] == ["Ankle boot", "T-shirt/top", "Bag"]
    expected = httpx.get(f"{site}/score.json?seed=7&label=zero").json()
    assert ast.literal_eval(score.content[0].text) == expected


def test_a_tool_says_what_was_wrong_and_the_server_goes_on(site):
    wrong = {
        "psi must be a number from 0 to 2, got '7'": {"psi": 7},
        "unknown label 'four'": {"condition": '{"label": "four"}'},
        "condition must be a JSON object such as": {"condition": "four"},
        "model must be one of first, second, got 'none'": {"model": "none"},
        "'high' is not of type 'number'": {"psi": "high"},
    }
    _, results = ask(site, *(("generate", arguments) for arguments in wrong.values()), ("generate", {}))
    for words, result in zip(wrong, results[:-1], strict=True):
        assert result.isError
        assert words in result.content[0].text
    assert not results[-1].isError
