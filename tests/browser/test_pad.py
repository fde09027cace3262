"""The pad moved about in: by mouse, by keys, on its grid, along its walk; a trail of where one has been."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
SEEDS = "seed=1&seed2=2&seed3=3&seed4=4"


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_pad(visit, site, size):
    visitor = visit(size)
    page = visitor.open(f"tab=pad&label=one&x=0.25&y=0.75&{SEEDS}")
    visitor.wait_for(f"pad.png?label=one&x=0.25&y=0.75&{SEEDS}")
    thumb = page.locator('.corner[data-x="1"][data-y="0"] img').evaluate("image => image.src")
    assert httpx.get(thumb).content == httpx.get(f"{site}/frame.png?seed=4&label=one").content
    square = page.locator(".square")
    square.scroll_into_view_if_needed()
    square.click(position={"x": 5, "y": 5})
    visitor.wait_for("frame.png?seed=1&label=one")
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowDown"):
        page.keyboard.press(key)
    visitor.wait_for(f"pad.png?label=one&x=0.04&y=0.9&{SEEDS}")
    assert page.locator(".trail polyline").last.get_attribute("points")
    page.locator("[data-untrace]").click()
    assert page.locator(".trail polyline").last.get_attribute("points") == ""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_over_directions_on_the_grid(visit, site):
    visitor = visit()
    page = visitor.open("tab=pad&label=two")
    page.locator('.chip:has(input[value="axes"])').click()
    page.locator("#pad-across").select_option("3")
    visitor.wait_for("pad.png?label=two&seed=1&over=axes&across=3&up=2")
    assert page.locator("#pad-seed2").is_hidden()
    whole = "pad.png?label=two&seed=1&over=axes&across=3&up=2&steps=7"
    page.locator('.map img[src*="across=3"][src*="label=two"]').wait_for()  # faint, when the hand has rested
    page.locator(".switch:has([name=snap])").click()
    shown = page.locator(".map img").evaluate("image => image.src")
    assert httpx.get(shown).content == httpx.get(f"{site}/{whole}").content
    page.locator(".square .knob").focus()
    page.keyboard.press("ArrowUp")
    visitor.wait_for("pad.png?label=two&seed=1&over=axes&across=3&up=2&y=0.667")
    again = visit()
    again.open(visitor.address("snap=1", "y=0.667").partition("?")[2])
    assert again.shown() == visitor.shown()


def test_the_walk_goes_on_until_it_is_stopped(visit):
    page = visit().open("tab=pad&label=one")
    play, place = page.locator("#panel-pad [data-play]"), page.locator("#pad-x")
    play.click()
    page.wait_for_function("document.querySelector('#pad-x').value !== '0.5'")
    page.locator("#tab-generate").click()
    page.wait_for_timeout(50)
    value = place.input_value()
    page.wait_for_timeout(200)
    assert place.input_value() == value


@pytest.mark.parametrize(("tab", "surface"), [("pad", ".square"), ("mixer", ".triangle path")])
def test_a_second_finger_does_not_move_the_knob(visit, tab, surface):
    visitor = visit("phone")
    page = visitor.open(f"tab={tab}")
    page.locator(surface).scroll_into_view_if_needed()
    box, touch = page.locator(surface).bounding_box(), page.context.new_cdp_session(page)

    def send(kind: str, *fingers: tuple[float, float]) -> None:
        points = [
            {"id": k, "x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}
            for k, (x, y) in enumerate(fingers)
        ]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    knob = page.locator(f"{surface.split()[0]} .knob")
    rest = knob.get_attribute("aria-valuetext")
    send("touchStart", (0.5, 0.6))
    expect(knob).not_to_have_attribute("aria-valuetext", rest)
    before = knob.get_attribute("aria-valuetext")
    send("touchStart", (0.5, 0.6), (0.3, 0.9))
    send("touchMove", (0.5, 0.6), (0.3, 0.8))
    page.wait_for_timeout(300)
    assert knob.get_attribute("aria-valuetext") == before
    send("touchMove", (0.5, 0.7), (0.3, 0.8))
    expect(knob).not_to_have_attribute("aria-valuetext", before)
