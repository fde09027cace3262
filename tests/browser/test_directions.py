"""Film strips of directions: gone along, named, felt by some layers."""

from __future__ import annotations

import httpx
import pytest

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_directions(visit, site, size):
    visitor = visit(size)
    page = visitor.open("tab=directions&label=one")
    page.locator(".atlas img").wait_for()
    shown = page.locator(".atlas img").evaluate("image => image.src")
    assert httpx.get(shown).content == httpx.get(f"{site}/directions.png?seed=1&label=one&rows=5").content
    row = page.locator("#directions-way-1")
    row.scroll_into_view_if_needed()
    box = row.bounding_box()
    row.click(position={"x": box["width"] * 6.7 / 9, "y": box["height"] / 2})
    visitor.wait_for("frame.png?seed=1&label=one&z=0,2")
    page.keyboard.press("ArrowRight")
    visitor.wait_for("frame.png?seed=1&label=one&z=0,2.05")
    page.locator(".readers .chip").nth(1).click()
    visitor.wait_for("direction.png?seed=1&label=one&moves=0,2.05&layers=0,2")
    page.locator('.chip:has(input[value="pca"])').click()
    visitor.wait_for("frame.png?seed=1&label=one")
    page.locator("#directions-way-0").fill("3")
    visitor.wait_for("direction.png?seed=1&label=one&kind=pca&moves=3&layers=0,2")
    page.locator("#directions-way-4").fill("-1")
    visitor.wait_for("direction.png?seed=1&label=one&kind=pca&moves=3,0,0,0,-1&layers=0,2")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_name_belongs_to_its_model_and_stands_in_the_address(visit):
    visitor = visit()
    page = visitor.open("tab=directions&label=one")
    name = page.locator(".names input").nth(1)
    name.fill("Slant, mostly")
    address = visitor.address("names=sefa.2:Slant")
    assert page.locator("#directions-way-1").get_attribute("aria-label") == "Slant  mostly"
    page.locator("[data-models]").select_option("second")
    assert name.input_value() == ""
    assert "names" not in visitor.address("model=second", "label=Ankle")
    page.locator("[data-models]").select_option("first")
    assert name.input_value() == "Slant  mostly"
    other = visit().open(address.partition("?")[2])
    assert other.locator(".names input").nth(1).input_value() == "Slant  mostly"


def test_one_layer_at_least_feels_the_move(visit):
    visitor = visit()
    page = visitor.open("tab=directions&label=one&moves=2")
    for layer in range(3):
        page.locator(".readers .chip").nth(layer).click()
    visitor.wait_for("direction.png?seed=1&label=one&moves=2&layers=2")
    page.locator("[data-still]").click()
    visitor.wait_for("direction.png?seed=1&label=one")
