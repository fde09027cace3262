"""The page in Chinese: by the browser's language, by the address, by the switch, which keeps the state."""

from __future__ import annotations

import pytest

from cgan.ui.i18n import TEXTS
from cgan.ui.tabs import TABS
from tests.browser.conftest import Visitor

pytestmark = pytest.mark.browser
CHINESE = {words["en"]: words["zh"] for words in TEXTS.values() if words["en"] != words["zh"]}
WORDS = """() => {
    const found = [];
    const walker = document.createTreeWalker(document.querySelector(".explorer"), NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
    while (walker.nextNode()) {
        const node = walker.currentNode;
        if (node.nodeType === Node.TEXT_NODE) found.push(node.data.trim());
        else for (const name of ["aria-label", "title", "alt", "aria-valuetext"]) found.push(node.getAttribute(name) ?? "");
    }
    return found;
}"""  # noqa: E501
FETCHED = """() => performance.getEntriesByType("resource")
    .filter((each) => each.transferSize > 0).map((each) => each.name.split("/").pop().split("?")[0])"""


def test_a_chinese_browser_reads_chinese_in_every_tab(chromium, site):
    context = chromium.new_context(locale="zh-CN")
    visitor = Visitor(context, site)
    page = visitor.open()
    assert page.title() == TEXTS["title"]["zh"]
    assert page.evaluate("document.documentElement.lang") == "zh"
    for name in TABS:
        page.locator(f'[role="tab"][data-tab="{name}"]').click()
        page.wait_for_timeout(400)
        left = sorted({words for words in page.evaluate(WORDS) if words in CHINESE})
        assert left == [], f"English in {name}"
    assert "lang=" not in page.url
    context.close()
    assert visitor.complaints == []


def test_the_switch_keeps_the_state_and_fetches_nothing_but_the_texts(visit):
    visitor = visit()
    page = visitor.open("seed=7&label=two&psi=0.7")
    visitor.wait_for("frame.png?seed=7&label=two&psi=0.7")
    page.locator('[role="tab"][data-tab="interpolate"]').click()
    page.locator("#interpolate-seed").fill("21")
    shown = visitor.wait_for("frame.png?seed=21&label=zero&seed2=2&label2=two&t=0.5")
    page.wait_for_timeout(500)
    page.evaluate("performance.clearResourceTimings()")
    page.locator('[data-language="zh"]').click()
    page.wait_for_selector(f'h1:has-text("{TEXTS["title"]["zh"]}")')
    assert page.locator('[data-language="zh"]').evaluate("button => button === document.activeElement")
    assert "lang=zh" in visitor.address("seed=21", "lang=zh", "tab=interpolate")
    assert visitor.shown() == shown
    page.wait_for_timeout(500)
    assert page.evaluate(FETCHED) == ["zh.json"]
    page.locator('[data-language="en"]').click()
    page.wait_for_selector(f'h1:has-text("{TEXTS["title"]["en"]}")')
    page.locator('[role="tab"][data-tab="generate"]').click()
    visitor.wait_for("frame.png?seed=7&label=two&psi=0.7")
    visitor.address("psi=0.7", "lang=en")


def test_the_switch_keeps_names_of_other_models_and_the_old_page_rests(visit):
    visitor = visit()
    page = visitor.open("tab=directions&lang=en")
    page.locator(".names input").nth(1).fill("Slant")
    visitor.address("names=")
    page.locator("[data-models]").select_option("second")
    visitor.address("model=second")
    page.evaluate("""() => {
        const now = window.fetch;
        window.fetch = async (...asked) => {
            if (String(asked[0]).includes("starts.json")) await new Promise((done) => setTimeout(done, 800));
            return now(...asked);
        };
    }""")
    page.locator("#tab-invert").click()
    page.locator('[data-language="zh"]').click()
    page.wait_for_selector(f'h1:has-text("{TEXTS["title"]["zh"]}")')
    page.wait_for_timeout(1800)  # the old page's answer has come
    assert "lang=zh" in page.url
    page.locator("#tab-directions").click()
    page.locator("[data-models]").select_option("first")
    assert page.locator(".names input").nth(1).input_value() == "Slant"


def test_the_address_decides(visit):
    visitor = visit("phone")
    page = visitor.open("seed=7&label=two&lang=zh")
    assert page.locator("h1").inner_text() == TEXTS["title"]["zh"]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    visitor.wait_for("frame.png?seed=7&label=two")
    visitor.address("lang=zh", "label=two")


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("psi=7", "psi 须为 0 到 2 的数，实际为 '7'"),
        ("seed=-1", "seed 须为 0 到 9007199254740991 的整数，实际为 '-1'"),
        ("label=tow", "label 没有 'tow'。你是指 'two' 吗？可用：zero, one, two，或“名称:权重,…”"),
        ("raw=99:1", "raw 接受以逗号分隔的“序号:数值”，序号为 0 到 4，实际为 '99:1'"),
        ("raw=1:high", "raw 须为 -6 到 6 的数，实际为 'high'"),
        ("z=0,0,0,0,0,1", "z 接受最多 5 个以逗号分隔的数，实际为 6"),
        ("z=1,,2", "z 须为 -6 到 6 的数，实际为 ''"),
        ("tab=inside&off=0:99", "off：第 0 层没有通道 [99]"),
    ],
)
def test_what_is_refused_is_told_in_the_page_s_language(visit, query, why):
    visitor = visit()
    page = visitor.open(f"{query}&lang=zh", picture=False)
    assert page.locator(".warning").inner_text() == TEXTS["refused"]["zh"].format(why=why)
    page.close()  # whatever else it would have asked for is refused as well
    assert all("400" in complaint for complaint in visitor.complaints)
    visitor.complaints.clear()
