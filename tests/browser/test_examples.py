"""Bundled models: the tab Examples, the way from there, and a photograph where drawings are expected."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from cgan.ui.server import BUNDLED
from cgan.ui.tabs import TABS
from tests.browser.conftest import Visitor, serving
from tests.browser.test_fields import pixels
from tests.browser.test_tabs import SIZES

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def bundled(tmp_path_factory):
    """The address of a server with three of the bundled models."""
    folder = tmp_path_factory.mktemp("bundled")
    names = ("mnist", "faces-attributes", "faces-image")
    with serving(folder, *(str(BUNDLED / name) for name in names)) as address:
        yield address


def test_the_stage_shows_the_first_example_and_then_the_last_one_pointed_at(visit, bundled):
    visitor: Visitor = visit(at=bundled)
    page = visitor.open("tab=generate&seed=4&label=1")
    page.locator("#tab-examples").click()
    links = page.locator(".gallery a")
    visitor.wait_for(links.first.get_attribute("data-picture"))
    links.nth(1).hover()
    picture = links.nth(1).get_attribute("data-picture")
    visitor.wait_for(picture)
    page.locator("#tab-generate").click()
    visitor.wait_for("frame.png?seed=4&label=1")
    page.locator("#tab-examples").click()
    visitor.wait_for(picture)
    assert page.locator(".gallery [aria-current]").get_attribute("data-picture") == picture
    links.first.click()
    visitor.address("tab=conditioning", "seed=1")


def test_what_is_saved_from_an_example_has_its_models_name(visit, bundled):
    page = visit(at=bundled).open("tab=generate&model=mnist&seed=4&label=1")
    page.locator("[data-home]").click()
    page.locator("#tab-examples").click()
    link = page.locator('.gallery a[data-model="faces-attributes"]').first
    link.hover()
    page.wait_for_selector('.frame img[src*="model=faces-attributes"]')
    with page.expect_download() as download:
        page.locator("[data-save]").click()
    assert download.value.suggested_filename == "faces-attributes-examples.png"
    code = page.locator('[data-snippet="snippet_python"] code')
    page.wait_for_function("code => code.textContent.includes('faces-attributes')", arg=code.element_handle())
    assert "mnist" not in code.inner_text()


@pytest.mark.parametrize("model", ["mnist", "faces-attributes"])
def test_every_file_that_a_tab_offers_is_there(visit, bundled, model):
    page = visit(at=bundled).open(f"model={model}")
    offered = "links => links.filter((link) => link.checkVisibility()).map((link) => link.href)"
    for tab in TABS:
        page.locator(f"#tab-{tab}").click()
        page.wait_for_timeout(300)
        for address in page.locator("a[download]").evaluate_all(offered):
            response = page.request.get(address)
            assert response.ok, f"{tab}: {address} {response.text()}"


def test_examples_begin_with_the_chosen_model_and_lead_to_the_head_of_the_page(visit, bundled):
    visitor: Visitor = visit("phone", bundled)
    page = visitor.page
    page.goto(f"{bundled}/?tab=examples&model=faces-attributes")
    current = page.locator(".gallery [aria-current]")
    current.wait_for()
    assert current.get_attribute("data-model") == "faces-attributes"
    page.locator("[data-models]").select_option("mnist")
    assert current.get_attribute("data-model") == "mnist"
    page.locator(".gallery a").last.tap()
    visitor.address("tab=inside", "model=faces-attributes")
    assert page.locator("#tab-inside").bounding_box()["y"] > -1
    page.go_back()
    visitor.address("tab=examples", "model=mnist")
    page.locator('.gallery a[href*="strength=0"]').first.tap()
    page.wait_for_selector('.frame img[src*="strength=0"]')
    assert page.locator(".frame img:not(.fine)").count(), "small pictures have sharp pixels"


@SIZES
@pytest.mark.parametrize(
    ("tab", "rows"), [("learn", 5), ("conditioning", 5), ("conditioning", 16), ("card", 10)]
)
def test_a_grid_has_its_place_on_a_stage_that_is_no_higher(visit, bundled, size, tab, rows):
    page = visit(size, bundled).page
    held = []
    page.route(lambda url: "snapshot.png" in url or "grid.png" in url, lambda each: held.append(each))
    with page.expect_request(lambda asked: asked.url.split("?")[0].endswith(("snapshot.png", "grid.png"))):
        page.goto(f"{bundled}/?tab={tab}&model=mnist&rows={rows}")
    page.wait_for_timeout(500)
    parts = [page.locator(each) for each in (".box", ".frame", f"#panel-{tab}")]
    before = [part.bounding_box() for part in parts]
    for each in held:
        each.continue_()
    page.wait_for_selector(".frame img")
    assert [part.bounding_box() for part in parts[::2]] == before[::2]
    mount, frame = (page.locator(each).bounding_box() for each in (".mount", ".frame"))
    assert frame == pytest.approx(before[1], abs=0.1), "known before the picture has come"
    assert mount["height"] == pytest.approx(frame["height"], abs=0.1)
    if rows == 5:
        assert mount["width"] == pytest.approx(frame["width"], abs=0.1)


def test_the_grid_of_many_fields_holds_the_others_as_chosen(visit, bundled):
    visitor: Visitor = visit(at=bundled)
    page = visitor.open("tab=conditioning&model=faces-attributes")
    opening = visitor.address("hair_colour=red", "background=blue")
    assert "hair_style" not in opening, "the columns go along it"
    held = "&".join(part for part in opening.split("?")[1].split("&") if not part.startswith("tab="))
    before = visitor.wait_for(f"grid.png?{held}")
    page.locator("#conditioning-along").select_option("glasses")
    assert "glasses=" not in visitor.address("along=glasses", "hair_style=curly")
    page.locator("#panel-conditioning summary").first.click()
    page.locator("#conditioning-smile").fill("-0.8")
    visitor.address("smile=-0.8")
    assert visitor.shown() != before
    page.locator(".cells button").first.click()
    visitor.address("tab=generate", "smile=-0.8", "glasses=none", "hair_colour=red")


def test_a_cell_is_of_the_field_that_the_columns_go_along(visit, bundled):
    """Two ranges from -1 to 1 have the same names along the edge."""
    visitor = visit(at=bundled)
    page = visitor.open("tab=conditioning&model=faces-attributes&along=smile")
    page.locator(".cells button").nth(6).wait_for()
    page.locator("#conditioning-along").select_option("tilt")
    page.locator(".cells button").nth(6).click()
    assert "smile=1" not in visitor.address("tab=generate", "tilt=1")


def test_a_photograph_becomes_lines_where_drawings_are_expected(visit, bundled):
    page = visit(at=bundled).open("model=faces-image")
    photograph, drawing = (Image.new("RGB", (90, 90), colour) for colour in ("skyblue", "white"))
    for picture in (photograph, drawing):
        picture.paste("black", (30, 30, 60, 60))
    chooser = page.locator("#panel-generate input[type=file]")
    for picture, inside in ((photograph, True), (drawing, False)):
        out = io.BytesIO()
        picture.save(out, "PNG")
        chooser.set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": out.getvalue()})
        page.wait_for_timeout(500)
        drawn = pixels(page.locator("#panel-generate input[name=image]").input_value())
        assert drawn[2:18].min() > 239, "around it there is paper"
        assert (drawn[32, 32] > 239) == inside, "lines alone are drawn, or all that was"
