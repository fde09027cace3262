"""What axe-core finds wrong with the page for people who hear it, see little of it or use no mouse."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from cgan.conditions import CONDITIONS
from cgan.ui.tabs import TABS

pytestmark = pytest.mark.browser
CONTRAST = {"resultTypes": ["violations"], "runOnly": ["color-contrast"]}
EVERYTHING = {"resultTypes": ["violations"]}
SHOW = """name => {
    document.querySelector(`[role="tab"][data-tab="${name}"]`).click();
    for (const details of document.querySelectorAll(".explorer details")) details.open = true;
}"""


def faults(page: Page, options: dict[str, Any]) -> list[str]:
    """Every serious or critical violation and where it is."""
    violations = Axe().run(page, options=options).response["violations"]
    return [
        f"{violation['id']}: {node['target'][0]} {node['any'] and node['any'][0]['message']}"
        for violation in violations
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize(
    ("size", "theme", "options"),
    [("desktop", "light", EVERYTHING), ("desktop", "dark", CONTRAST), ("phone", "light", EVERYTHING)],
    ids=["desktop", "dark", "phone"],
)
def test_no_tab_has_a_serious_fault(visit, size, theme, options):
    page = visit(size).open(f"seed=1&label=zero&__theme={theme}")
    page.emulate_media(reduced_motion="reduce")
    found = {}
    for name in TABS:
        page.evaluate(SHOW, name)
        page.wait_for_timeout(500)
        found |= dict.fromkeys(faults(page, options), name)
    assert [f"{name}: {fault}" for fault, name in found.items()] == []


@pytest.mark.parametrize("form", CONDITIONS)
def test_no_form_of_condition_has_a_serious_fault(visit, forms, form):
    page = visit(at=forms).open(f"model={form}")
    page.emulate_media(reduced_motion="reduce")
    found = {}
    for name in ("generate", "interpolate", "invert"):  # with room, without, and given beside a drawing
        page.evaluate(SHOW, name)
        page.wait_for_timeout(500)
        found |= dict.fromkeys(faults(page, EVERYTHING), name)
    assert [f"{name}: {fault}" for fault, name in found.items()] == []
