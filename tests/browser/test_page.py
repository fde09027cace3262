"""What every tab has in common: the live picture, the address, the words."""

from __future__ import annotations

import io
import re

import httpx
import pytest
from PIL import Image

from benchmarks.dragging import drag

pytestmark = pytest.mark.browser
STATES = {
    "generate": ("frame.png", "label=two&z=1.5,0,-2&raw=3:-1.25&psi=0.7&count=6"),
    "interpolate": ("frame.png", "label=one&seed2=9&label2=zero&t=0.35&mode=lerp"),
    "conditioning": ("grid.png", "rows=4&psi=1.3&transpose=1"),
}


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_the_page_opens_on_a_picture(visit, size):
    visitor = visit(size)
    page = visitor.open()
    visitor.wait_for("frame.png?model=first&seed=1&label=zero")
    assert "nobody/third" in page.locator(".notice").inner_text()
    assert "Seed 1" in page.locator(".frame img").get_attribute("alt")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.title() == "Conditional GAN Explorer"


def test_a_dragged_slider_shows_pictures_on_the_way_and_ends_on_the_last(visit):
    visitor = visit()
    page = visitor.open("seed=1&label=zero")
    distinct = drag(page, "#generate-z-0", -4, 4, seed=7)
    visitor.wait_for("frame.png?seed=7&label=zero&z=4")
    assert distinct >= 5
    page.mouse.move(0, 0)
    box = page.locator("#generate-z-1").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, middle, steps=15)
    page.mouse.move(box["x"] + box["width"] + 50, middle, steps=5)
    page.mouse.up()
    visitor.wait_for("frame.png?seed=7&label=zero&z=4,4")
    visitor.address("z=4,4")


def test_the_picture_is_a_handle_for_two_directions(visit):
    visitor = visit()
    page = visitor.open("seed=1&label=zero")
    box = page.locator(".frame").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + box["width"] / 4, middle[1] - box["height"] / 8, steps=5)
    page.mouse.up()
    visitor.address("z=2,1")
    page.mouse.move(*middle)
    visitor.address("z=2,1")


def test_a_touch_takes_one_of_several_pictures(visit):
    visitor = visit()
    page = visitor.open("seed=1&label=zero&count=7&first=10")
    box = page.locator(".frame").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.9, box["y"] + box["height"] * 0.9)  # the sheet's empty place
    page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)  # the middle of 3x3
    visitor.address("first=14")
    assert "count" not in page.url


def test_keys_move_a_slider(visit):
    visitor = visit()
    page = visitor.open("seed=1&label=zero")
    page.locator("#generate-z-2").focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    visitor.wait_for("frame.png?seed=1&label=zero&z=0,0,0.25")
    page.keyboard.press("End")
    visitor.wait_for("frame.png?seed=1&label=zero&z=0,0,4")


def test_a_finger_moves_a_slider(visit):
    visitor = visit("phone")
    page = visitor.open("seed=1&label=zero")
    page.locator("#generate-z-0").scroll_into_view_if_needed()
    box = page.locator("#generate-z-0").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] - 2, box["y"] + box["height"] / 2)
    visitor.wait_for("frame.png?seed=1&label=zero&z=4")
    assert page.locator(".frame img").bounding_box()["y"] >= 0, "the picture stays in sight"


@pytest.mark.parametrize("slider", ["z-0", "raw-2"])
def test_a_finger_that_scrolls_past_a_slider_moves_nothing(visit, slider):
    visitor = visit("phone")
    page = visitor.open("seed=1&label=zero")
    if slider.startswith("raw"):
        page.locator('#panel-generate .chip:has(input[value="components"])').tap()
    page.locator(f"#generate-{slider}").evaluate("slider => slider.scrollIntoView({ block: 'end' })")
    box = page.locator(f"#generate-{slider}").bounding_box()
    x, y = box["x"] + 0.8 * box["width"], box["y"] + box["height"] / 2
    touch, before = page.context.new_cdp_session(page), page.evaluate("scrollY")
    for kind, up in [
        ("touchStart", 0),
        *(("touchMove", 10 * step) for step in range(1, 13)),
        ("touchEnd", None),
    ]:
        points = [] if up is None else [{"x": x, "y": y - up}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    page.wait_for_function("before => scrollY > before", arg=before)
    visitor.wait_for("frame.png?seed=1&label=zero")
    assert page.locator(f"#generate-{slider}").input_value() == "0"
    assert not re.search("[?&](z|raw)=", visitor.address())


@pytest.mark.parametrize("tab", STATES)
def test_an_address_shows_the_same_picture_elsewhere(visit, site, tab):
    route, query = STATES[tab]
    first, second = visit(), visit("phone")
    page = first.open(f"tab={tab}&seed=7&{query}")
    first.wait_for(f"{route}?seed=7&{query}")
    page.locator(f"#{tab}-seed").fill("21")
    picture = first.wait_for(f"{route}?seed=21&{query}")
    address = first.address("seed=21")
    second.open(address.split("?", 1)[1])
    assert second.wait_for(f"{route}?{address.split('&', 1)[1]}") == picture
    assert second.page.locator('[role="tab"][aria-selected="true"]').get_attribute("data-tab") == tab
    assert second.address() == address


def test_back_and_forward_go_from_tab_to_tab(visit):
    visitor = visit()
    page = visitor.open("tab=generate&seed=4&label=one")
    page.locator("#tab-conditioning").click()
    page.locator("#conditioning-seed").fill("5")
    visitor.address("seed=5")
    page.locator("[data-models]").select_option("second")
    page.locator(".cells button").nth(1).click()
    visitor.wait_for("frame.png?model=second&seed=5&label=T-shirt/top")
    page.go_back()
    visitor.wait_for("grid.png?model=second&seed=5&rows=5")
    page.go_back()
    visitor.wait_for("frame.png?model=first&seed=4&label=one")
    assert page.locator("[data-models]").input_value() == "first"
    page.go_forward()
    page.go_forward()
    visitor.wait_for("frame.png?model=second&seed=5&label=T-shirt/top")
    visitor.address("tab=generate", "model=second", "seed=5")


def test_values_that_no_slider_can_take_are_kept_exactly(visit):
    visitor = visit()
    visitor.open("seed=3&label=zero:0.5,two:0.5&z=1.2345,-5.5")
    visitor.wait_for("frame.png?seed=3&label=zero:0.5,two:0.5&z=1.2345,-5.5")
    visitor.address("z=1.2345,-5.5", "label=zero:0.5,two:0.5")


def test_late_answers_never_replace_newer_ones(visit):
    visitor = visit()
    visitor.page.add_init_script("""
        const direct = window.fetch;
        window.fetch = async (url, ...rest) => {
            if (String(url).includes("z=1&")) await new Promise((done) => setTimeout(done, 400));
            return direct(url, ...rest);
        };
    """)
    page = visitor.open("seed=1&label=zero")
    slider = page.locator("#generate-z-0")
    slider.fill("1")
    slider.fill("2")
    visitor.wait_for("frame.png?seed=1&label=zero&z=2")
    page.wait_for_timeout(600)
    visitor.wait_for("frame.png?seed=1&label=zero&z=2")


def test_what_the_server_refuses_is_said_and_the_picture_stays(visit):
    visitor = visit()
    page = visitor.open("seed=1&label=zero")
    before = page.locator(".frame img").get_attribute("src")
    page.route("**/frame.png*", lambda route: route.fulfill(status=400, body="psi must be calm"))
    page.locator("#generate-psi").fill("0.5")
    page.wait_for_function("document.querySelector('.warning').textContent.includes('psi must be calm')")
    assert page.locator(".frame img").get_attribute("src") == before
    page.unroute("**/frame.png*")
    page.locator("#generate-psi").fill("0.6")
    visitor.wait_for("frame.png?seed=1&label=zero&psi=0.6")
    assert page.locator(".warning").inner_text() == ""
    assert all("400" in complaint for complaint in visitor.complaints)
    visitor.complaints.clear()


def test_a_refused_component_is_gone_once_one_is_moved(visit):
    visitor = visit()
    page = visitor.open("seed=1&label=zero&raw=2:1.5,99:1", picture=False)
    assert "got '99:1'" in page.locator(".warning").inner_text()
    visitor.address("raw=2:1.5,99:1")
    page.locator('#panel-generate .chip:has(input[value="components"])').click()
    page.locator("#generate-raw-0").fill("1")
    page.wait_for_selector(".frame img")
    visitor.wait_for("frame.png?seed=1&label=zero&raw=0:1,2:1.5")
    assert page.locator(".warning").inner_text() == ""
    assert all("400" in complaint for complaint in visitor.complaints)
    visitor.complaints.clear()


def test_a_busy_server_is_asked_again(visit):
    visitor = visit()
    page = visitor.open("seed=1&label=zero")
    answers = iter([503, 503])

    def answer(route):
        status = next(answers, None)
        if status is None:
            route.continue_()
        else:
            route.fulfill(status=status, headers={"Retry-After": "0.05"})

    page.route(re.compile(r"/frame\.png\?(?!.*columns=)"), answer)  # the stage's, not the strip's below it
    page.locator("#generate-psi").fill("0.5")
    page.wait_for_selector(".warning:not(:empty)")
    visitor.wait_for("frame.png?seed=1&label=zero&psi=0.5")
    page.wait_for_selector(".warning:empty", state="attached")
    visitor.complaints.clear()


def test_a_late_refusal_of_what_is_asked_no_more_is_not_told(visit):
    visitor = visit()
    page = visitor.open("seed=1&label=zero")
    held = []

    def answer(route):
        if "psi=0.5" not in route.request.url:
            route.continue_()
        elif route.request.resource_type == "image":
            route.abort()
        else:
            held.append(route)

    page.route("**/frame.png*", answer)
    page.locator("#generate-psi").fill("0.5")
    while not held:
        page.wait_for_timeout(20)
    page.locator("#generate-psi").fill("0.6")
    visitor.wait_for("frame.png?seed=1&label=zero&psi=0.6")
    held[0].fulfill(status=503)
    page.wait_for_timeout(300)
    assert page.locator(".warning").inner_text() == ""
    visitor.complaints.clear()


def test_another_model_s_stage_is_its_own_though_the_seed_is_missing(visit):
    visitor = visit()
    page = visitor.open("seed=1&label=zero")
    page.locator("#generate-seed").fill("")
    page.locator("[data-models]").select_option("second")
    page.wait_for_selector(".warning:not(:empty)")
    assert "seed" in page.locator(".warning").inner_text()
    visitor.address("model=second")
    page.wait_for_timeout(300)  # for the last refusal to be told
    visitor.complaints.clear()


def test_everything_in_the_header_is_seen_on_the_narrowest_phone(visit):
    page = visit("phone").open("seed=1&label=zero")
    page.set_viewport_size({"width": 320, "height": 640})
    page.evaluate("document.querySelector('[data-models]').options[0].text = 'a-model-of-a-long-name'")
    box = page.locator(".languages").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 320


@pytest.mark.parametrize(
    ("size", "least"),
    [((1920, 1080), 700), ((1280, 800), 530), ((853, 533), 370), ((844, 390), 350), ((390, 844), 350)],
)
def test_the_picture_is_large_whatever_the_window(visit, size, least):
    """A projector, a laptop, one at 150 %, a phone on its side and upright."""
    page = visit().open("seed=1&label=zero")
    page.set_viewport_size({"width": size[0], "height": size[1]})
    box = page.locator(".explorer .box").bounding_box()
    assert box["width"] >= least
    assert box["height"] <= size[1]
    assert box["x"] + box["width"] <= size[0]


def test_a_seed_that_is_left_empty_is_again_what_it_was(visit):
    page = visit().open("tab=generate&seed=7")
    seed = page.locator("#generate-seed")
    seed.fill("")
    seed.press("Tab")
    assert seed.input_value() == "7"
    seed.fill("1e3")
    seed.press("Tab")
    assert seed.input_value() == "1000"
    page.wait_for_function("location.search.includes('seed=1000')", timeout=10_000)


def test_a_late_picture_of_another_model_is_not_shown(visit):
    visitor = visit()
    page = visitor.open("seed=1&label=zero")
    held = []
    page.route(re.compile(r"/frame\.png\?(?!.*columns=)"), lambda each: held.append(each))
    with page.expect_request(lambda request: "psi=0.5" in request.url):
        page.locator("#generate-psi").fill("0.5")
    with page.expect_request("**/frame.png?model=second*"):
        page.locator("[data-models]").select_option("second")
    while len(held) < 2:
        page.wait_for_timeout(20)
    late, asked = held
    late.continue_()
    page.wait_for_timeout(500)
    assert "psi" not in page.locator(".frame img").get_attribute("src")
    asked.continue_()
    page.wait_for_selector('.frame img[src*="model=second"]')


def test_an_address_for_another_server_says_so(visit):
    page = visit().open("model=third&label=zero", picture=False)
    assert "no model named third" in page.locator(".warning").inner_text()
    assert "first, second" in page.locator(".warning").inner_text()


@pytest.mark.parametrize("tab", ["nowhere", "constructor"])
def test_an_address_of_no_tab_opens_generate(visit, tab):
    visitor = visit()
    visitor.open(f"tab={tab}&label=one")
    visitor.wait_for("frame.png?seed=1&label=one")
    visitor.address("tab=generate")


def test_the_link_is_copied_and_the_picture_saved(visit, site):
    visitor = visit()
    page = visitor.open("seed=8&label=one")
    page.locator("#generate-psi").fill("0.5")
    page.locator("[data-copy]").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{site}/?tab=generate&model=first&label=one&seed=8&psi=0.5"
    visitor.wait_for("frame.png?seed=8&label=one&psi=0.5")
    with page.expect_download() as download:
        page.locator("[data-save]").click()
    saved = Image.open(download.value.path())
    small = Image.open(io.BytesIO(httpx.get(f"{site}/frame.png?seed=8&label=one&psi=0.5").content))
    assert saved.resize(small.size, Image.Resampling.NEAREST).tobytes() == small.tobytes()
