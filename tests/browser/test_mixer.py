"""Labels mixed by faders, in the triangle, by presets and keys."""

from __future__ import annotations

import httpx
import pytest

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_mixer(visit, site, size):
    visitor = visit(size)
    page = visitor.open("tab=mixer")
    visitor.wait_for("frame.png?seed=1&label=zero:0.5,two:0.5")
    page.locator("#mixer-weight-1").fill("0.25")
    visitor.wait_for("frame.png?seed=1&label=zero:0.5,one:0.25,two:0.5")
    assert page.locator(".faders output").all_inner_texts() == ["40\u00a0%", "20\u00a0%", "40\u00a0%"]
    page.locator("#mixer-strength").fill("2")
    visitor.wait_for("frame.png?seed=1&label=zero:0.5,one:0.25,two:0.5&strength=2")
    page.locator(".presets button", has_text="All alike").click()
    visitor.wait_for("frame.png?seed=1&label=zero:1,one:1,two:1&strength=2")
    face = page.locator('[data-corner="1"] img').evaluate("image => image.src")
    expected = httpx.get(f"{site}/frame.png?seed=1&label=two&strength=2").content
    assert httpx.get(face).content == expected
    box = page.locator(".triangle path").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    visitor.wait_for("frame.png?seed=1&label=zero:0.5,one:0.25,two:0.25&strength=2")
    page.keyboard.press("ArrowUp")
    visitor.wait_for("frame.png?seed=1&label=zero:0.52,one:0.24,two:0.24&strength=2")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_last_fader_up_stays_up(visit):
    visitor = visit()
    page = visitor.open("tab=mixer&label=one")
    page.locator("#mixer-weight-1").fill("0")
    visitor.wait_for("frame.png?seed=1&label=one")
    assert page.locator(".faders output").all_inner_texts() == ["0\u00a0%", "100\u00a0%", "0\u00a0%"]


def test_corners_change_places_and_another_model_begins_anew(visit):
    visitor = visit()
    page = visitor.open("tab=mixer&label=zero:1,one:3")
    page.locator('[data-corner="0"] select').select_option("1")
    visitor.address("corners=1,2,0", "label=zero:1,one:3")
    page.locator("[data-models]").select_option("second")
    visitor.wait_for("frame.png?model=second&seed=1&label=Ankle boot:0.5,Bag:0.5")
    assert "corners" not in visitor.address("model=second", "label=Ankle")
    assert page.locator(".faders label").all_inner_texts() == ["Ankle boot", "T-shirt/top", "Bag"]


def test_a_surprise_and_a_new_beginning_leave_the_mixture(visit, forms):
    visitor = visit(at=forms)
    page = visitor.open("tab=mixer&model=attributes")
    page.locator("#mixer-weight-0").fill("0.7")
    mixture = next(part for part in visitor.address(":0.7").split("&") if ":0.7" in part)
    for mark in ("surprise", "plainly"):
        page.locator(f"#form-mixer [data-{mark}]").click()
        page.wait_for_timeout(400)
        assert mixture in page.url


def test_an_address_that_mixes_no_field_still_shows_its_picture(visit, forms):
    page = visit(at=forms).open("tab=mixer&model=attributes&mixed=hat%22")
    assert page.locator("#mixer-mixed").input_value() == 'hat"'
    assert page.locator(".mixing").is_hidden()
