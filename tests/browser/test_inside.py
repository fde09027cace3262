"""Look inside, on a desktop and on a phone."""

from __future__ import annotations

import httpx
import pytest

from tests.browser.test_tabs import SIZES

pytestmark = pytest.mark.browser


@SIZES
def test_channels_are_switched_off_and_on(visit, site, size):
    visitor = visit(size)
    page = visitor.open("tab=inside&seed=5&label=two&block=0")
    whole = visitor.wait_for("frame.png?seed=5&label=two")
    order = httpx.get(f"{site}/levels.json").json()["channels"]
    tiles = page.locator(".channels button")
    assert tiles.count() == 4
    tiles.nth(1).click()
    visitor.wait_for(f"dissected.png?seed=5&label=two&off=0:{order[0][1]}")
    assert tiles.nth(1).get_attribute("aria-checked") == "false"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    both = f"off=0:{order[0][1]},0:{order[0][2]}"
    assert visitor.wait_for(f"dissected.png?seed=5&label=two&{both}") != whole
    visitor.address("block=0", both)
    page.locator(".anatomy [data-level='1']").click()
    tiles.nth(0).click()
    both += f",1:{order[1][0]}"
    visitor.wait_for(f"dissected.png?seed=5&label=two&{both}")
    page.wait_for_function("document.querySelector('.features img').src.includes('block=1')")
    shown = httpx.get(page.locator(".features img").evaluate("image => image.src")).content
    assert shown == httpx.get(f"{site}/features.png?seed=5&label=two&{both}&block=1").content
    assert page.locator(".anatomy .lost").all_text_contents()[:2] == ["−2", "−1"]
    page.locator("[data-all]").click()
    assert visitor.wait_for("dissected.png?seed=5&label=two") == whole
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_sweep_of_the_mouse_switches_every_tile_on_its_way(visit, site):
    visitor = visit()
    page = visitor.open("tab=inside&seed=5&label=two&block=0")
    page.wait_for_selector(".channels button")
    order = httpx.get(f"{site}/levels.json").json()["channels"][0]
    boxes = [tile.bounding_box() for tile in page.locator(".channels button").all()]
    places = [(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) for box in boxes]
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[2], steps=8)
    page.mouse.up()
    off = ",".join(f"0:{channel}" for channel in order[:3])
    visitor.wait_for(f"dissected.png?seed=5&label=two&off={off}")
    page.mouse.move(*places[3])
    page.mouse.down(button="right")
    page.mouse.up(button="right")
    page.wait_for_timeout(100)
    assert page.locator('.channels [aria-checked="false"]').count() == 3


def test_the_parts_are_chosen_by_keys_and_generates_picture_is_taken(visit):
    visitor = visit()
    page = visitor.open("seed=9&label=one&z=1.5&psi=0.5")
    page.locator("#tab-inside").click()
    page.locator(".anatomy [data-level='1']").focus()
    page.keyboard.press("ArrowLeft")
    visitor.address("block=0")
    assert page.evaluate("document.activeElement.dataset.level") == "0"
    page.locator('form[data-tab="inside"] [data-carry]').click()
    visitor.wait_for("frame.png?seed=9&label=one&z=1.5&psi=0.5")
    visitor.address("tab=inside", "block=0", "z=1.5")
