"""The discriminator's opinion, on a desktop and on a phone."""

from __future__ import annotations

import json

import httpx
import numpy as np
import pytest

from cgan.conditions.pictures import to_text
from cgan.ui.pictures import png
from tests.browser.test_tabs import SIZES
from tests.test_conditions import SIZE, TARGETS

pytestmark = pytest.mark.browser
READING = 'form[data-tab="critic"] .opinion .reading'


def says(page, selector: str, logit: float) -> None:
    """Wait until that score is told there."""
    written = f"{logit:.2f}".replace("-", "−")
    page.wait_for_function(
        "([selector, text]) => document.querySelector(selector).textContent.includes(text)",
        arg=[selector, written],
    )


@SIZES
def test_scores_of_the_picture_and_of_the_best_and_the_worst(visit, site, size):
    visitor = visit(size)
    page = visitor.open("tab=critic&seed=5&label=two")
    visitor.wait_for("frame.png?seed=5&label=two")
    says(page, READING, httpx.get(f"{site}/score.json?seed=5&label=two").json()["logit"])
    page.locator("#critic-label").select_option("one")
    says(page, READING, httpx.get(f"{site}/score.json?seed=5&label=one").json()["logit"])
    ranking = httpx.get(f"{site}/ranking.json?seed=5&label=one").json()
    worst = ranking["order"][-1]
    page.locator(f'.ranked[data-end="worst"] button[data-index="{worst}"]').click()
    visitor.wait_for(f"frame.png?seed=5&label=one&first={worst}")
    says(page, READING, ranking["logits"][worst])
    visitor.address("tab=critic", f"first={worst}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator('form[data-tab="critic"] [data-open]').click()
    visitor.address("tab=generate", f"first={worst}")
    visitor.wait_for(f"frame.png?seed=5&label=one&first={worst}")


@SIZES
def test_what_is_drawn_is_judged_and_stands_in_the_address(visit, site, size):
    visitor = visit(size)
    page = visitor.open("tab=critic&seed=5&label=two")
    canvas = page.locator(".freehand canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] * 0.5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + box["height"] * 0.5, steps=6)
    page.mouse.up()
    visitor.address("drawn=")
    page.wait_for_timeout(600)  # until the hand has rested
    address = page.url
    drawn = httpx.URL(address).params["drawn"]
    logit = httpx.get(f"{site}/score.json?label=two&drawn={drawn}").json()["logit"]
    says(page, ".freehand .reading", logit)
    again = visit("phone" if size == "desktop" else "desktop")
    says(again.open(address.split("?", 1)[1]), ".freehand .reading", logit)
    page.locator(".freehand [data-clear]").click()
    page.wait_for_function("!location.search.includes('drawn')")
    assert page.locator(".freehand .reading").inner_text() == ""


def test_an_empty_pad_is_not_judged_and_back_keeps_what_was_drawn(visit):
    visitor = visit()
    page = visitor.open("tab=critic&seed=5&label=two")
    wide = page.locator(".freehand input[type=range]")
    usual = wide.input_value()
    wide.fill("9")
    wide.dblclick()
    assert wide.input_value() == usual
    page.locator("#tab-generate").click()
    page.locator("#tab-critic").click()
    page.locator(".freehand canvas").scroll_into_view_if_needed()
    box = page.locator(".freehand canvas").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] * 0.5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + box["height"] * 0.5, steps=6)
    page.mouse.up()
    visitor.address("drawn=")
    page.locator(".freehand [data-undo]").click()
    page.wait_for_function("!location.search.includes('drawn')")
    assert page.locator(".freehand .reading").inner_text() == ""
    page.locator(".freehand [data-redo]").click()
    drawn = httpx.URL(visitor.address("drawn=")).params["drawn"]
    page.wait_for_timeout(300)  # until the hand has rested
    page.go_back()
    page.go_back()
    page.wait_for_function("!location.search.includes('drawn')")
    page.locator(".freehand [data-undo]").click()
    assert httpx.URL(visitor.address("drawn=")).params["drawn"] == drawn


def test_the_stages_picture_is_drawn_on(visit, site):
    visitor = visit()
    page = visitor.open("tab=critic&seed=5&label=two")
    page.locator(".freehand [data-stage]").click()
    visitor.address("drawn=")
    logit = httpx.get(f"{site}/score.json?seed=5&label=two").json()["logit"]
    says(page, ".freehand .reading", logit)


def test_the_heat_lies_over_the_picture(visit, site):
    visitor = visit()
    page = visitor.open("tab=critic&seed=5&label=two")
    assert page.locator(".box > .heat").is_hidden()
    page.locator('form[data-tab="critic"] .switch').click()
    page.wait_for_selector(".box > .heat img")
    shown = httpx.get(page.locator(".box > .heat img").evaluate("image => image.src")).content
    assert shown == httpx.get(f"{site}/raising.png?seed=5&label=two").content
    visitor.address("heat=1")
    over, under = (page.locator(each).bounding_box() for each in (".box > .heat img", ".frame img"))
    assert over == pytest.approx(under, abs=1)
    page.locator('form[data-tab="critic"] .switch').click()
    assert page.locator(".box > .heat img").count() == 0, "it would lie over the next picture"
    page.locator('form[data-tab="critic"] .switch').click()
    page.wait_for_selector(".box > .heat img")
    page.locator("#tab-generate").click()
    assert page.locator(".box > .heat").is_hidden()


def test_back_at_a_model_its_scores_are_told_again(visit, site):
    page = visit().open("tab=critic&seed=5&label=two")
    logit = httpx.get(f"{site}/score.json?seed=5&label=two").json()["logit"]
    best = page.locator('.ranked[data-end="best"] button:not([hidden]) small').first
    for _ in range(2):
        says(page, READING, logit)
        page.wait_for_function("button => button.textContent", arg=best.element_handle())
        page.locator("[data-models]").select_option("second")
        page.locator("[data-models]").select_option("first")
        page.locator("#critic-label").select_option("two")


def test_scores_stand_under_the_pictures_that_they_are_of(visit, site):
    page = visit().open("tab=critic&seed=5&label=two")
    row = page.locator('.ranked[data-end="best"]')
    sheet = "row => getComputedStyle(row).getPropertyValue('--sheet')"
    page.wait_for_function(f"row => ({sheet})(row).includes('seed=5')", arg=row.element_handle())
    held = []
    page.route("**/ranking.json*", lambda each: held.append(each))
    for seed in (6, 7):
        page.locator("#critic-seed").fill(str(seed))
        page.wait_for_timeout(400)  # until the hand has rested
    (late,) = held
    late.continue_()
    page.wait_for_function(f"row => ({sheet})(row).includes('seed=6')", arg=row.element_handle())
    ranking = httpx.get(f"{site}/ranking.json?seed=6&label=two").json()
    score = row.locator("small").first.inner_text().replace("−", "-")
    assert float(score) == pytest.approx(ranking["logits"][ranking["order"][0]], abs=0.006)
    while len(held) < 2:
        page.wait_for_timeout(20)
    held[1].continue_()
    page.wait_for_function(f"row => ({sheet})(row).includes('seed=7')", arg=row.element_handle())


def test_a_score_that_did_not_come_is_asked_for_again(visit, site):
    visitor = visit()
    page = visitor.page
    answers = iter([503])

    def answer(route):
        status = next(answers, None)
        route.fulfill(status=status) if status else route.continue_()

    page.route("**/score.json*", answer)
    visitor.open("tab=critic&seed=5&label=two")
    says(page, READING, httpx.get(f"{site}/score.json?seed=5&label=two").json()["logit"])
    visitor.complaints.clear()


def test_another_models_pad_has_its_own_size(visit):
    visitor = visit()
    page = visitor.open("tab=critic&seed=5&label=two")
    page.locator("[data-models]").select_option("second")
    visitor.wait_for("frame.png?model=second&seed=5&label=Ankle boot")
    assert page.locator(".freehand canvas").count() == 1
    assert page.locator(".freehand .heat").count() == 1
    assert page.locator(".freehand canvas").evaluate("canvas => canvas.width") == 8


def test_a_real_picture_goes_to_the_pad(visit, forms):
    visitor = visit(at=forms)
    page = visitor.open("tab=critic&model=judged&seed=5&label=4")
    found = httpx.get(f"{forms}/real.json?model=judged&seed=5&label=4").json()
    assert len(found["logits"]) == 8
    page.locator('.ranked[data-end="real"] button[data-index="3"]').click()
    visitor.address(f"drawn={found['pictures'][3]}", "label=4")
    says(page, ".freehand .reading", found["logits"][3])
    assert page.locator("[data-ticks]").is_visible()


def test_a_real_picture_brings_its_map_along(visit, forms):
    """The tiny model has no real pictures; these stand in for them."""
    visitor = visit(at=forms)
    row = png(np.full((SIZE, 3 * SIZE, 1), 90, np.uint8))
    asked, shown = (to_text(ids.numpy()) for ids in TARGETS["mask"][:2])
    assert asked != shown
    found = {
        "logits": [0.5, -1.0],
        "pictures": [to_text(np.full((SIZE, SIZE), k, np.uint8)) for k in (9, 90)],
    }
    answer = json.dumps(found | {"shown": [{"mask": asked}, {"mask": shown}]})
    visitor.page.route("**/real.json*", lambda route: route.fulfill(body=answer))
    visitor.page.route("**/real.png*", lambda route: route.fulfill(body=row, content_type="image/png"))
    page = visitor.open(f"tab=critic&model=mask&seed=5&mask={asked}")
    page.locator('.ranked[data-end="real"] button[data-index="1"]').click()
    visitor.address(f"drawn={found['pictures'][1]}", f"mask={shown}")
    visitor.wait_for(f"frame.png?model=mask&seed=5&mask={shown}")
    query = f"model=mask&mask={shown}&drawn={found['pictures'][1]}"
    says(page, ".freehand .reading", httpx.get(f"{forms}/score.json?{query}").json()["logit"])
