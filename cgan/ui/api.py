"""Named, documented, queued endpoints for gradio_client and MCP: the routes' pictures as files."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import inspect
import json
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlencode

import gradio as gr
from gradio.utils import get_function_description, get_upload_folder

from cgan.conditions import Field
from cgan.conditions.base import refuse_unknown
from cgan.engine import Busy, Engine
from cgan.ui.answer import answer, fetch
from cgan.ui.fields import initial
from cgan.ui.plans import Route
from cgan.ui.tabs.examples import opening

INPUTS: Mapping[type, Callable[[Any, str], gr.components.Component]] = {
    bool: lambda value, label: gr.Checkbox(value, label=label, visible=False),
    int: lambda value, label: gr.Number(value, label=label, visible=False, precision=0),
    float: lambda value, label: gr.Number(value, label=label, visible=False),
    str: lambda value, label: gr.Textbox(value, label=label, visible=False),
}

OUTPUTS: Mapping[type, Callable[[], gr.components.Component]] = {
    str: lambda: gr.Image(visible=False, type="filepath", format="png", label="picture"),
    dict: lambda: gr.JSON(visible=False, label="figures"),
}

BEGINNING = "An empty object stands for what the page begins with."


@dataclass(frozen=True)
class Api:
    """Makes endpoints over one engine. To be used inside gr.Blocks."""

    engine: Engine
    routes: Mapping[str, Route]

    @property
    def model(self) -> str:
        """The name of the first model."""
        return next(iter(self.engine.models))

    condition: ClassVar[str] = "{}"
    """What the page begins with, whichever model it is."""

    def add(self, function: Callable[..., str | dict]) -> None:
        """An endpoint with `function`'s name, typed and defaulted arguments and documentation.

        `function` returns a picture's path, or figures as a dict. Nothing of it shows on the page.
        """
        signature = inspect.signature(function, eval_str=True)
        for name, argument in signature.parameters.items():
            if argument.default == self.condition:  # MCP reads the documentation itself
                function.__doc__ = re.sub(rf"(\b{name}: .+)", rf"\1 {BEGINNING}", function.__doc__ or "")
        meanings = dict(re.findall(r"^\s*(\w+): (.+)$", function.__doc__ or "", re.MULTILINE))
        inputs = [
            _documented(INPUTS[argument.annotation], argument.default, meanings[name])
            for name, argument in signature.parameters.items()
        ]
        output = OUTPUTS[signature.return_annotation]()
        name, (told, *_) = function.__name__, get_function_description(function)

        @functools.wraps(function)
        def given(*values: Any) -> str | dict:
            for argument, value in zip(signature.parameters, values, strict=True):
                if value is None:
                    raise gr.Error(f"{argument} is null; leave it out for its default", print_exception=False)
            return function(*values)

        gr.Button(visible=False).click(
            given,
            inputs,
            output,
            api_name=name,
            api_description=f"{told}\n\n",  # Gradio goes on after it
            concurrency_id="pictures",
        )

    def make(
        self,
        route: str,
        model: str,
        parameters: Mapping[str, object],
        condition: str = "",
        condition2: str = "",
    ) -> str:
        """The path of the picture that the route gives. gr.Error says what was wrong with a parameter."""
        return _store(self._answer(route, model, parameters, condition, condition2))

    def tell(self, route: str, model: str, parameters: Mapping[str, object], condition: str = "") -> dict:
        """The figures that the route gives as JSON. gr.Error says what was wrong with a parameter."""
        return json.loads(self._answer(route, model, parameters, condition))

    def _answer(
        self,
        route: str,
        model: str,
        parameters: Mapping[str, object],
        condition: str,
        condition2: str = "",
    ) -> bytes:
        try:
            values = {"model": model, **parameters}
            values |= self._fields(model, condition) | self._fields(model, condition2, "2")
            return fetch(self.engine, self.routes[route], [(k, str(v)) for k, v in values.items()])
        except (ValueError, Busy, TimeoutError) as error:
            raise gr.Error(str(error), print_exception=False) from error

    def _fields(self, model: str, text: str, suffix: str = "") -> dict[str, str]:
        """A JSON object of the condition's fields, or nothing -> the routes' parameters."""
        try:
            values = json.loads(text or "{}")
        except (ValueError, RecursionError) as error:
            example = json.dumps({"label": "3"})
            raise ValueError(f"condition{suffix} must be a JSON object such as {example}: {error}") from error
        if not isinstance(values, dict):
            raise ValueError(f"condition{suffix} must be a JSON object, got {text[:60]!r}")
        resident = self.engine.resident(model)
        fields = resident.model.encoder.fields()
        refuse_unknown(values, [field.name for field in fields])
        if text and not values:
            values = {field.name: initial(field, suffix) for field in fields}
            values |= {} if suffix else opening(resident)
        return {name + suffix: str(value) for name, value in values.items()}

    def add_common(self) -> None:
        """The endpoints of no tab: what can be asked for, and whatever the routes can make and no other
        endpoint has arguments for."""
        beginning = urlencode({"seed": 1} | self._fields(self.model, self.condition))

        def models() -> dict:
            """Every model by name: its pictures, and the fields of its condition with what they accept."""
            return {
                name: {
                    "title": resident.model.config.dataset.title,
                    "size": resident.model.config.size,
                    "channels": resident.model.config.channels,
                    "condition": {field.name: _accepted(field) for field in resident.model.encoder.fields()},
                }
                for name, resident in self.engine.models.items()
            }

        def picture(address: str = f"/frame.png?{beginning}") -> str:
            """The picture of any address that the page uses, as a file.

            Args:
                address: A route and its query, such as /strip.png?seed=1&seed2=2.
            """
            pictures = {
                path: route for path, route in self.routes.items() if route.media.startswith("image/")
            }
            try:
                return _store(answer(self.engine, address, pictures))
            except (ValueError, Busy, TimeoutError) as error:
                raise gr.Error(str(error), print_exception=False) from error

        self.add(models)
        self.add(picture)


def _accepted(field: Field) -> dict[str, Any]:
    """What a field is; of its examples, those that are words."""
    told = {"type": type(field).__name__.lower()} | dataclasses.asdict(field)
    if "examples" in told:
        told["examples"] = [text for text in told["examples"] if " " in text]
    return {key: value for key, value in told.items() if key not in ("name", "colours")}


def _documented(
    make: Callable[[Any, str], gr.components.Component], default: Any, meaning: str
) -> gr.components.Component:
    """An input of which /gradio_api/openapi.json says what it means and is by default, which is also the
    example in "Use via API"; of itself Gradio gives the type, and an example that would be refused."""
    component = make(default, meaning)
    schema = component.api_info() | {"description": meaning, "default": default}
    component.api_info, component.example_payload = lambda: schema, lambda: default
    return component


def _store(data: bytes) -> str:
    """A file in Gradio's cache, written whole before it gets its name, because others may be reading it."""
    kind = ".png" if data.startswith(b"\x89PNG") else ".gif"
    folder = Path(get_upload_folder()) / hashlib.sha256(data).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"picture{kind}"
    try:
        os.utime(path)  # else Gradio may take it for old, and remove it before it is fetched
    except FileNotFoundError:
        handle, name = tempfile.mkstemp(dir=folder)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(name, path)
    return str(path)
