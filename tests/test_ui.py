"""The page's parts that need no browser: controls from fields, words, tabs and the script's keys."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import get_args

import pytest

from cgan.conditions import Choice, Field
from cgan.engine import Engine
from cgan.ui import stage
from cgan.ui.api import Api
from cgan.ui.fields import WIDGETS, widgets
from cgan.ui.i18n import ENGLISH
from cgan.ui.tabs import ROUTES, TABS
from tests.conftest import tiny_model

LABEL = Choice("label", ("zero", "one", "two"))


class Names(HTMLParser):
    """Every control of a piece of HTML: (tag, attributes)."""

    def __init__(self, html: str):
        super().__init__()
        self.controls: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        if tag in ("input", "select", "option", "template"):
            self.controls.append((tag, dict(attrs)))

    def named(self) -> set[str]:
        return {attributes["name"] for _, attributes in self.controls if "name" in attributes}


@pytest.fixture(scope="module")
def engine():
    engine = Engine({"tiny": tiny_model()}, "cpu")
    yield engine
    engine.close()


def test_every_type_of_field_has_a_widget():
    assert set(get_args(Field) or (Field,)) >= set(WIDGETS)


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


def test_names_are_escaped():
    hostile = Choice("label", ('"><script>', "&amp;"))
    for compact in (False, True):
        html = widgets({'"m': [hostile]}, "generate", compact=compact)
        assert "<script" not in html
        values = [attributes.get("value") for tag, attributes in Names(html).controls if tag != "template"]
        assert '"><script>' in values
        assert "&amp;" in values


@pytest.mark.parametrize("name", TABS)
def test_a_tab_has_its_words_and_its_script(name):
    assert ENGLISH[name]
    assert ENGLISH[f"{name}_hint"]
    assert f"tabs.{name} = {{" in stage.script()
    html = TABS[name]().panel({"tiny": [LABEL]})
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'\bfor="([^"]+)"', html)) <= set(ids)


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
    for key in set(ENGLISH) - {f"{name}_hint" for name in TABS} - set(TABS):
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


def test_the_notice_is_text(engine):
    html = str(stage.explorer([], {}, "a <notice>").value)
    assert "a &lt;notice&gt;" in html
