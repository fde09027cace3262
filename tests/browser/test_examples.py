"""The tab Examples with bundled models: what stands on the stage, and the way from there."""

from __future__ import annotations

import pytest

from cgan.ui.server import BUNDLED
from tests.browser.conftest import Visitor, serving

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def bundled(tmp_path_factory):
    """The address of a server with two of the bundled models."""
    folder = tmp_path_factory.mktemp("bundled")
    with serving(folder, str(BUNDLED / "mnist"), str(BUNDLED / "faces-attributes")) as address:
        yield address


def test_the_stage_shows_the_first_example_and_then_the_last_one_pointed_at(visit, bundled):
    visitor: Visitor = visit(at=bundled)
    page = visitor.open("tab=generate&seed=4&label=1")
    page.locator("#tab-examples").click()
    links = page.locator(".gallery a")
    visitor.wait_for(links.first.get_attribute("data-picture"))
    links.nth(1).hover()
    picture = links.nth(1).get_attribute("data-picture")
    visitor.wait_for(picture)
    page.locator("#tab-generate").click()
    visitor.wait_for("frame.png?seed=4&label=1")
    page.locator("#tab-examples").click()
    visitor.wait_for(picture)
    assert page.locator(".gallery [aria-current]").get_attribute("data-picture") == picture
    links.first.click()
    visitor.address("tab=conditioning", "seed=1")


def test_examples_begin_with_the_chosen_model_and_lead_to_the_head_of_the_page(visit, bundled):
    visitor: Visitor = visit("phone", bundled)
    page = visitor.page
    page.goto(f"{bundled}/?tab=examples&model=faces-attributes")
    current = page.locator(".gallery [aria-current]")
    current.wait_for()
    assert current.get_attribute("data-model") == "faces-attributes"
    page.locator("[data-models]").select_option("mnist")
    assert current.get_attribute("data-model") == "mnist"
    page.locator(".gallery a").last.tap()
    visitor.address("tab=inside", "model=faces-attributes")
    assert page.locator("#tab-inside").bounding_box()["y"] > -1
    page.go_back()
    visitor.address("tab=examples", "model=mnist")


def test_the_grid_of_many_fields_holds_the_others_as_chosen(visit, bundled):
    visitor: Visitor = visit(at=bundled)
    page = visitor.open("tab=conditioning&model=faces-attributes")
    opening = visitor.address("hair_colour=red", "background=blue")
    assert "hair_style" not in opening, "the columns go along it"
    held = "&".join(part for part in opening.split("?")[1].split("&") if not part.startswith("tab="))
    before = visitor.wait_for(f"grid.png?{held}")
    page.locator("#conditioning-along").select_option("glasses")
    assert "glasses=" not in visitor.address("along=glasses", "hair_style=curly")
    page.locator("#panel-conditioning summary").first.click()
    page.locator("#conditioning-smile").fill("-0.8")
    visitor.address("smile=-0.8")
    assert visitor.shown() != before
    page.locator(".cells button").first.click()
    visitor.address("tab=generate", "smile=-0.8", "glasses=none", "hair_colour=red")
