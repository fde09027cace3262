"""Every example, and every address of the lesson, is a state of a tab that the bundled models can show."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import pytest

from cgan.conditions import Paint, Sketch
from cgan.engine import Engine
from cgan.ui.answer import answer
from cgan.ui.i18n import TEXTS
from cgan.ui.server import bundled_models
from cgan.ui.tabs import ROUTES, TABS
from cgan.ui.tabs.examples import EXAMPLES, OPENINGS, Example, Examples, opening

LESSON = re.findall(
    r"`/\?([^`]*)`", (Path(__file__).parent.parent / "docs/lesson.md").read_text(encoding="utf-8")
)
ASKED = {  # what a tab asks for first, where it takes the parameters that /frame.png does not
    "conditioning": "grid.png",
    "card": "grid.png",
    "compare": "grid.png",
    "invert": "starts.json",
    "learn": "snapshot.png",
    "neighbours": "neighbours.json",
}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = Engine.load(bundled_models(), "cpu")
    yield engine
    engine.close()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.key)
def test_an_example_can_be_shown(engine: Engine, example: Example):
    assert example.model in engine.models, "it is bundled"
    assert answer(engine, example.picture).startswith(b"\x89PNG")
    assert example.key in TEXTS
    held_by_its_tab(engine, parse_qsl(example.address.lstrip("?"), strict_parsing=True))


def held_by_its_tab(engine: Engine, parameters: list[tuple[str, str]]):
    state = dict(parameters)
    fields = engine.models[state["model"]].model.encoder.fields()
    panel = TABS[state["tab"]]().panel({state["model"]: fields})
    controls = set(re.findall(r'(?:name|data-list)="(\w+)"', panel))
    assert state.keys() <= controls | {"tab", "model"}, "the tab holds every part of the state"


@pytest.mark.parametrize("address", LESSON)
def test_an_address_of_the_lesson_can_be_shown(engine: Engine, address: str):
    parameters = parse_qsl(address, strict_parsing=True)
    held_by_its_tab(engine, parameters)
    state = dict(parameters)
    route = ASKED.get(state.pop("tab"), "frame.png")
    for field in engine.models[state["model"]].model.encoder.fields():
        if route == "frame.png" and isinstance(field, Paint | Sketch):  # the page begins with an example
            state.setdefault(field.name, field.examples[0])
    assert answer(engine, f"/{route}?{urlencode(state)}")


def test_the_lesson_has_eight_steps_and_their_addresses():
    assert len(LESSON) >= 16


def test_there_are_enough_and_every_model_has_one(engine):
    assert len(EXAMPLES) >= 12
    assert len({example.key for example in EXAMPLES}) == len(EXAMPLES)
    assert {example.model for example in EXAMPLES} == set(engine.models)


def test_only_the_examples_of_loaded_models_are_shown():
    html = Examples().panel({"mnist-article": ()})
    assert html.count("<a ") == sum(example.model == "mnist-article" for example in EXAMPLES)
    assert "examples_none" in Examples().panel({"another": ()})
    assert all(f"/{example.path}" in ROUTES for example in EXAMPLES)


@pytest.mark.parametrize("name", OPENINGS)
def test_a_bundled_model_takes_its_opening_and_another_of_that_name_has_none(engine, name):
    assert opening(engine.models[name]) == dict(parse_qsl(OPENINGS[name]))
    other = dataclasses.replace(engine.models["mnist"], name=name)
    assert opening(other) == {}


def test_an_answer_that_takes_too_long_is_given_up_in_words(engine, monkeypatch):
    monkeypatch.setattr("cgan.ui.answer.PATIENCE", 0)
    with pytest.raises(TimeoutError, match="no answer within a minute; ask again"):
        answer(engine, "/grid.png?model=faces-attributes&rows=16")
