"""The bundled study in the page: chosen, compared, kept in the address."""

from __future__ import annotations

import httpx
import pytest

from cgan.study.bundled import BundledStudy
from cgan.study.docs import verdict
from cgan.ui.tabs.compare import MOST, first_choice

pytestmark = pytest.mark.browser
STUDY = BundledStudy()
DRAWN = [name for name, row in STUDY.rows.items() if row["picture"] and row["figures"]]


def titles(page) -> list[str]:
    return page.locator(".techniques h2").all_inner_texts()


def open_at(visitor, query: str = ""):
    """The tab, once its pictures are there."""
    page = visitor.page
    page.goto(f"{visitor.site}/?tab=compare{query}")
    page.wait_for_selector(".techniques article")
    page.wait_for_function(
        "[...document.querySelectorAll('.techniques img')].every((image) => image.naturalWidth)"
    )
    return page


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_techniques_are_compared(visit, site, size):
    visitor = visit(size)
    page = open_at(visitor)
    chosen = first_choice(STUDY.rows)
    assert titles(page) == [STUDY.rows[name]["title"] for name in chosen]
    for name, image in zip(chosen, page.locator(".techniques img").all(), strict=True):
        assert name in image.get_attribute("src")
    for name in chosen:
        words = page.locator(".techniques article", has_text=STUDY.rows[name]["title"]).first.inner_text()
        assert STUDY.rows[name]["sentence"] in words
        for fault in STUDY.rows[name]["faults"]:
            assert fault in words
    labels = [chart.get_attribute("aria-label") for chart in page.locator(".compared svg").all()]
    assert len(labels) == 2
    for name in chosen:
        assert all(STUDY.rows[name]["title"] in label for label in labels if STUDY.rows[name]["curve"])
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator(".stage").is_hidden()
    assert page.locator("[data-copy]").is_visible()


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_a_technique_is_added_and_taken_away(visit, size):
    visitor = visit(size)
    page = open_at(visitor, f"&techniques={DRAWN[0]}")
    choices = page.locator(".choices")
    if size == "phone":
        assert choices.locator(".chip").first.is_hidden(), "the choice does not stand before what is compared"
        choices.locator("summary").tap()
    chip = choices.locator(f'.chip:has(input[value="{DRAWN[1]}"])')
    chip.tap() if size == "phone" else chip.click()
    page.wait_for_function("document.querySelectorAll('.techniques article').length === 2")
    visitor.address(f"techniques={DRAWN[0]},{DRAWN[1]}")
    chip.tap() if size == "phone" else chip.click()
    page.wait_for_function("document.querySelectorAll('.techniques article').length === 1")
    visitor.address(f"techniques={DRAWN[0]}")


def test_techniques_are_chosen_by_keys(visit):
    visitor = visit()
    page = open_at(visitor, f"&techniques={DRAWN[0]}")
    page.locator(f'.choices input[value="{DRAWN[1]}"]').focus()
    page.keyboard.press("Space")
    page.wait_for_function("document.querySelectorAll('.techniques article').length === 2")
    assert titles(page) == [STUDY.rows[name]["title"] for name in DRAWN[:2]]
    for name in DRAWN[:2]:
        page.locator(f'.choices input[value="{name}"]').focus()
        page.keyboard.press("Space")
    page.wait_for_function("document.querySelectorAll('.techniques article').length === 0")
    assert "at least one" in page.locator("#panel-compare").inner_text()


def test_what_the_figures_say_of_a_row(visit):
    row = next(row for row in STUDY.rows.values() if row["against"])
    page = open_at(visit(), f"&techniques={row['name']}")
    line = page.locator(".compared .figures tbody tr", has_text="Obedience").inner_text()
    assert f"{100 * row['figures']['obedience']['mean']:.2f}\u00a0%" in line
    change = row["against"]["obedience"]
    assert f"{abs(100 * change['difference']):.2f} points" in line
    assert verdict("obedience", change) in line


def test_more_than_there_are_colours_for(visit):
    names = [*STUDY.rows][: MOST + 1]
    if len(names) <= MOST:
        pytest.skip("the bundled study is still short")
    page = open_at(visit(), f"&techniques={','.join(names[:MOST])}")
    assert page.locator(".techniques article").count() == MOST
    assert page.locator(f'.choices input[value="{names[MOST]}"]').is_disabled()
    assert f"{MOST} at once" in page.locator(".compared .note").first.inner_text()


def test_a_technique_that_there_is_not_is_named(visit):
    page = open_at(visit(), f"&techniques={DRAWN[0]},nonsense")
    assert "nonsense" in page.locator(".compared [role=status]").inner_text()
    assert page.locator(".techniques article").count() == 1


def test_the_page_s_addresses_are_kept_by_the_browser(site):
    for path in (f"techniques.json?v={STUDY.version}", f"techniques/{DRAWN[0]}.webp?v={STUDY.version}"):
        assert "immutable" in httpx.get(f"{site}/study/{path}").headers["cache-control"]
