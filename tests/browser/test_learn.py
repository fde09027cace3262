"""Watch it learn, on a desktop and on a phone."""

from __future__ import annotations

import httpx
import pytest

from tests.browser.test_tabs import SIZES, choose

pytestmark = pytest.mark.browser


@SIZES
def test_the_training_is_scrubbed_and_played(visit, site, size):
    visitor = visit(size)
    page = visitor.open("tab=learn&seed=5&label=two")
    visitor.wait_for("snapshot.png?seed=5&snapshot=1")
    page.locator("#learn-snapshot").fill("2")
    visitor.wait_for("snapshot.png?seed=5&snapshot=2")
    choose(page, "view", "one")
    visitor.wait_for("snapshot.png?seed=5&label=two&view=one&snapshot=2")
    film = page.locator(".learned .film")
    shown = httpx.get(film.locator("img").evaluate("image => image.src")).content
    assert shown == httpx.get(f"{site}/history.png?seed=5&label=two").content
    film.click(position={"x": 4, "y": 5})
    visitor.wait_for("snapshot.png?seed=5&label=two&view=one&snapshot=0")
    page.locator('form[data-tab="learn"] [data-play]').click()
    visitor.wait_for("snapshot.png?seed=5&label=two&view=one&snapshot=3")
    visitor.address("tab=learn", "snapshot=3", "view=one", "label=two")
    assert (
        "After 3 thousand training pictures" in page.locator('form[data-tab="learn"] .reading').inner_text()
    )
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_curves_carry_a_line_where_the_snapshot_stands(visit):
    page = visit().open("tab=learn&snapshot=0")
    lines = page.locator('form[data-tab="learn"] .charts .now')
    before = [float(line.get_attribute("x1")) for line in lines.all()]
    page.locator("#learn-snapshot").fill("3")
    page.wait_for_function(
        "document.querySelector('form[data-tab=learn] .reading').textContent.includes('90.0\u00a0%')"
    )
    after = [float(line.get_attribute("x1")) for line in lines.all()]
    assert (before, after) == ([46, 46], [262, 262])


def test_the_curves_are_spaced_as_the_film_is(visit):
    page = visit().open("tab=learn&snapshot=2&lang=zh")
    charts = page.locator('form[data-tab="learn"] .charts svg')
    third = [float(line.get_attribute("x1")) for line in charts.locator(".now").all()]
    assert third == [46 + 216 * 2 / 3] * 2, "the third of four, though at a third of the way in pictures"
    ticks = charts.first.locator('text[y="155"]').all_text_contents()
    assert ticks == ["0", "500", "1000", "3000"]
    titles = charts.first.locator("circle title").all_text_contents()
    assert [title.partition(":")[0] for title in titles] == ["1000", "3000"]


def test_another_model_stops_it(visit):
    visitor = visit()
    page = visitor.open("tab=learn&snapshot=0")
    page.locator('form[data-tab="learn"] [data-play]').click()
    page.locator("[data-models]").select_option("second")
    page.wait_for_timeout(1000)
    assert page.locator("#learn-snapshot").input_value() == "0"
    assert page.locator(".warning").inner_text() == ""


def test_a_model_without_snapshots_says_so(visit):
    visitor = visit()
    page = visitor.open("tab=learn&model=second&seed=5")
    visitor.wait_for("frame.png?model=second&seed=5&label=Ankle boot")
    panel = page.locator("#panel-learn")
    assert "without snapshots" in panel.inner_text()
    assert page.locator(".learned").is_hidden()
    panel.get_by_role("button", name="Switch to first").click()
    visitor.wait_for("snapshot.png?seed=5&snapshot=1")
    assert (
        page.locator("[data-models]").evaluate("select => select === document.activeElement && select.value")
        == "first"
    )
    assert page.locator(".learned").is_visible()
    assert panel.get_by_role("button", name="Switch to").count() == 0
