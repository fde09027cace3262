"""A picture drawn, its noise and label found, the label changed: on a desktop and on a phone."""

from __future__ import annotations

import httpx
import pytest

from tests.browser.test_tabs import SIZES

pytestmark = pytest.mark.browser
FORM = 'form[data-tab="invert"]'
SEVEN = ((0.25, 0.2), (0.75, 0.2), (0.45, 0.85))
OTHER = {"desktop": "phone", "phone": "desktop"}


def draw(page, *places: tuple[float, float]) -> None:
    """A stroke on the pad, places as shares of its width and height."""
    canvas = page.locator(f"{FORM} .slate canvas")
    canvas.evaluate("canvas => canvas.scrollIntoView({ block: 'end' })")  # not behind a phone's stage
    box = canvas.bounding_box()
    points = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in places]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=8)
    page.mouse.up()


def found(visitor) -> dict:
    """What the search for the address's drawing finds, once the page tells it."""
    page = visitor.page
    asked = {k: v for k, v in httpx.URL(page.url).params.items() if k in ("model", "drawn", "seek", "label")}
    told = httpx.get(f"{visitor.site}/inversion.json", params=asked, timeout=60).raise_for_status().json()
    last = told["path"][-1]
    page.wait_for_function(
        "([form, raw]) => [...document.querySelectorAll(`${form} .searched img`)].at(-1)?.src.includes(raw)",
        arg=[FORM, last["raw"]],
        timeout=20_000,
    )
    return told


@SIZES
def test_a_drawing_is_found_and_its_label_changed(visit, forms, size):
    visitor = visit(size, forms)
    page = visitor.open("tab=invert&model=judged")
    assert page.locator(f"{FORM} .starts button").count() == 8, "real pictures to start from"
    assert "real training picture" in page.locator(f"{FORM} .starts .note").inner_text()
    page.locator(f"{FORM} [data-clear]").click()
    page.wait_for_function("!location.search.includes('drawn')")
    assert page.locator(f"{FORM} .reading").inner_text() == "Draw something."
    draw(page, *SEVEN)
    visitor.address("drawn=")
    page.wait_for_timeout(600)  # until the hand has rested
    told = found(visitor)
    last = told["path"][-1]
    label, raw = last["values"]["label"], last["raw"]
    visitor.wait_for(f"frame.png?model=judged&label={label}&raw={raw}")
    words = page.locator(f"{FORM} .reading").inner_text()
    assert words.startswith(f"Found: {label}, {100 * last['error']:.1f}\u00a0% away")
    steps = page.locator(f"{FORM} .searched figcaption").all_inner_texts()
    assert steps == ["First guess", *(f"Step {moment['step']}" for moment in told["path"][1:])]
    row = page.locator(f"{FORM} .relabelled button")
    assert row.all_inner_texts() == list("0123456789")
    assert page.locator(f"{FORM} .relabelled .own").inner_text() == label
    first, second = (row.nth(place).bounding_box() for place in (0, 1))
    image = page.locator(f"{FORM} .relabelled img").bounding_box()
    assert first["x"] == pytest.approx(image["x"], abs=1)
    assert second["x"] - first["x"] == pytest.approx(image["width"] / 10, abs=1), "a picture each"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    other = "3" if label != "3" else "4"
    row.nth(int(other)).click()
    visitor.address("tab=generate", f"label={other}")
    visitor.wait_for(f"frame.png?model=judged&label={other}&raw={raw}")


@SIZES
def test_the_address_of_a_search_shows_the_same_picture_elsewhere(visit, forms, size):
    visitor = visit(size, forms)
    page = visitor.open("tab=invert&model=judged")
    page.locator(f"{FORM} .starts button").nth(3).click()
    visitor.address("drawn=")
    page.locator(f"{FORM} .chip", has_text="Noise").last.click()
    page.locator(f'{FORM} [name="label"]').last.evaluate("field => field.scrollIntoView()")
    address = visitor.address("seek=noise")
    page.wait_for_timeout(600)
    last = found(visitor)["path"][-1]
    picture = visitor.wait_for(f"frame.png?model=judged&label={last['values']['label']}&raw={last['raw']}")
    again = visit(OTHER[size], forms)
    again.open(address.split("?", 1)[1])
    found(again)
    assert (
        again.wait_for(f"frame.png?model=judged&label={last['values']['label']}&raw={last['raw']}") == picture
    )


def test_the_first_stroke_takes_the_place_of_the_sample(visit, forms):
    page = (visitor := visit("desktop", forms)).open("tab=invert&model=judged")
    visitor.address("drawn=")
    shown = "document.querySelector('form[data-tab=invert] .slate canvas').toDataURL()"
    sample = page.evaluate(shown)
    draw(page, *SEVEN)
    page.wait_for_function(f"{shown} !== '{sample}'")
    stroke = page.evaluate(shown)
    page.locator(f"{FORM} [data-clear]").click()
    draw(page, *SEVEN)
    page.wait_for_function(f"{shown} === '{stroke}'")
    for _ in range(4):
        page.locator(f"{FORM} [data-undo]").click()
    page.wait_for_function(f"{shown} === '{sample}'")


@SIZES
@pytest.mark.parametrize("model", ["attributes", "text", "mask", "image"])
def test_other_conditions_are_kept_and_the_noise_is_sought(visit, forms, size, model):
    visitor = visit(size, forms)
    page = visitor.open(f"tab=invert&model={model}")
    page.wait_for_selector(f"{FORM} .searched img")
    assert "model’s own pictures" in page.locator(f"{FORM} .starts .note").inner_text()
    words = page.locator(f"{FORM} .reading").inner_text()
    assert words.startswith("Found a noise whose picture is")
    assert page.locator(f"{FORM} .kept h2").inner_text() == "Keep this noise, ask for something else"
    before = page.locator(f"{FORM} .searched img").last.get_attribute("src")
    page.locator(f"{FORM} .starts button").nth(5).click()
    page.wait_for_function(
        "([form, old]) => ![old, undefined].includes("
        "[...document.querySelectorAll(`${form} .searched img`)].at(-1)?.getAttribute('src'))",
        arg=[FORM, before],
    )
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_until_something_is_found_the_stage_shows_what_is_sought(visit, forms):
    visitor = visit(at=forms)
    page = visitor.open("tab=conditioning&model=judged")
    held = []
    page.route("**/inversion.json*", lambda each: held.append(each))
    page.locator("#tab-invert").click()
    target = page.locator(".stage .target")
    target.locator("canvas").wait_for()
    assert target.inner_text() == "Searching …"
    assert page.locator(".frame img").count() == 0, "a grid is no answer to it"
    pixels = "canvas => Array.from(canvas.getContext('2d').getImageData(0, 0, 28, 28).data)"
    page.wait_for_function("() => document.querySelector('.stage .target canvas').width === 28")
    drawn = page.locator(f"{FORM} .slate canvas").first.evaluate(pixels)
    assert target.locator("canvas").evaluate(pixels) == drawn
    for each in held:
        each.continue_()
    page.wait_for_selector(".frame img")
    assert target.is_hidden()


def test_generates_picture_is_taken(visit, forms):
    visitor = visit(at=forms)
    page = visitor.open("tab=generate&model=judged&seed=5&label=4")
    page.locator("#tab-invert").click()
    page.wait_for_selector(f"{FORM} .searched img")
    before = page.url
    page.locator(f"{FORM} [data-stage]").click()
    page.wait_for_function("old => location.href !== old", arg=before)
    page.wait_for_timeout(400)
    told = found(visitor)
    assert told["path"][-1]["error"] < told["random"]


def test_a_server_that_is_gone_is_told_and_asked_again(visit, forms):
    visitor = visit(at=forms)
    page = visitor.open("tab=invert&model=judged")
    page.wait_for_selector(f"{FORM} .searched img")
    page.route("**/inversion.json*", lambda route: route.abort())
    draw(page, *SEVEN)
    page.wait_for_function(
        "form => document.querySelector(`${form} .reading`).textContent.includes('just now')", arg=FORM
    )
    page.unroute("**/inversion.json*")
    draw(page, (0.3, 0.5), (0.7, 0.5))
    page.wait_for_function(
        "form => document.querySelector(`${form} .reading`).textContent.startsWith('Found')", arg=FORM
    )
    visitor.complaints.clear()
