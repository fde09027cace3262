"""The picture routes: what every parameter does and refuses; whose picture is whose; caching."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import json
import re
import threading

import httpx
import numpy as np
import pytest
import torch
from fastapi import FastAPI
from PIL import Image, ImageSequence

from cgan import engine as engine_module
from cgan.engine import Engine
from cgan.latent import place, slerp
from cgan.model import ConditionalGAN
from cgan.types import Cond
from cgan.ui.i18n import ENGLISH
from cgan.ui.plans import PICTURE_ROUTES
from cgan.ui.tabs import ROUTES
from tests.conftest import CLASSES, served, tiny_config, tiny_model
from tests.test_conditions import SIZE, TARGETS, configured, encoder


def vivid_model() -> ConditionalGAN:
    """Tiny, untrained, and of some contrast, so that pictures differ."""
    model = tiny_model()
    model.generator.stem.weight *= 3
    model.generator.to_image.conv.weight *= 3
    return model


COLOUR = ConditionalGAN(tiny_config().model({"classes": CLASSES}, 8, 3)).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def engine():
    engine = Engine({"one": vivid_model(), "two": tiny_model(), "rgb": COLOUR}, "cpu")
    yield engine
    engine.close()


def get_all(app: FastAPI, *paths: str, method: str = "GET", **headers: str) -> list[httpx.Response]:
    """The answers to requests made all at once."""

    async def together():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await asyncio.gather(*(client.request(method, path, headers=headers) for path in paths))

    answers = asyncio.run(together())
    for answer in answers:
        assert answer.status_code != 400 or told_in_chinese(answer.text.strip()), answer.text
    return answers


def told_in_chinese(line: str) -> bool:
    """Whether the page has a text that becomes this line once its places are filled."""
    shapes = (
        re.sub(r"\\\{\w+\\\}", ".*", re.escape(text))
        for key, text in ENGLISH.items()
        if key.startswith("why_")
    )
    return any(re.fullmatch(shape, line) for shape in shapes)


def get(app: FastAPI, path: str, **options) -> httpx.Response:
    return get_all(app, path, **options)[0]


def pixels(app: FastAPI, path: str) -> np.ndarray:
    response = get(app, path)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "image/png"
    return np.asarray(Image.open(io.BytesIO(response.content)))


def made(engine, noise, label, name="one") -> np.ndarray:
    """[N, H, W], straight from the sampler."""
    resident = engine.models[name]
    raw = resident.model.encoder.parse({"label": label}).expand(len(noise), -1)
    return resident.sampler(noise, Cond(raw))[:, 0].numpy()


def test_a_frame_is_the_picture_of_its_seed_and_label(app, engine):
    model = engine.models["one"].model
    for label in CLASSES:
        found = pixels(app, f"/frame.png?seed=7&label={label}")
        assert found.shape == (8, 8)
        assert (found == made(engine, model.noise(7, 1), label)[0]).all()
    different = {get(app, f"/frame.png?seed={seed}&label=two").content for seed in range(4)}
    assert len(different) == 4
    assert get(app, "/frame.png?label=two").content == get(app, "/frame.png?label=two&seed=0").content


def test_the_pictures_of_these_tests_differ(app):
    found = np.stack([pixels(app, f"/frame.png?seed={seed}&label={CLASSES[seed % 3]}") for seed in range(9)])
    assert found.std(0).mean() > 20


def test_the_model_parameter(app, engine):
    noise = engine.models["two"].model.noise(7, 1)
    found = pixels(app, "/frame.png?model=two&seed=7&label=one")
    assert (found == made(engine, noise, "one", "two")[0]).all()
    assert pixels(app, "/frame.png?model=rgb&seed=7&label=one").shape == (8, 8, 3)


def test_many_samples_are_tiled_with_black_gaps(app, engine):
    noise = engine.models["one"].model.noise(7, 7)[2:]
    sheet = pixels(app, "/frame.png?seed=7&label=one&count=5&first=2")
    assert sheet.shape == (17, 26)
    for k, picture in enumerate(made(engine, noise, "one")):
        row, column = divmod(k, 3)
        assert (sheet[row * 9 : row * 9 + 8, column * 9 : column * 9 + 8] == picture).all()
    assert not sheet[8].any()
    assert not sheet[:, [8, 17]].any()
    assert not sheet[9:, 18:].any()


def test_columns_may_be_chosen(app):
    row, sheet = (pixels(app, f"/frame.png?seed=7&label=one&count=4{more}") for more in ("&columns=4", ""))
    assert row.shape == (8, 35)
    assert sheet.shape == (17, 17)
    assert (row[:, :17] == sheet[:8]).all()
    assert (row[:, 18:] == sheet[9:]).all()


def test_scale_enlarges_pixels_to_squares(app):
    small, large = (pixels(app, f"/frame.png?seed=1&label=one&scale={scale}") for scale in (1, 3))
    assert (large == small.repeat(3, 0).repeat(3, 1)).all()


def test_place_parameters(app, engine):
    resident = engine.models["one"]
    noise = place(
        resident.model,
        resident.directions,
        seed=7,
        psi=0.25,
        strengths=(1.5, 0, -2),
        components={3: 0.5, 0: -1},
    )
    found = pixels(app, "/frame.png?seed=7&label=one&psi=0.25&z=1.5,0,-2e0&raw=3:.5,0:-1")
    assert (found == made(engine, noise, "one")[0]).all()
    assert (found != pixels(app, "/frame.png?seed=7&label=one")).any()


def test_strength_and_mixtures(app, engine):
    resident = engine.models["one"]
    noise = resident.model.noise(7, 1)

    def picture(weights):
        return resident.sampler(noise, Cond(torch.tensor([weights])))[0, 0].numpy()

    for query, weights in (
        ("label=two&strength=2.5", (0, 0, 2.5)),
        ("label=two&strength=0", (0, 0, 0)),
        ("label=two&strength=-1", (0, 0, -1)),
        ("label=one:1,two:3", (0, 0.25, 0.75)),
        ("label=one:0.5,two:0.5&strength=2", (0, 1, 1)),
    ):
        found = pixels(app, f"/frame.png?seed=7&{query}")
        assert (found == picture([float(weight) for weight in weights])).all(), query


@pytest.mark.parametrize("mode", ["slerp", "lerp"])
def test_interpolation(app, engine, mode):
    resident = engine.models["one"]
    a, b = resident.model.noise(7, 1), resident.model.noise(8, 1)
    ends = f"seed=7&label=one&seed2=8&label2=two&mode={mode}"
    strip = pixels(app, f"/strip.png?{ends}&steps=5")
    assert strip.shape == (8, 44)
    for k in range(5):
        t = k / 4
        noise = slerp(a, b, t) if mode == "slerp" else a + (b - a) * t
        expected = resident.sampler(noise, Cond(torch.tensor([[0, 1 - t, t]])))[0, 0].numpy()
        assert (strip[:, k * 9 : k * 9 + 8] == expected).all()
        assert (pixels(app, f"/frame.png?{ends}&t={t}") == expected).all()
    assert (strip[:, :8] == pixels(app, "/frame.png?seed=7&label=one")).all()
    assert (strip[:, -8:] == pixels(app, "/frame.png?seed=8&label=two")).all()


def test_an_end_left_open_is_as_the_first(app):
    strip = pixels(app, "/strip.png?seed=7&label=one&label2=two&steps=2")
    assert (strip[:, :8] == pixels(app, "/frame.png?seed=7&label=one")).all()
    assert (strip[:, 9:] == pixels(app, "/frame.png?seed=7&label=two")).all()
    still = pixels(app, "/strip.png?seed=7&label=one&steps=3")
    for column in (0, 9, 18):
        assert (still[:, column : column + 8] == pixels(app, "/frame.png?seed=7&label=one")).all()


def test_the_grid_has_noises_in_rows_and_choices_in_columns(app, engine):
    noise = engine.models["one"].model.noise(7, 2)
    grid = pixels(app, "/grid.png?seed=7&rows=2")
    assert grid.shape == (17, 26)
    for column, label in enumerate(CLASSES):
        for row, picture in enumerate(made(engine, noise, label)):
            assert (grid[row * 9 : row * 9 + 8, column * 9 : column * 9 + 8] == picture).all()
    turned = pixels(app, "/grid.png?seed=7&rows=2&transpose=1")
    assert turned.shape == (26, 17)
    for row in range(2):
        for column in range(3):
            there = grid[row * 9 : row * 9 + 8, column * 9 : column * 9 + 8]
            assert (turned[column * 9 : column * 9 + 8, row * 9 : row * 9 + 8] == there).all()


@pytest.mark.parametrize(
    ("name", "along", "values"),
    [
        ("attributes", "", [{"hair": hair} for hair in ("black", "red", "grey")]),
        ("attributes", "&along=width", [{"width": f"{10 + 10 * k / 6:.4g}"} for k in range(7)]),
        ("text", "", [{"text": caption} for caption in encoder("text").fields()[0].examples]),
        ("mask", "", [{"mask": text} for text in encoder("mask").fields()[0].examples]),
        ("image", "&along=image", [{"image": text} for text in encoder("image").fields()[0].examples]),
    ],
)
def test_the_grid_goes_along_any_field(name, along, values):
    model = ConditionalGAN(configured(name).model(TARGETS, SIZE, 1)).eval().requires_grad_(False)
    engine = Engine({name: model}, "cpu")
    app = served(engine)
    try:
        grid = pixels(app, f"/grid.png?seed=7&rows=2{along}")
        assert grid.shape == (2 * SIZE + 1, len(values) * (SIZE + 1) - 1)
        raw = torch.cat([model.encoder.parse(value) for value in values])
        cond = engine.models[name].embed(raw)
        first = engine.models[name].sampler(model.noise(7, 1).expand(len(raw), -1), cond)[:, 0].numpy()
        for column, picture in enumerate(first):
            assert (grid[:SIZE, column * (SIZE + 1) :][:, :SIZE] == picture).all()
        assert "along must be one of" in get(app, "/grid.png?along=nose").text
    finally:
        engine.close()


def test_the_walk_goes_there_and_back(app):
    response = get(app, "/walk.gif?seed=7&label=one&seed2=8&label2=two&steps=4&scale=2&fps=20")
    assert response.headers["content-type"] == "image/gif"
    film = Image.open(io.BytesIO(response.content))
    assert film.info["duration"] == 50
    assert film.info["loop"] == 0
    frames = [np.asarray(frame.convert("L")) for frame in ImageSequence.Iterator(film)]
    strip = pixels(app, "/strip.png?seed=7&label=one&seed2=8&label2=two&steps=4&scale=2")
    stills = [strip[:, k * 18 : k * 18 + 16] for k in (0, 1, 2, 3, 2, 1)]
    assert len(frames) == 6
    for frame, still in zip(frames, stills, strict=True):
        assert (frame == still).all()


LIMITS = {  # parameter: the values it refuses
    "model": ["three", "", "../one", "..%2f..%2fetc%2fpasswd", "/etc/passwd", "one%00"],
    "seed": ["-1", "1.5", "nan", "inf", "1e3", "", "9007199254740992", "9" * 400, "0x10", "%D9%A1", "1%0a"],
    "count": ["0", "65", "-3", "two"],
    "first": ["-1", "1048577", "99999999999"],
    "psi": ["-0.1", "2.01", "nan", "inf", "-inf", "1e400", "", "1_0", "1,5", "--1"],
    "z": ["7", "-6.01", "nan", "1,,2", ",", "0,0,0,0,0,0", "0," * 900, "a"],
    "raw": ["5:0", "-1:0", "0:7", "0", "0:", ":1", "0:nan", "0:1:2", "0:1,", "1.0:1"],
    "strength": ["-1.1", "3.1", "nan", "Infinity"],
    "scale": ["0", "17", "1.5", "big"],
    "t": ["-0.1", "1.1", "nan"],
    "mode": ["cubic", "", "SLERP"],
    "label": ["four", "", "one:nan", "one:-1", "one:inf", "one:0", "one,", "x" * 8001, "one:1e99"],
    "label2": ["four", "one:", "one,one,one,one"],
    "seed2": ["-1", "x"],
    "v": ["", "a b", "x" * 65, "%0d%0aSet-Cookie: a=b"],
    "client": ["", "a b", "x" * 65, "../.."],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in LIMITS.items() for value in values]
)
def test_what_a_parameter_refuses(app, name, value):
    parameters = {"label": "one"} | {name: value}
    query = "&".join(f"{key}={part}" for key, part in parameters.items())
    response = get(app, f"/frame.png?{query}")
    assert response.status_code == 400
    assert response.headers["content-type"].startswith("text/plain")
    assert name.removesuffix("2") in response.text
    assert len(response.text.splitlines()) == 1
    assert len(response.text) < 2500
    assert response.text.endswith("\n")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/frame.png", "label is missing; accepted: zero, one, two"),
        ("/frame.png?label=one&sede=3", "unknown parameter 'sede'. Did you mean 'seed'"),
        ("/frame.png?label=one&steps=3", "unknown parameter 'steps'"),
        ("/frame.png?label=one&label=two", "parameter 'label' is given more than once"),
        ("/frame.png?label=one&scale=3&scale=3", "parameter 'scale' is given more than once"),
        (
            "/frame.png?label=one&" + "&".join(f"p{k}=" for k in range(300)) + "&p7=",
            "parameter 'p7' is given more than once",
        ),
        ("/strip.png?label=one&steps=65", "steps must be a whole number from 2 to 64, got '65'"),
        ("/strip.png?label=one&steps=1", "steps must be"),
        ("/strip.png?label=one&count=2", "unknown parameter 'count'"),
        ("/grid.png?label=one", "unknown parameter 'label'"),
        ("/grid.png?rows=17", "rows must be a whole number from 1 to 16, got '17'"),
        ("/grid.png?transpose=2", "transpose must be a whole number from 0 to 1"),
        ("/walk.gif?label=one&fps=0", "fps must be a whole number from 1 to 50"),
        ("/walk.gif?label=one&fps=51", "fps must be"),
    ],
)
def test_refusals(app, path, message):
    response = get(app, path)
    assert response.status_code == 400
    assert message in response.text


def test_no_answer_is_larger_than_the_limits(app, monkeypatch):
    monkeypatch.setattr("cgan.ui.plans.PIXELS", 10_000)
    for path in ("/frame.png?label=one&count=64&scale=2", "/strip.png?label=one&steps=64&scale=2",
                 "/grid.png?rows=16&scale=3", "/walk.gif?label=one&steps=64&scale=2"):  # fmt: skip
        response = get(app, path)
        assert response.status_code == 400
        assert "at most 10000 pixels in one answer" in response.text
        assert "scale" in response.text
    monkeypatch.setattr("cgan.ui.plans.PIXELS", 1000)
    assert get(app, "/grid.png?seed=1").content == get(app, "/grid.png?seed=1&rows=4").content
    monkeypatch.setattr("cgan.ui.plans.PICTURES", 10)
    assert "at most 10 pictures" in get(app, "/grid.png?rows=16").text
    assert get(app, "/grid.png?v=few").content == get(app, "/grid.png?rows=3").content


def test_the_largest_answers_the_limits_let_through(app):
    for path in ("/frame.png?label=one&count=64&scale=16", "/strip.png?label=one&steps=64&scale=16",
                 "/grid.png?rows=16&scale=16", "/walk.gif?label=one&steps=64&scale=16"):  # fmt: skip
        assert get(app, path).status_code == 200


def test_reading_is_all_that_can_be_done(app):
    for method in ("POST", "PUT", "DELETE"):
        assert get(app, "/frame.png?label=one", method=method).status_code == 405
    assert get(app, "/frame.png?label=one", method="HEAD").status_code == 200


def test_caching_follows_the_weights_version(app, engine):
    version = engine.models["one"].version
    fixed = get(app, f"/frame.png?label=one&v={version}")
    assert fixed.headers["cache-control"] == "public, max-age=31536000, immutable"
    for query in ("label=one", "label=one&v=deadbeef", f"label=one&model=two&v={version}"):
        response = get(app, f"/frame.png?{query}")
        assert response.headers["cache-control"] == "public, max-age=0, must-revalidate"
        assert response.headers["etag"]
    assert get(app, "/frame.png?label=one").content == fixed.content


def test_an_unchanged_picture_is_not_sent_again(app):
    first = get(app, "/frame.png?seed=5&label=one")
    tag = first.headers["etag"]
    again = get(app, "/frame.png?seed=5&label=one", **{"If-None-Match": tag})
    assert again.status_code == 304
    assert not again.content
    assert again.headers["etag"] == tag
    assert get(app, "/frame.png?seed=5&label=one", **{"If-None-Match": f'"x", W/{tag}'}).status_code == 304
    for other in ("seed=6&label=one", "seed=5&label=two", "seed=5&label=one&model=two"):
        assert get(app, f"/frame.png?{other}", **{"If-None-Match": tag}).status_code == 200


def test_refusals_are_not_cached(app):
    for path in ("/frame.png?seed=-1&label=one", "/frame.png?label=four"):
        response = get(app, path)
        assert "etag" not in response.headers
        assert "immutable" not in response.headers.get("cache-control", "")


def test_the_same_query_has_the_same_bytes_alone_in_company_and_after_a_restart(app, engine):
    paths = [f"/frame.png?seed={seed}&label={label}&z=0.3" for seed in range(20) for label in CLASSES]
    paths += ["/grid.png?rows=5", "/strip.png?label=one&seed2=3&steps=40", "/frame.png?label=two&count=33"]
    together = [response.content for response in get_all(app, *paths)]
    restarted = Engine({"one": vivid_model()}, "cpu")
    fresh = served(restarted)
    try:
        assert restarted.models["one"].version == engine.models["one"].version
        assert [get(fresh, path).content for path in paths] == together
    finally:
        restarted.close()
    a, b = (
        get(app, f"/frame.png?{q}").content for q in ("seed=2&label=one&psi=0.5", "psi=0.5&label=one&seed=2")
    )
    assert a == b


def test_visitors_never_see_each_others_pictures(app):
    """Many at once, each under his own name; and the same questions asked one by one of another app."""
    paths = [f"/frame.png?seed={k}&label={CLASSES[k % 3]}&client=visitor{k}" for k in range(60)]
    answers = get_all(app, *paths)
    for path, answer in zip(paths, answers, strict=True):
        assert answer.status_code == 200
        assert answer.content == get(app, path.partition("&client")[0]).content


class Held:
    """The engine's worker, held up while this is open."""

    def __init__(self, engine: Engine):
        self.engine, self.sampler = engine, engine.models["one"].sampler
        self.entered, self.go = threading.Event(), threading.Event()

    def __call__(self, noise, cond):
        self.entered.set()
        assert self.go.wait(20)
        return self.sampler(noise, cond)


@pytest.fixture
def held(engine, monkeypatch) -> Held:
    held = Held(engine)
    object.__setattr__(engine.models["one"], "sampler", held)
    held.batch = held.sampler.batch
    model = engine.models["one"].model
    blocking = engine.submit("one", model.noise(0, 1), Cond(model.encoder.sample(1, 0)))
    assert held.entered.wait(20)
    yield held
    held.go.set()
    blocking.result(20)
    object.__setattr__(engine.models["one"], "sampler", held.sampler)


async def queued(app: FastAPI, engine: Engine, held: Held, paths: list[str]) -> list[httpx.Response]:
    """Requests that reach the engine in this order while its worker is held up."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        tasks = []
        for path in paths:
            tasks.append(asyncio.create_task(client.get(path)))
            for _ in range(20):
                await asyncio.sleep(0)
        held.go.set()
        return await asyncio.gather(*tasks)


def test_a_newer_request_supersedes_the_clients_older_one(app, engine, held):
    paths = [
        "/frame.png?seed=101&label=one&client=a",
        "/frame.png?seed=102&label=one&client=b",
        "/strip.png?seed=103&label=one&client=a",
        "/frame.png?seed=104&label=one",
        "/frame.png?seed=105&label=one&client=a",
    ]
    answers = asyncio.run(queued(app, engine, held, paths))
    assert [answer.status_code for answer in answers] == [204, 200, 200, 200, 200]
    assert answers[0].content == b""
    assert answers[0].headers["cache-control"] == "no-store"
    again = get(app, paths[0])
    assert again.status_code == 200, "what was dropped can be asked for again"


def test_a_full_queue_says_so(app, engine, held, monkeypatch):
    monkeypatch.setattr(engine_module, "QUEUE_JOBS", 2)
    paths = [f"/frame.png?seed={seed}&label=one" for seed in (201, 202, 203)]
    answers = asyncio.run(queued(app, engine, held, paths))
    assert [answer.status_code for answer in answers] == [200, 200, 503]
    assert answers[2].headers["retry-after"] == "1"
    assert len(answers[2].text.splitlines()) == 1


def test_what_many_ask_for_at_once_is_made_once(app, engine, held, monkeypatch):
    monkeypatch.setattr(engine_module, "QUEUE_JOBS", 1)
    paths = ["/frame.png?seed=301&label=one&v=a", "/frame.png?label=one&seed=301"] * 5
    answers = asyncio.run(queued(app, engine, held, paths))
    assert [answer.status_code for answer in answers] == [200] * 10
    assert len({answer.content for answer in answers}) == 1


def test_who_goes_takes_the_picture_from_nobody_else(app, held):
    async def together() -> list[int]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            tasks = [asyncio.create_task(client.get("/frame.png?seed=302&label=one")) for _ in range(3)]
            for _ in range(60):
                await asyncio.sleep(0)
            tasks[0].cancel()
            await asyncio.sleep(0)
            held.go.set()
            return [(await task).status_code for task in tasks[1:]]

    assert asyncio.run(together()) == [200, 200]


def test_health_and_models(app, engine):
    health = get(app, "/healthz")
    assert health.status_code == 200
    assert health.json() == {
        "status": "ok",
        "models": ["one", "two", "rgb"],
        "device": "cpu",
        "queue_depth": 0,
    }
    first, _, third = get(app, "/models.json").json()
    assert first["name"] == "one"
    assert first["dataset"] == "mnist"
    assert (first["size"], first["channels"], first["noise_dim"], first["directions"]) == (8, 1, 5, 5)
    assert first["fields"] == [{"type": "choice", "name": "label", "choices": list(CLASSES), "colours": []}]
    assert first["version"] == engine.models["one"].version
    assert first["metrics"] == {}
    assert third["channels"] == 3


def test_the_figures_in_a_models_folder_are_told(tmp_path):
    figures = {"training": {"kimg": 3.5}, "evaluation": {"ratio": {"recall": 0.75}}, "curve": []}
    tiny_model().save(tmp_path / "one")
    (tmp_path / "one" / "metrics.json").write_text(json.dumps(figures))
    engine = Engine.load({"one": tmp_path / "one"}, "cpu")
    app = served(engine)
    try:
        (told,) = get(app, "/models.json").json()
        assert told["metrics"] == figures
        assert told["kimg"] == 3.5
    finally:
        engine.close()


@pytest.mark.parametrize(
    "path", ["/inversion.json", "/inversion.png", "/score.json", "/raising.png", "/remarks.json"]
)
def test_what_checks_a_drawing_or_a_caption_keeps_nobody_waiting(path):
    assert ROUTES[path].aside


@pytest.mark.parametrize("path", ["/frame.png", "/reading.json", "/real.json"])
@pytest.mark.parametrize("name", ["mask", "image"])
def test_a_picture_given_is_decoded_beside_the_event_loop_and_once(name, path, monkeypatch):
    """Who drags the noise under the same picture is answered without another thread."""
    model = ConditionalGAN(configured(name).model(TARGETS, SIZE, 1)).eval().requires_grad_(False)
    engine, decoding, answering = Engine({"one": model}, "cpu"), [], []

    def noted(into, call):
        return lambda *given: (
            into.append(threading.current_thread() is threading.main_thread()) or call(*given)
        )

    def judge(picture):
        raise engine_module.Busy("no judge")

    monkeypatch.setattr(model.encoder, "parse", noted(decoding, model.encoder.parse))
    monkeypatch.setattr("cgan.ui.reading.judge", lambda model: judge)
    answer = noted(answering, ROUTES[path].answer)
    monkeypatch.setitem(ROUTES, path, dataclasses.replace(ROUTES[path], answer=answer))
    try:
        app = served(engine)
        for seed in (1, 2):
            get(app, f"{path}?seed={seed}&{name}={model.encoder.fields()[0].examples[0]}")
        assert decoding
        assert not any(decoding)
        if path == "/frame.png":
            assert len(decoding) == 1
            assert answering == [False, True]
    finally:
        engine.close()


@pytest.mark.parametrize(
    "path", ["/assets/models/one/config.json", "/../config.json", "/frame.png/..%2fapp.py"]
)
def test_no_file_is_served(app, path):
    assert get(app, path).status_code == 404


def test_every_route_is_tested_here():
    assert set(PICTURE_ROUTES) == {"/frame.png", "/strip.png", "/grid.png", "/walk.gif"}
    assert set(PICTURE_ROUTES) <= set(ROUTES)


@pytest.mark.parametrize(
    "more",
    ["psi=0.5", "z=2", "raw=0:2", "strength=2", "scale=2", "count=2", "first=1", "seed=6", "model=two"],
)
def test_every_parameter_makes_another_answer(app, more):
    """None is missing in the key of what is kept."""
    base = "/frame.png?label=one" + ("" if "seed" in more else "&seed=5")
    assert get(app, base).content != get(app, f"{base}&{more}").content
