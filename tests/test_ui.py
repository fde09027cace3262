"""The page's parts that need no browser: controls from fields, words, tabs and the script's keys."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from html.parser import HTMLParser
from typing import get_args

import gradio as gr
import pytest
import torch

from cgan.conditions import CONDITIONS, Caption, Choice, Field, Paint, Range, Sketch
from cgan.conditions.attributes import Attributes
from cgan.conditions.base import RESERVED
from cgan.conditions.image import Picture
from cgan.conditions.mask import Mask
from cgan.data.faces import ATTRIBUTES, CLASSES
from cgan.data.vision import FashionMNIST
from cgan.engine import Engine
from cgan.study.bundled import BundledStudy
from cgan.types import Attribute
from cgan.ui import stage
from cgan.ui.api import Api
from cgan.ui.app import build
from cgan.ui.fields import WIDGETS, initial, texts, widgets
from cgan.ui.i18n import ENGLISH, LANGUAGES, TEXTS
from cgan.ui.plans import values_along
from cgan.ui.tabs import ROUTES, TABS
from tests.conftest import tiny_model
from tests.test_conditions import encoder

HOSTILE = ('"><script>', "&amp;")
LABEL = Choice("label", ("zero", "one", "two"))


class Names(HTMLParser):
    """Every control of a piece of HTML: (tag, attributes)."""

    def __init__(self, html: str):
        super().__init__()
        self.controls: list[tuple[str, dict[str, str | None]]] = []
        self.ids: list[str] = []
        self.targets: set[str] = set()
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag in ("input", "select", "option", "template", "textarea"):
            self.controls.append((tag, attributes))
        self.ids += [attributes["id"]] if "id" in attributes else []
        self.targets |= {attributes["for"]} if "for" in attributes else set()

    def handle_data(self, data):
        self.words.append(data)

    def named(self) -> set[str]:
        """The controls that are state: the others belong to no form."""
        return {a["name"] for _, a in self.controls if "name" in a and a.get("form") != ""}

    def defaults(self) -> dict[str, str]:
        return {a["name"]: a["data-default"] for _, a in self.controls if a.get("name") in self.named()}


@pytest.fixture(scope="module")
def engine():
    engine = Engine({"tiny": tiny_model()}, "cpu")
    yield engine
    engine.close()


def test_every_type_of_field_has_a_widget():
    assert set(get_args(Field)) == set(WIDGETS)


@pytest.mark.parametrize("compact", [False, True])
@pytest.mark.parametrize("end", ["", "2"])
@pytest.mark.parametrize("name", CONDITIONS)
def test_what_the_controls_of_a_condition_hold_is_what_it_takes(name, end, compact):
    made = encoder(name)
    html = Names(widgets({"tiny": made.fields()}, "tab", end=end, compact=compact))
    assert html.named() == {field.name + end for field in made.fields()}
    assert {field.name: initial(field, end) for field in made.fields()} == {
        name.removesuffix("2"): value for name, value in html.defaults().items()
    }
    assert made.given(
        made.parse({key.removesuffix("2"): text for key, text in html.defaults().items()})
    ).all()
    assert len(html.ids) == len(set(html.ids))
    assert html.targets <= set(html.ids)


@pytest.mark.parametrize("name", CONDITIONS)
def test_the_two_ends_of_a_condition_differ(name):
    made = encoder(name)
    first, last = ({f.name: initial(f, end) for f in made.fields()} for end in ("", "2"))
    assert not torch.equal(made.parse(first), made.parse(last))


def test_a_picture_without_examples_begins_empty():
    for made in (Mask(classes=("a",), colours=("#000000",), size=8).build(), Picture(size=8).build()):
        (field,) = made.fields()
        assert made.parse({field.name: initial(field)}).unique().tolist() == [255 * (field.name == "image")]


UNEVEN = [(13.022988, 90.502659), (0.0, 1999999.0), (1e9, 1e9 + 39_000), (-3e-7, 3.00000001e-7), (0.0, 1.0)]


@pytest.mark.parametrize(("low", "high"), UNEVEN)
def test_the_steps_of_a_grid_are_in_their_range(low, high):
    made = Attributes(attributes=(Attribute("weight", low=low, high=high),)).build()
    steps = values_along(made.fields()[0])
    assert len(set(steps)) == len(steps)
    for step in steps:
        made.parse({"weight": step})


@pytest.mark.parametrize(("low", "high"), UNEVEN)
def test_a_slider_reaches_the_ends_of_its_range_and_no_further(low, high):
    made = Attributes(attributes=(Attribute("weight", low=low, high=high),)).build()
    slider = Names(widgets({"tiny": made.fields()}, "tab")).controls[-1][1]
    assert (float(slider["min"]), float(slider["max"])) == (low, high)
    for share in (-1.0, -1 / 3, 0.0, 0.5, 1.0):
        raw = torch.tensor([[share, 1.0]])
        held = texts(made.fields(), made.decode(raw)["attributes"][0])
        assert made.parse(held).numpy() == pytest.approx(raw.numpy(), abs=1e-3 if low < 1e9 else 4e-3)


def test_yes_and_no_is_a_chip_colours_are_swatches_and_a_range_has_words():
    smile, hair, glasses, width = (
        Names(widgets({"tiny": [field]}, "tab")) for field in encoder("attributes").fields()
    )
    (box,) = (attributes for _, attributes in glasses.controls if attributes.get("type") == "checkbox")
    assert (box["value"], box["data-off"], box["data-default"]) == ("yes", "no", "no")
    radios = [attributes for _, attributes in hair.controls if attributes.get("type") == "radio"]
    assert [radio["aria-label"] for radio in radios] == ["black", "red", "grey"]
    (slider,) = (attributes for _, attributes in smile.controls if attributes.get("type") == "range")
    assert [slider[key] for key in ("min", "max", "step", "value")] == ["-1", "1", "0.01", "0"]
    assert "sad" in smile.words
    assert {"10", "20"} <= set(width.words), "without words, its numbers"


def test_many_fields_stand_in_groups():
    fields = (*encoder("attributes").fields(), Choice("hat", ("none", "cap")), Range("tilt", 0, 1, 0.5))
    html = widgets({"tiny": fields}, "tab")
    groups = re.findall(r'<details class="group (\w+)"', html)
    assert groups == ["group_amounts", "group_colours", "group_switches", "group_kinds"]
    assert Names(html).named() == {field.name for field in fields}
    assert "<details" not in widgets({"tiny": fields[:4]}, "tab")


def test_few_choices_are_chips_and_many_a_dropdown():
    chips = Names(widgets({"tiny": [LABEL]}, "generate"))
    radios = [attributes for tag, attributes in chips.controls if tag == "input"]
    assert [radio["value"] for radio in radios] == ["zero", "one", "two"]
    assert ["checked" in radio for radio in radios] == [True, False, False]
    many = Names(widgets({"tiny": [Choice("label", tuple(map(str, range(30))))]}, "generate"))
    assert [tag for tag, _ in many.controls].count("option") == 30
    compact = Names(widgets({"tiny": [LABEL]}, "interpolate", end="2", compact=True))
    assert compact.named() == {"label2"}
    chosen = [attributes["value"] for tag, attributes in compact.controls if "selected" in attributes]
    assert chosen == ["two"]


@pytest.mark.parametrize(
    "field",
    [
        Choice("label", HOSTILE),
        Choice("label", HOSTILE, colours=HOSTILE),
        Range("label", 0, 1, 0.5, ends=HOSTILE),
        Caption("label", HOSTILE, 100),
        Paint("label", HOSTILE, HOSTILE, 8, HOSTILE),
        Sketch("label", 8, 3, HOSTILE),
    ],
)
def test_names_are_escaped(field):
    for compact in (False, True):
        html = widgets({'"m': [field]}, "generate", compact=compact)
        assert "<script" not in html
        told = [text for _, attributes in Names(html).controls for text in attributes.values()]
        assert '"><script>' in [*told, *Names(html).words]


@pytest.mark.parametrize("name", TABS)
def test_a_tab_has_its_words_and_its_script(name):
    assert ENGLISH[name]
    assert ENGLISH[f"{name}_hint"]
    assert f"tabs.{name} = {{" in stage.script()
    html = TABS[name]().panel({"tiny": [LABEL]})
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'\bfor="([^"]+)"', html)) <= set(ids)


def test_no_attribute_may_be_called_as_a_control():
    fields = {field.name for name in CONDITIONS for field in encoder(name).fields()}
    page = Names(str(stage.explorer([], {"tiny": []}).value))
    assert {"seed", "noise", "techniques", "drawn"} <= page.named()
    assert page.named() - fields - {""} <= RESERVED


def test_every_text_is_used_and_every_key_known():
    page = " ".join(TABS[name]().panel({"tiny": [LABEL]}) for name in TABS)
    sources = "".join(
        path.read_text("utf-8") for path in stage.HERE.rglob("*") if path.suffix in (".py", ".js", ".html")
    )
    card = (stage.HERE / "tabs" / "card.js").read_text("utf-8")
    for key in re.findall(r'data-text="(\w+)"', page):
        assert key in ENGLISH
    for key in re.findall(r'say\("(\w+)"', stage.script()):
        assert key in ENGLISH, f"the script says {key}"
    named = (
        "name_",
        "study_",
        "remark_",
        "take_",
        "why_",
    )  # found by their words, or by a kind of remark or of field
    names = {key for key in ENGLISH if key.startswith(named)}
    for key in set(ENGLISH) - {f"{name}_hint" for name in TABS} - set(TABS) - names:
        said = re.search(rf"""["']{key}["']""", sources) is not None
        # The card's script puts the keys of a figure together from its name.
        figure = re.fullmatch(r"card_(\w+?)(_means|_curve)?", key)
        said |= figure is not None and re.search(rf"""["']{figure[1]}["']""", card) is not None
        assert said, f"nobody says {key}"


@pytest.mark.parametrize(("route", "kind"), [("/frame.png", b"\x89PNG"), ("/walk.gif", b"GIF8")])
def test_the_api_stores_a_picture_once(engine, route, kind, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    api = Api(engine, ROUTES)
    assert route in ROUTES
    paths = [api.make(route, "tiny", {"seed": 3}, '{"label": "one"}') for _ in range(2)]
    assert paths[0] == paths[1]
    with open(paths[0], "rb") as file:
        assert file.read(4) == kind
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_a_condition_is_its_fields_and_nothing_else(engine):
    api = Api(engine, ROUTES)
    for condition in ('{"scale": 16}', '{"model": "tiny"}', '{"label2": "one"}'):
        with pytest.raises(gr.Error, match="unknown condition field"):
            api.make("/frame.png", "tiny", {"seed": 3}, condition)


def test_an_empty_condition_stands_for_what_the_page_begins_with_at_either_end(engine):
    api = Api(engine, ROUTES)
    assert api._fields("tiny", "{}") == {"label": "zero"}
    assert api._fields("tiny", "{}", "2") == {"label2": "two"}
    assert api._fields("tiny", "", "2") == {}


def test_an_endpoint_names_what_is_null_and_few_calls_wait(engine):
    async def built() -> gr.Blocks:
        return build(engine)

    page = asyncio.run(built())  # in a loop, for Gradio would leave one of its own open
    assert page._queue.max_size == 64
    inside, picture = (
        next(fn.fn for fn in page.fns.values() if fn.api_name == name) for name in ("inside", "picture")
    )
    with pytest.raises(gr.Error, match="block is null"):
        inside("tiny", "{}", 1, "", None, 1.0, 1)
    with pytest.raises(gr.Error, match="address is null"):
        picture(None)


def test_the_notice_is_text(engine):
    html = str(stage.explorer([], {}, "a <notice>").value)
    assert "a &lt;notice&gt;" in html


def test_every_text_is_there_in_every_language_with_the_same_places_to_fill():
    for key, words in TEXTS.items():
        assert set(words) == set(LANGUAGES), key
        places = {language: sorted(re.findall(r"\{(\w+)\}", text)) for language, text in words.items()}
        assert places["zh"] == places["en"], key
        assert all(words.values()), key


def test_every_reason_to_refuse_is_given_by_the_program():
    """So that none is left behind when the program's words change."""
    root = stage.HERE.parent
    sources = " ".join(path.read_text("utf-8") for path in root.rglob("*.py"))
    for key, words in ENGLISH.items():
        if key.startswith("why_"):
            pieces = re.split(r"\{\w+\}", words)
            assert max(pieces, key=len) in sources, key


def test_no_two_texts_are_the_same_in_english():
    """The page finds a text's key by its English words."""
    twice = Counter(ENGLISH.values()).most_common(1)[0]
    assert twice[1] == 1, twice[0]


def test_no_two_texts_have_one_key():
    """The last would take the place of the others."""
    files = "".join(path.read_text("utf-8") for path in (stage.HERE / "texts").glob("*.json"))
    twice = Counter(re.findall(r'^ "(.+)": \{$', files, re.MULTILINE)).most_common(1)[0]
    assert twice[1] == 1, twice[0]


def test_what_the_bundled_study_says_is_there_in_every_language():
    rows = BundledStudy().rows.values()
    said = {row[key] for row in rows for key in ("group", "title", "sentence")}
    said |= {fault for row in rows for fault in row["faults"]}
    assert {key for key in TEXTS if key.startswith("study_")} == {
        key for key, words in TEXTS.items() if words["en"] in said
    }
    assert said <= set(ENGLISH.values())


def test_what_conditions_are_made_of_has_a_name_in_every_language():
    titles = {attribute.name.replace("_", " ").capitalize() for attribute in ATTRIBUTES}
    choices = {word for attribute in ATTRIBUTES for word in (*attribute.choices, *attribute.ends) if word}
    assert titles | choices | set(CLASSES) | set(FashionMNIST.classes) <= set(ENGLISH.values())
