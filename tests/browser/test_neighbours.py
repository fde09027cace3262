"""The nearest real pictures in the page, on a desktop and on a phone."""

from __future__ import annotations

import httpx
import pytest

from tests.browser.test_tabs import SIZES

pytestmark = pytest.mark.browser
FORM = 'form[data-tab="neighbours"]'


def told(visitor, query: str) -> dict:
    """What the route tells of that picture, once the page shows its pictures and says it."""
    page = visitor.page
    found = httpx.get(f"{visitor.site}/neighbours.json?{query}", timeout=60).raise_for_status().json()
    distance = f"at {found['rows'][0]['distance']:.2f}"
    page.wait_for_function(
        "([form, words]) => document.querySelector(`${form} .reading`).textContent.includes(words)",
        arg=[FORM, distance],
        timeout=20_000,
    )
    expected = httpx.get(f"{visitor.site}/neighbours.png?{query}").raise_for_status().content
    page.wait_for_function(
        "([form, query]) => [...new URLSearchParams(query)].every(([key, value]) => new URL(document"
        ".querySelector(`${form} .film img`).src).searchParams.get(key) === value)",
        arg=[FORM, query],
    )
    shown = httpx.get(page.locator(f"{FORM} .film img").evaluate("image => image.src")).content
    assert shown == expected
    return found


@SIZES
def test_the_nearest_real_pictures_are_shown(visit, forms, size):
    visitor = visit(size, forms)
    page = visitor.open("tab=neighbours&model=judged&seed=5&label=4")
    visitor.wait_for("frame.png?model=judged&seed=5&label=4")
    found = told(visitor, "model=judged&seed=5&label=4")
    items = page.locator(f"{FORM} ol li")
    assert [each.split() for each in items.all_inner_texts()] == [
        [row["label"], f"{row['distance']:.2f}"] for row in found["rows"]
    ]
    share = page.locator(f"{FORM} .yard").evaluate("yard => yard.style.getPropertyValue('--at')")
    assert float(share) == found["rank"]
    assert f"{found['searched']} training pictures" in page.locator(f"{FORM} .note").inner_text()
    page.locator(f"{FORM} .chip", has_text="Pixel by pixel").click()
    near = told(visitor, "model=judged&seed=5&label=4&space=pixels")
    assert near["rows"] != found["rows"]
    assert "root mean square" in page.locator(f"{FORM} .note").inner_text()
    page.locator(f"{FORM} #neighbours-seed").fill("6")
    told(visitor, "model=judged&seed=6&label=4&space=pixels")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    address = visitor.address("seed=6", "space=pixels")
    picture = visitor.wait_for("frame.png?model=judged&seed=6&label=4")
    again = visit("phone" if size == "desktop" else "desktop", forms)
    again.open(address.split("?", 1)[1])
    assert again.wait_for("frame.png?model=judged&seed=6&label=4") == picture
    told(again, "model=judged&seed=6&label=4&space=pixels")


def test_generates_picture_is_looked_up(visit, forms):
    visitor = visit(at=forms)
    page = visitor.open("tab=generate&model=judged&seed=5&label=4&z=1.5")
    page.locator("#tab-neighbours").click()
    page.locator(f"{FORM} [data-carry]").click()
    visitor.wait_for("frame.png?model=judged&seed=5&label=4&z=1.5")
    told(visitor, "model=judged&seed=5&label=4&z=1.5")


def test_generates_picture_is_the_same_with_its_strength_and_the_dice_leave_it(visit):
    visitor = visit()
    asked = "seed=5&label=two&strength=-1&z=1.5"
    page = visitor.open(f"tab=generate&{asked}")
    for tab in ("inside", "critic", "neighbours"):
        page.locator(f"#tab-{tab}").click()
        page.locator(f"#form-{tab} [data-carry]").click()
        visitor.wait_for(f"frame.png?{asked}")
    page.locator(f"{FORM} [data-dice]").click()
    visitor.wait_for(f"frame.png?seed={page.locator('#neighbours-seed').input_value()}&label=two")


def test_where_no_pictures_are_kept_it_says_so(visit):
    visitor = visit()
    page = visitor.open("tab=neighbours&seed=1&label=one")
    visitor.wait_for("frame.png?seed=1&label=one")
    page.wait_for_selector(f"{FORM} .nearest.idle")
    assert "No real pictures are kept" in page.locator(f"{FORM} .reading").inner_text()
    assert page.locator(f"{FORM} .yard").is_hidden()
    page.locator("#neighbours-seed").fill("2")
    visitor.wait_for("frame.png?seed=2&label=one")
