"""The mixer's controls: what is held for which field of which model."""

from __future__ import annotations

import pytest

from cgan.conditions import Choice
from cgan.conditions.mixture import parse_mixture
from cgan.ui.tabs.mixer import Mixer, begin
from tests.test_ui import Names

DIGITS = Choice("label", tuple("0123456789"))
HAIR = Choice("hair", ("bald", "short", "<long>"))
STYLES = Choice("style", ("bald", "short", "spiky", "curly", "bob", "long", "bun"))
EYES = Choice("eyes", ("blue", "green"))
CATS = Choice("label", ("cats, dogs", "cats", "tabby, tabby cat: all", "tabby"))


def panel(fields):
    return Names(Mixer().panel({"tiny": iter(fields)})).controls


@pytest.mark.parametrize(
    ("field", "pair", "expected"),
    [
        (DIGITS, "[3, 8]", "3:0.5,8:0.5"),
        (STYLES, "[2, 6]", "spiky:0.5,bun:0.5"),
        (HAIR, "[0, 2]", "bald:0.5,<long>:0.5"),
        (EYES, "[0, 1]", "blue:0.5,green:0.5"),
    ],
)
def test_one_begins_with_a_mixture_that_the_condition_takes(field, pair, expected):
    assert begin(field) == expected
    held = next(attributes for _, attributes in panel([field]) if "data-mix" in attributes)
    assert (held["data-mix"], held["value"]) == (pair, expected)
    assert sorted(parse_mixture(field.name, begin(field), field.choices).tolist())[-2:] == [0.5, 0.5]


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        ("cats, dogs", [1, 0, 0, 0]),
        ("cats, dogs:0.5,tabby, tabby cat: all:0.5", [0.5, 0, 0.5, 0]),
        ("tabby, tabby cat: all,cats:3", [0, 0.75, 0.25, 0]),
        ("cats, tabby: 3", [0, 0.25, 0, 0.75]),
        ("cats:1,cats, dogs:3", [0.75, 0.25, 0, 0]),
        ("cats, dogs:3,cats:1", [0.75, 0.25, 0, 0]),
        ("cats:1,tabby, tabby cat: all", [0, 0.5, 0.5, 0]),
    ],
)
def test_names_with_commas_are_mixed(text, weights):
    assert parse_mixture("label", text, CATS.choices).tolist() == weights


def test_every_choice_field_is_held_and_one_is_picked():
    controls = [attributes for _, attributes in panel([HAIR, EYES])]
    held = {each["name"]: each["value"] for each in controls if "data-mix" in each}
    assert held == {"hair": "bald:0.5,<long>:0.5", "eyes": "blue"}
    picker = next(each for each in controls if each.get("name") == "mixed")
    assert picker["data-default"] == "hair"
    assert "data-page" in picker


def test_one_field_needs_no_picker_and_none_holds_nothing():
    assert "mixed" not in {each.get("name") for _, each in panel([DIGITS])}
    assert '<template data-model="tiny"></template>' in Mixer().panel({"tiny": []})
