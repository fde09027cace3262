"""Every form of condition filled in by mouse, finger and keys: the picture follows, the address holds it."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import httpx
import numpy as np
import pytest
from PIL import Image

from cgan.conditions import CONDITIONS
from tests.browser.test_tabs import SIZES
from tests.test_conditions import SIZE, encoder

pytestmark = pytest.mark.browser
EXAMPLE = {name: encoder(name).fields()[0] for name in ("text", "mask", "image")}


def state(page) -> dict[str, str]:
    """What the address holds, once it has come to rest."""
    page.wait_for_timeout(350)
    return address(page)


def address(page) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(urlsplit(page.url).query).items()}


def held(page, name: str, fits: Callable[[np.ndarray], bool]) -> str:
    """The picture in the address as soon as it fits. AssertionError if it never does."""
    until = time.monotonic() + 5
    while True:
        text = address(page).get(name, EXAMPLE[name].examples[0])
        if fits(pixels(text)):
            return text
        assert time.monotonic() < until, pixels(text)
        page.wait_for_timeout(20)


def pixels(text: str) -> np.ndarray:
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return np.asarray(Image.open(io.BytesIO(data)))


def at(page, x: float, y: float) -> tuple[float, float]:
    """The place on the screen of a place on the canvas, in the model's pixels."""
    canvas = page.locator('form[data-tab="generate"] .sheet canvas')
    canvas.evaluate("canvas => canvas.scrollIntoView({ block: 'end' })")  # not behind a phone's stage
    box = canvas.bounding_box()
    return box["x"] + box["width"] * x / SIZE, box["y"] + box["height"] * y / SIZE


def stroke(page, size: str, *places: tuple[float, float]) -> None:
    """With the mouse, or with a finger."""
    points = [at(page, *place) for place in places]
    if size == "phone":
        touch = page.context.new_cdp_session(page)
        for kind, point in [("touchStart", points[0]), *(("touchMove", point) for point in points)]:
            finger = [{"x": point[0], "y": point[1]}]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": finger})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        return
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points:
        page.mouse.move(*point, steps=4)
    page.mouse.up()


def press(page, selector: str) -> None:
    page.locator(f'form[data-tab="generate"] {selector}').click()


@SIZES
def test_attributes(visit, forms, size):
    visitor = visit(size, forms)
    page = visitor.open("model=attributes&seed=3")
    visitor.wait_for("frame.png?model=attributes&seed=3")
    page.locator("#generate-smile").fill("0.75")
    press(page, '.dab:has(input[value="red"])')
    assert page.locator('form[data-tab="generate"] legend b').inner_text() == "red"
    press(page, '.chip:has(input[name="glasses"])')
    visitor.wait_for("frame.png?model=attributes&seed=3&smile=0.75&hair=red&glasses=yes")
    page.locator('form[data-tab="generate"] input[value="red"]').focus()
    page.keyboard.press("ArrowRight")
    visitor.wait_for("frame.png?model=attributes&seed=3&smile=0.75&hair=grey&glasses=yes")
    held = state(page)
    assert (held["smile"], held["hair"], held["glasses"]) == ("0.75", "grey", "yes")
    press(page, "[data-surprise]")
    visitor.address("width=", "smile=", "hair=", "glasses=")
    press(page, "[data-plainly]")
    visitor.wait_for("frame.png?model=attributes&seed=3")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    mixed = "smile=0.1&hair=black:0.5,red:0.5&glasses=no:0.4,yes:0.6"
    visitor.open(f"model=attributes&seed=3&{mixed}")
    visitor.wait_for(f"frame.png?model=attributes&seed=3&{mixed}")
    visitor.address("hair=black:0.5,red:0.5", "glasses=no:0.4,yes:0.6")


@SIZES
def test_a_caption_is_followed_while_it_is_written(visit, forms, size):
    visitor = visit(size, forms)
    page = visitor.open("model=text&seed=3")
    visitor.wait_for(f"frame.png?model=text&seed=3&text={EXAMPLE['text'].examples[0]}")
    area = page.locator("#generate-text")
    area.fill("")
    area.press_sequentially("sad face")
    visitor.wait_for("frame.png?model=text&seed=3&text=sad face")
    remark = page.locator("#generate-text-remark")
    assert remark.inner_text() == ""
    area.press_sequentially(" with glases")
    page.wait_for_function("document.querySelector('#generate-text-remark').textContent.includes('glases')")
    assert "Did you mean glasses" in remark.inner_text()
    before = visitor.wait_for("frame.png?model=text&seed=3&text=sad face with glases")
    area.fill("zebra")
    page.wait_for_function("document.querySelector('#generate-text-remark').textContent.includes('no word')")
    assert visitor.shown() == before
    assert page.locator(".warning").inner_text() == ""
    assert area.input_value() == "zebra"
    area.press_sequentially(" face")
    visitor.wait_for("frame.png?model=text&seed=3&text=zebra face")
    press(page, ".example:nth-of-type(2)")
    visitor.wait_for(f"frame.png?model=text&seed=3&text={EXAMPLE['text'].examples[1]}")
    visitor.address("text=sad+face+with+glasses")


@SIZES
def test_a_map_is_painted(visit, forms, size):
    visitor = visit(size, forms)
    page = visitor.open("model=mask&seed=3")
    asked = np.zeros((SIZE, SIZE), int)

    def painted() -> str:
        return held(page, "mask", lambda found: (found == asked).all())

    press(page, "[data-clear]")
    painted()
    press(page, '.brush:has(input[value="2"])')
    page.locator('form[data-tab="generate"] .kit input[type="range"]').fill("1")
    stroke(page, size, (0.5, 2.5), (7.5, 2.5))
    asked[2] = 2
    visitor.wait_for(f"frame.png?model=mask&seed=3&mask={painted()}")
    press(page, '.brush:has(input[value="1"])')
    press(page, '.chip:has(input[value="fill"])')
    stroke(page, size, (4, 5))
    asked[3:] = 1
    text = painted()
    stroke(page, size, (4, 5))  # changes nothing: no step to undo
    press(page, "[data-undo]")
    press(page, "[data-undo]")
    held(page, "mask", lambda found: not found.any())
    press(page, "[data-redo]")
    press(page, "[data-redo]")
    assert painted() == text
    elsewhere = visit("desktop", forms)
    elsewhere.open(f"model=mask&seed=3&mask={text}")
    elsewhere.wait_for(f"frame.png?model=mask&seed=3&mask={text}")
    assert state(elsewhere.page)["mask"] == text
    press(page, ".thumbs button:nth-child(3)")
    visitor.wait_for(f"frame.png?model=mask&seed=3&mask={EXAMPLE['mask'].examples[2]}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_map_is_painted_by_keys(visit, forms):
    visitor = visit(at=forms)
    page = visitor.open("model=mask&seed=3")
    press(page, "[data-clear]")
    page.locator('form[data-tab="generate"] .kit input[type="range"]').fill("1")
    page.locator('form[data-tab="generate"] .sheet canvas').focus()
    for key in ("ArrowLeft", "Shift+ArrowDown", "Shift+ArrowDown", "ArrowRight", "Space", "Space"):
        page.keyboard.press(key)
    page.keyboard.press("Control+z")
    asked = np.zeros((SIZE, SIZE), int)
    asked[4:7, 3] = asked[6, 4] = 1
    held(page, "mask", lambda found: (found == asked).all())


def test_many_pictures_are_seen_while_one_paints(visit, forms):
    visitor = visit(at=forms)
    page = visitor.open("model=mask&seed=3")
    press(page, '.brush:has(input[value="2"])')
    page.evaluate("""() => {
        window.seen = new Set();
        const watch = () => {
            seen.add(document.querySelector(".frame img").src);
            requestAnimationFrame(watch);
        };
        watch();
    }""")
    stroke(page, "desktop", *((x + 0.5, 1 + (x * 5) % 7) for x in range(SIZE)))
    visitor.wait_for(f"frame.png?model=mask&seed=3&mask={state(page)['mask']}")
    assert page.evaluate("seen.size") >= 5


@SIZES
def test_a_drawing(visit, forms, size):
    visitor = visit(size, forms)
    page = visitor.open("model=image&seed=3")
    visitor.wait_for(f"frame.png?model=image&seed=3&image={EXAMPLE['image'].examples[0]}")
    press(page, "[data-clear]")
    held(page, "image", lambda found: (found == 255).all())
    stroke(page, size, (0.5, 2.5), (7.5, 2.5))
    drawn = held(page, "image", lambda found: (found[2] == 0).all() and (found[4:] == 255).all())
    visitor.wait_for(f"frame.png?model=image&seed=3&image={drawn}")
    press(page, '.chip:has(input[value="eraser"])')
    stroke(page, size, (1.5, 2.5))
    held(page, "image", lambda found: found[2, 1] == 255 and found[2, 5] == 0)


def test_a_picture_is_opened_in_the_browser_and_turned_into_lines(visit, forms):
    visitor = visit(at=forms)
    page = visitor.open("model=image&seed=3")
    large, out = np.zeros((300, 500, 3), np.uint8), io.BytesIO()
    large[:, 250:] = 255, 0, 0
    Image.fromarray(large).save(out, "PNG")
    chooser = page.locator('form[data-tab="generate"] input[type="file"]')
    chooser.set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": out.getvalue()})
    held(page, "image", lambda found: (found[:, :3] == 0).all() and (found[:, 5:] == 76).all())
    press(page, "[data-lines]")
    text = held(page, "image", lambda found: (found[1:-1, 3:5] < 64).all() and (found[:, :2] == 255).all())
    chooser.set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": b"no picture"})
    page.wait_for_selector('form[data-tab="generate"] .remark:not(:empty)')
    assert state(page)["image"] == text
    press(page, "[data-clear]")
    assert page.locator('form[data-tab="generate"] [data-lines]').is_hidden(), "its photograph is gone"


def test_a_map_is_opened_and_a_photograph_is_not(visit, forms):
    visitor = visit(at=forms)
    page = visitor.open("model=mask&seed=3")
    colours = np.array([[int(c[at : at + 2], 16) for at in (1, 3, 5)] for c in EXAMPLE["mask"].colours])
    asked = np.zeros((SIZE, SIZE), int)
    asked[2:5] = 2
    held_map = np.kron(colours[asked], np.ones((40, 40, 1))).astype(np.uint8)
    photograph = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
    chooser, remark = (
        page.locator(f'form[data-tab="generate"] {each}') for each in ('[type="file"]', ".remark")
    )

    def upload(picture: np.ndarray) -> None:
        out = io.BytesIO()
        Image.fromarray(picture).save(out, "JPEG", quality=50)
        chooser.set_input_files({"name": "a.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()})

    upload(held_map)
    text = held(page, "mask", lambda found: (found == asked).all())
    assert remark.inner_text() == ""
    upload(photograph)
    page.wait_for_selector('form[data-tab="generate"] .remark:has-text("no map")')
    assert state(page)["mask"] == text


@pytest.mark.parametrize("name", ["mask", "image"])
def test_what_is_drawn_and_what_comes_of_it_are_seen_together_on_a_phone(visit, forms, name):
    page = visit("phone", forms).open(f"model={name}")
    page.locator(
        '#panel-generate .kit input[value="brush"], #panel-generate .kit input[value="pen"]'
    ).evaluate("tool => tool.scrollIntoView({ block: 'end' })")
    stage, canvas = (
        page.locator(part).bounding_box() for part in (".stage", "#panel-generate canvas >> nth=0")
    )
    assert canvas["y"] >= stage["y"] + stage["height"]


def test_what_a_form_lacks_is_said_and_nothing_else(visit, forms):
    page = visit(at=forms).open("tab=mixer&model=mask")
    assert page.locator("#panel-mixer").inner_text().startswith("This model has no labels")
    shown = page.locator("#panel-mixer").locator("canvas, input, button").filter(visible=True)
    assert shown.all_inner_texts() == ["Switch to label"]
    page.locator("#tab-learn").click()
    assert page.locator("#panel-learn").inner_text().startswith("This model came without snapshots")
    assert page.locator("[data-switch]").filter(visible=True).count() == 0, "none of them has any"
    page.locator("#tab-mixer").click()
    shown.click()
    assert page.locator("[data-models]").input_value() == "label"
    assert page.locator("#panel-mixer").inner_text().startswith("Ask for several labels")


@SIZES
def test_every_form_has_two_ends_and_a_grid(visit, forms, size):
    visitor = visit(size, forms)
    for name in CONDITIONS:
        page = visitor.open(f"tab=interpolate&model={name}&t=1&seed=4&seed2=4")
        end = page.locator(".ends .end:last-child .thumb img")
        end.wait_for()
        own = end.evaluate("image => fetch(image.src).then((answer) => answer.arrayBuffer())"
                           ".then((body) => Array.from(new Uint8Array(body)))")  # fmt: skip
        page.wait_for_timeout(100)
        assert visitor.shown() == bytes(own), name
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        page.locator("#tab-conditioning").click()
        visitor.wait_for(f"grid.png?model={name}&rows=5&seed=1")
        assert page.locator(".across > *").count() == page.locator(".cells button").count() / 5
        page.locator(".cells button").nth(1).click()
        visitor.address("tab=generate", f"model={name}")
        assert page.locator(".warning").inner_text() == ""
    page = visitor.open("tab=conditioning&model=attributes&along=width&seed=1")
    visitor.wait_for("grid.png?model=attributes&rows=5&seed=1&along=width")
    assert page.locator(".across").inner_text().split()[0] == "10"


def test_an_end_is_taken_over_from_generate(visit, forms):
    visitor = visit(at=forms)
    page = visitor.open("model=mask&seed=3")
    press(page, "[data-clear]")
    held(page, "mask", lambda found: not found.any())
    stroke(page, "desktop", (3, 3))
    own = held(page, "mask", np.any)
    page.locator("#tab-interpolate").click()
    page.locator(".ends .end:first-child [data-take]").click()
    assert state(page)["mask"] == own
    page.locator(".ends .end:last-child .thumbs button").nth(1).click()
    assert state(page)["mask2"] == EXAMPLE["mask"].examples[1]


@SIZES
def test_other_noises_and_what_the_judge_reads(visit, forms, size):
    visitor = visit(size, forms)
    page = visitor.open("model=judged&seed=3&label=5")
    page.wait_for_selector(".measured li")
    read = httpx.get(f"{forms}/reading.json?model=judged&seed=3&label=5").json()
    assert page.locator(".measured li").count() == len(read["rows"])
    asked = next(row for row in read["rows"] if row["name"] == "5")
    note = page.locator(".measured .note").inner_text()
    assert f"cgan-mnist: {int(asked['match'])} of 1 as asked" in note, "one label was asked for"
    first = max(read["rows"], key=lambda row: row["read"])
    verdict = page.locator(".verdict")
    assert verdict.inner_text().startswith(
        f"Judge: reads {first['name']} ({first['read']:.0%}".replace("%", "\u00a0%")
    )
    stage, tools = (page.locator(each).bounding_box() for each in (".box", ".tools"))
    assert stage["y"] + stage["height"] <= verdict.bounding_box()["y"] < tools["y"], "right below the picture"
    strip = page.locator(".noises img")
    shown = httpx.get(strip.evaluate("image => image.src")).content
    assert shown == httpx.get(f"{forms}/frame.png?model=judged&seed=3&label=5&count=8&columns=8").content
    page.locator(".noises button").nth(3).click()
    visitor.wait_for("frame.png?model=judged&seed=3&label=5&first=3")
    assert page.locator('.noises [aria-pressed="true"]').get_attribute("title") == "Noise 4"
    page.locator("[data-models]").select_option("label")
    page.wait_for_selector(".measured", state="hidden")
    assert verdict.is_hidden()


def test_long_addresses_are_understood(visit, forms):
    rng, out = np.random.default_rng(0), io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (66, 66), np.uint8)).save(out, "PNG")
    text = base64.urlsafe_b64encode(out.getvalue()).decode().rstrip("=")
    assert 5800 < len(text) <= 6000
    visitor = visit(at=forms)
    visitor.open(f"model=image&seed=3&image={text}")
    visitor.wait_for(f"frame.png?model=image&seed=3&image={text}")
    assert state(visitor.page)["image"] == text
    ends = f"model=image&image={text}&image2={text[::-1]}"
    assert httpx.get(f"{forms}/strip.png?{ends}").status_code == 400
    answer = httpx.get(f"{forms}/frame.png?model=label&label={'x' * 8000}")
    assert (answer.status_code, answer.text[:13]) == (400, "unknown label")


def test_a_stroke_goes_on_beside_a_palm_and_stays_where_the_browser_ends_it(visit, forms):
    visitor = visit("phone", forms)
    page = visitor.open("model=image&seed=3")
    press(page, "[data-clear]")
    held(page, "image", lambda image: (image == 255).all())
    touch = page.context.new_cdp_session(page)

    def send(kind: str, **fingers: tuple[float, float]) -> None:
        points = [dict(zip("xy", at(page, *place), strict=True)) for place in fingers.values()]
        points = [point | {"id": int(name == "palm")} for name, point in zip(fingers, points, strict=True)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    palm = (SIZE - 2, SIZE - 2)
    send("touchStart", finger=(1, 2.5))
    send("touchStart", finger=(1, 2.5), palm=palm)
    send("touchMove", finger=(3, 2.5), palm=palm)
    send("touchEnd", palm=palm)
    send("touchMove", finger=(SIZE - 1, 2.5))
    send("touchCancel")
    drawn = held(page, "image", lambda image: (image[2, 1 : SIZE - 1] < 128).all())
    assert (pixels(drawn)[4:] == 255).all(), "the palm draws nothing"
    visitor.wait_for(f"frame.png?model=image&seed=3&image={drawn}")
