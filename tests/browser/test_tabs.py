"""Every tab used, on a desktop and on a phone."""

from __future__ import annotations

import io

import httpx
import pytest
from PIL import Image

from cgan.ui.tabs import TABS

pytestmark = pytest.mark.browser
SIZES = pytest.mark.parametrize("size", ["desktop", "phone"])


def choose(page, name: str, value: str) -> None:
    """Press the chip of that value."""
    page.locator(f'[role="tabpanel"]:not([hidden]) .chip:has(input[name="{name}"][value="{value}"])').click()


@SIZES
def test_generate(visit, size):
    visitor = visit(size)
    page = visitor.open("seed=1")
    choose(page, "label", "two")
    visitor.wait_for("frame.png?seed=1&label=two")
    page.locator("#generate-count").fill("9")
    visitor.wait_for("frame.png?seed=1&label=two&count=9")
    page.locator("#generate-psi").fill("0.4")
    choose(page, "noise", "components")
    assert page.locator("#generate-z-0").is_hidden()
    page.locator("#generate-raw-2").fill("-1.5")
    visitor.wait_for("frame.png?seed=1&label=two&count=9&psi=0.4&raw=2:-1.5")
    page.locator("[data-reset]").click()
    visitor.wait_for("frame.png?seed=1&label=two&count=9")
    page.locator('[role="tabpanel"]:not([hidden]) [data-dice]').click()
    seed = page.locator("#generate-seed").input_value()
    visitor.wait_for(f"frame.png?seed={seed}&label=two&count=9")


def test_a_noise_of_one_s_own_goes_with_a_new_seed(visit):
    visitor = visit()
    raw = ",".join(f"{index}:0.5" for index in range(5))
    page = visitor.open(f"seed=1&label=two&raw={raw}")
    visitor.wait_for(f"frame.png?seed=1&label=two&raw={raw}")
    assert page.locator(".noises").is_hidden(), "they would all be this one"
    page.locator('[role="tabpanel"]:not([hidden]) [data-dice]').click()
    visitor.wait_for(f"frame.png?seed={page.locator('#generate-seed').input_value()}&label=two")
    assert page.locator(".noises").is_visible()


@SIZES
def test_interpolate(visit, site, size):
    visitor = visit(size)
    page = visitor.open("tab=interpolate&seed=3&label=one&seed2=9&label2=zero&t=0")
    visitor.wait_for("frame.png?seed=3&label=one")
    page.locator("#interpolate-t").fill("0.25")
    choose(page, "mode", "lerp")
    visitor.wait_for("frame.png?seed=3&label=one&seed2=9&label2=zero&t=0.25&mode=lerp")
    for selector, path in (
        (".thumb[data-end=''] img", "frame.png?seed=3&label=one"),
        (".thumb[data-end='2'] img", "frame.png?seed=9&label=zero"),
        ("#panel-interpolate .film img", "strip.png?seed=3&label=one&seed2=9&label2=zero&mode=lerp&steps=9"),
    ):
        shown = httpx.get(page.locator(selector).evaluate("image => image.src")).content
        assert shown == httpx.get(f"{site}/{path}").content, selector
    film = page.locator("#panel-interpolate .film").bounding_box()
    page.locator("#panel-interpolate .film").click(position={"x": film["width"] - 3, "y": 5})
    visitor.wait_for("frame.png?seed=9&label=zero")
    for mark, kind in (("gif", "GIF"), ("strip", "PNG")):
        with page.expect_download() as download:
            page.locator(f"#panel-interpolate [data-{mark}]").click()
        with Image.open(download.value.path()) as saved:
            assert saved.format == kind


def test_playing_moves_until_it_is_paused(visit):
    page = visit().open("tab=interpolate&seed=3&label=one&seed2=9&label2=zero&t=0.5")
    slider, play = page.locator("#interpolate-t"), page.locator("#panel-interpolate [data-play]")
    play.click()
    assert play.inner_text().strip() == "Pause"
    page.wait_for_function("document.querySelector('#interpolate-t').value !== '0.5'")
    play.click()
    assert play.inner_text().strip() == "Play"
    page.wait_for_timeout(50)
    value = slider.input_value()
    page.wait_for_timeout(200)
    assert slider.input_value() == value


@SIZES
def test_a_cell_of_the_grid_is_taken_to_generate(visit, site, size):
    visitor = visit(size)
    page = visitor.open("tab=conditioning&seed=5&rows=4")
    grid = visitor.wait_for("grid.png?seed=5&rows=4")
    assert page.locator(".across").inner_text().split() == ["zero", "one", "two"]
    assert page.locator(".down").inner_text().split() == ["1", "2", "3", "4"]
    page.locator(".cells button").nth(2 * 3 + 1).click()
    one = Image.open(io.BytesIO(visitor.wait_for("frame.png?seed=5&label=one&first=2")))
    pitch = one.width + 1
    cell = Image.open(io.BytesIO(grid)).crop((pitch, 2 * pitch, pitch + one.width, 2 * pitch + one.height))
    assert cell.tobytes() == one.tobytes()
    visitor.address("tab=generate", "first=2")
    page.locator("[data-first]").click()
    visitor.wait_for("frame.png?seed=5&label=one")


def test_the_grid_turns_and_is_walked_by_keys(visit):
    visitor = visit()
    page = visitor.open("tab=conditioning&seed=5&rows=4")
    page.locator("#panel-conditioning .switch").click()
    visitor.wait_for("grid.png?seed=5&rows=4&transpose=1")
    assert page.locator(".down").inner_text().split() == ["zero", "one", "two"]
    page.locator(".cells button").first.focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowLeft", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    visitor.wait_for("frame.png?seed=5&label=two&first=1")


def test_tabs_are_reached_by_keys_and_keep_their_state(visit):
    visitor = visit()
    page = visitor.open("seed=4&label=one")
    page.locator("#tab-generate").focus()
    page.keyboard.press("ArrowRight")
    visitor.wait_for("frame.png?seed=1&label=zero&seed2=2&label2=two&t=0.5")
    page.keyboard.press("ArrowLeft")
    visitor.wait_for("frame.png?seed=4&label=one")
    assert page.evaluate("document.activeElement.id") == "tab-generate"
    first, *_, last = page.locator('[role="tab"]').all()
    for key, tab in (("Home", first), ("ArrowLeft", last), ("ArrowRight", first), ("End", last)):
        page.keyboard.press(key)
        assert tab.evaluate("tab => tab === document.activeElement && tab.ariaSelected === 'true'"), key


def test_another_model_brings_its_own_labels(visit):
    visitor = visit()
    page = visitor.open("seed=4&label=one&z=1")
    page.locator("[data-models]").select_option("second")
    visitor.wait_for("frame.png?model=second&seed=4&label=Ankle boot")
    choose(page, "label", "Bag")
    visitor.wait_for("frame.png?model=second&seed=4&label=Bag")
    visitor.address("model=second")
    page.locator("#tab-interpolate").click()
    page.locator("#interpolate-label2").select_option("T-shirt/top")
    visitor.wait_for("frame.png?model=second&seed=1&label=Ankle boot&seed2=2&label2=T-shirt/top&t=0.5")


@SIZES
def test_the_model_card(visit, size):
    visitor = visit(size)
    page = visitor.open("tab=card")
    visitor.wait_for("grid.png?rows=10")
    card = page.locator(".card")
    words = card.inner_text()
    for part in (
        "87.50\u00a0%",
        "recall is 80\u00a0%",
        "our-features",
        "neither is the usual FID",
        "--preset tiny",
        "--preset tinier",
    ):
        assert part in words
    row = card.locator(".figures tbody tr", has_text="Obedience").inner_text().split()
    assert row == ["Obedience", "↑", "92.50", "%", "±", "1.25", "%", "87.50", "%"]
    assert card.locator(".figures tbody tr", has_text="Usefulness").count() == 0, "it was not measured"
    cells = card.locator(".confusion tbody td")
    assert cells.all_inner_texts() == ["100", "", "", "", "90.0", "10.0", "12.5", "", "87.5"]
    cells.nth(5).click()
    assert card.locator(".reading").inner_text() == "Asked for one, read as two: 10.00\u00a0%"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    assert card.locator(".reading").inner_text() == "Asked for two, read as one: 0.00\u00a0%"
    labels = [chart.get_attribute("aria-label") for chart in card.locator("svg").all()]
    assert labels == [
        "Obedience ↑ from 50.00\u00a0% to 90.00\u00a0% after 3 thousand training pictures",
        "Fréchet distance over the real floor from 90 to 4 after 3 thousand training pictures",
    ]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    left = [each.bounding_box()["x"] for each in card.locator("dd").all()]
    assert left == [left[0]] * len(left)
    card.locator("dl").scroll_into_view_if_needed()
    stays = page.locator(".frame img").bounding_box()["y"] >= 0
    assert stays == (size == "desktop"), "the samples stay where there is room beside the card"
    page.locator("[data-models]").select_option("second")
    visitor.wait_for("grid.png?model=second&rows=10")
    assert "has not been measured" in card.inner_text()
    assert card.locator("table, svg").count() == 0


def test_strength_is_a_slider_where_the_picture_follows_it(visit):
    visitor = visit()
    page = visitor.open("seed=1&label=one")
    page.locator("#generate-strength").fill("2.5")
    visitor.wait_for("frame.png?seed=1&label=one&strength=2.5")
    page.locator("#tab-conditioning").click()
    page.locator("#conditioning-strength").fill("-0.5")
    visitor.wait_for("grid.png?seed=1&rows=5&strength=-0.5")


@SIZES
@pytest.mark.parametrize(
    ("tab", "awaited", "comes"),
    [
        ("critic", "ranking.json", '.ranked[data-end="worst"] small:not(:empty)'),
        ("critic", "score.json", ".scale svg"),
        ("invert", "inversion.json", ".searched img"),
        ("invert", "starts.json", ".starts canvas"),
    ],
)
def test_what_is_awaited_has_its_place(visit, forms, size, tab, awaited, comes):
    page = visit(size, forms).page
    held = []
    page.route(f"**/{awaited}*", lambda each: held.append(each))
    with page.expect_request(f"**/{awaited}*"):
        page.goto(f"{forms}/?tab={tab}&model=judged")
    page.wait_for_timeout(1500)  # for what comes without it
    end = page.locator(f"#panel-{tab} .row").last
    before = end.bounding_box()
    for each in held:
        each.continue_()
    page.wait_for_selector(f"#panel-{tab} {comes}")
    assert end.bounding_box() == before


OUTSIDE = """() => ["shown", "panel"].flatMap((part) => {
    const column = document.querySelector(`.explorer .${part}`);
    const right = column.getBoundingClientRect().right + 1;
    const parts = [...column.querySelectorAll("button, input, select, output, canvas, p, label, legend")];
    return parts.filter((each) => each.checkVisibility() && each.getBoundingClientRect().right > right)
        .map((each) => `${part}: ${each.outerHTML.slice(0, 200)}`);
})"""


@pytest.mark.parametrize("width", [870, 1000, 1180])
def test_between_phone_and_wide_desktop_there_is_room_for_everything(visit, forms, width):
    page = visit(at=forms).open("model=attributes")
    page.set_viewport_size({"width": width, "height": 800})
    for name in TABS:
        page.locator(f"#tab-{name}").click()
        panel = page.locator(".explorer .panel").bounding_box()
        assert panel["width"] > 0.45 * width, name
        assert page.evaluate(OUTSIDE) == [], name
