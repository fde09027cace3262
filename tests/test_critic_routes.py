"""The discriminator's opinion, asked for: whose score it is, under which condition, and what is refused."""

from __future__ import annotations

import base64
import io
import json
import math
from urllib.parse import urlencode

import numpy as np
import pytest
import torch
from PIL import Image

from cgan.conditions import CONDITIONS
from cgan.conditions.pictures import read_picture, to_text
from cgan.critic import scores, sensitivity
from cgan.data import Images
from cgan.data.faces import Faces
from cgan.engine import Engine
from cgan.model import ConditionalGAN
from cgan.ui.fields import initial
from cgan.ui.tabs.critic import DARKER, LIGHTER, overlay
from tests.conftest import CLASSES, served, tiny_config, tiny_data, tiny_model
from tests.test_routes import COLOUR, get, pixels

LOSSES = {name: {"training": {"config": {"loss": {"name": name}}}} for name in ("bce", "hinge")}
LOSSES["odd"] = {"training": ["bce"]}
BLACK = to_text(np.zeros((8, 8), np.uint8))


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    folders = {}
    for name, metrics in LOSSES.items():
        folders[name] = tmp_path_factory.mktemp(name)
        tiny_model().save(folders[name])
        (folders[name] / "metrics.json").write_text(json.dumps(metrics))
    COLOUR.save(tmp_path_factory.mktemp("rgb"))
    models = {name: tiny_model() for name in folders} | {"rgb": COLOUR}
    engine = Engine(models, "cpu", folders)
    yield engine
    engine.close()


def told(app, path: str) -> dict:
    response = get(app, path)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    return response.json()


def judged(engine, picture: np.ndarray, label: str, name: str = "bce") -> float:
    """The logit of [H, W] under a label."""
    model = engine.models[name].model
    cond = model.encoder.embed(model.encoder.parse({"label": label}))
    return scores(model, torch.from_numpy(picture.copy())[None, None], cond).item()


def test_the_score_is_that_of_the_picture_on_the_stage(app, engine):
    for label in ("one", "two"):
        place = f"seed=7&label={label}&psi=0.5&z=1,-2&first=3"
        found = told(app, f"/score.json?{place}")
        assert found["logit"] == pytest.approx(
            judged(engine, pixels(app, f"/frame.png?{place}"), label), abs=2e-3
        )
        assert found["probability"] == pytest.approx(1 / (1 + math.exp(-found["logit"])), abs=1e-4)


@pytest.mark.parametrize(
    ("name", "likely"), [("bce", True), ("hinge", False), ("odd", False), ("rgb", False)]
)
def test_only_a_cross_entropy_makes_it_a_probability(app, name, likely):
    found = told(app, f"/score.json?model={name}&seed=7&label=one")
    assert (found["probability"] is not None) == likely


def test_a_drawing_is_judged_under_the_condition_that_is_asked_for(app, engine):
    drawn = tiny_data(1).images[0, 0].numpy()
    logits = []
    for label in ("one", "two"):
        found = told(app, f"/score.json?label={label}&drawn={to_text(drawn)}")
        assert found["logit"] == pytest.approx(judged(engine, drawn, label), abs=1e-4)
        logits.append(found["logit"])
    assert logits[0] != logits[1]
    nothing = told(app, "/score.json?label=one&seed=7&drawn=")
    assert nothing == told(app, "/score.json?label=one&seed=7")
    large = Image.fromarray(drawn).resize((40, 40), Image.Resampling.NEAREST).convert("RGB")
    jpeg = io.BytesIO()
    large.save(jpeg, "JPEG", quality=98)
    text = base64.urlsafe_b64encode(jpeg.getvalue()).decode()
    assert "logit" in told(app, f"/score.json?label=one&drawn={text}")
    assert "logit" in told(app, f"/score.json?model=rgb&label=one&drawn={text}")


def test_the_ranking_is_of_the_seeds_own_pictures(app):
    found = told(app, "/ranking.json?seed=7&label=two&psi=0.5")
    assert len(found["logits"]) == 64
    assert sorted(found["order"]) == list(range(64))
    ranked = [found["logits"][index] for index in found["order"]]
    assert ranked == sorted(ranked, reverse=True)
    assert ranked[0] > ranked[-1]
    for index in (0, 17, 63):
        one = told(app, f"/score.json?seed=7&label=two&psi=0.5&first={index}")["logit"]
        assert found["logits"][index] == pytest.approx(one, abs=1e-3)


def test_the_map_shows_the_sign_and_the_strength_of_the_gradient(app, engine):
    response = get(app, "/raising.png?seed=7&label=two&scale=2")
    shown = np.asarray(Image.open(io.BytesIO(response.content)))
    assert shown.shape == (16, 16, 4)
    model = engine.models["bce"].model
    picture = torch.from_numpy(pixels(app, "/frame.png?seed=7&label=two").copy())[None, None]
    _, raised = sensitivity(model, picture, model.encoder.embed(model.encoder.parse({"label": "two"})))
    clear = (raised.abs() > 0.05 * raised.abs().max()).numpy()
    warm = shown[::2, ::2, 0] > shown[::2, ::2, 2]
    assert (warm == (raised > 0).numpy())[clear].all()
    assert shown[::2, ::2, 3].flatten()[raised.abs().argmax()] == 235


def test_an_overlay_by_hand():
    found = overlay(torch.tensor([[4.0, -1.0], [0.0, 1.0]]))
    assert found[0, 0].tolist()[:3] == list(LIGHTER)
    assert found[0, 1].tolist()[:3] == list(DARKER)
    assert found[0, 0, 3] == 235
    assert found[1, 0, 3] == 0
    assert found[0, 1, 3] == found[1, 1, 3] == pytest.approx(235 / 4, abs=3)
    assert not overlay(torch.zeros(2, 2))[..., 3].any()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/score.json?label=one&drawn=abc", "drawn must be base64url of a PNG, JPEG, WEBP"),
        (f"/score.json?label=one&drawn={'A' * 6001}", "drawn must be"),
        (f"/score.json?label=one&seed=1&drawn={BLACK}", "unknown parameter 'seed'"),
        ("/score.json?label=four", "unknown label 'four'"),
        ("/raising.png?label=one&scale=17", "scale must be a whole number from 1 to 16"),
        ("/ranking.json?label=one&count=3", "unknown parameter 'count'"),
        ("/ranking.json?seed=1", "label is missing"),
    ],
)  # fmt: skip
def test_refusals(app, path, message):
    response = get(app, path)
    assert response.status_code == 400
    assert message in response.text


@pytest.fixture
def kept(monkeypatch):
    """Real pictures of the tiny models' data: six of every class."""
    data = tiny_data(18)
    monkeypatch.setattr("cgan.specimens.load", lambda dataset: data)
    return data


def test_real_pictures_of_the_class_that_is_asked_for(app, engine, kept):
    found = told(app, "/real.json?seed=3&label=two")
    logits = found["logits"]
    assert len(logits) == 6
    assert logits == sorted(logits, reverse=True)
    assert found["shown"] == [], "what was asked for stays"
    row = pixels(app, "/real.png?seed=3&label=two")
    shown = [row[:, 9 * k : 9 * k + 8] for k in range(6)]
    own = kept.images[kept.targets["label"] == 2][:, 0].numpy()
    assert {each.tobytes() for each in shown} == {each.tobytes() for each in own}
    for picture, logit, text in zip(shown, logits, found["pictures"], strict=True):
        assert (read_picture("drawn", text, 8, 1)[0] == picture).all()
        assert logit == pytest.approx(judged(engine, picture, "two"), abs=1e-4)
    mixed = told(app, "/real.json?seed=3&label=one:0.2,two:0.8")["logits"]
    assert mixed == logits


FOUR = Images(tiny_data(4).images, {"label": torch.arange(4), "classes": (*CLASSES, "three")})


@pytest.mark.parametrize("data", [None, Images(tiny_data().images), tiny_data(size=16), FOUR])
def test_where_no_real_pictures_are_kept(app, data, monkeypatch):
    monkeypatch.setattr("cgan.specimens.load", lambda dataset: data)
    assert told(app, "/real.json?label=two") == {"logits": [], "pictures": [], "shown": []}
    response = get(app, "/real.png?label=two")
    assert response.status_code == 400
    assert "no labelled real pictures are stored for model bce" in response.text


@pytest.mark.parametrize("form", ["attributes", "text", "mask", "image"])
def test_real_pictures_are_judged_under_what_they_show(form, tmp_path, monkeypatch):
    faces = Faces(count=3)
    drawn = faces.load(tmp_path, "train")
    networks = {"generator__widths": (4, 4, 4, 4), "discriminator__widths": (4, 4, 4, 4, 4)}
    config = tiny_config(dataset=faces, condition=CONDITIONS[form](), **networks)
    torch.manual_seed(0)
    model = ConditionalGAN(config.model(drawn.targets, 64, 3)).eval().requires_grad_(False)
    monkeypatch.setattr("cgan.specimens.load", lambda dataset: drawn)
    query = urlencode({field.name: initial(field) for field in model.encoder.fields()})
    engine = Engine({"faces": model}, "cpu")
    app = served(engine)
    found = told(app, f"/real.json?{query}")
    row = pixels(app, f"/real.png?{query}")
    assert len(found["logits"]) == 3
    assert found["logits"][0] > found["logits"][2]
    for k, (logit, text, shown) in enumerate(zip(*found.values(), strict=True)):
        picture = torch.from_numpy(row[:, 65 * k : 65 * k + 64].copy()).permute(2, 0, 1)
        (place,) = [j for j, image in enumerate(drawn.images) if torch.equal(image, picture)]
        again, own = model.encoder.parse(shown), drawn.targets[form][place : place + 1]
        if form != "text":  # of which there are three for every face
            torch.testing.assert_close(again, model.encoder.encode({form: own}))
        judged = scores(model, picture[None], model.encoder.embed(again)).item()
        assert logit == pytest.approx(judged, abs=1e-3)
        asked = told(app, f"/score.json?{urlencode(shown | {'drawn': text})}")
        assert asked["logit"] == pytest.approx(judged, abs=1e-3), "the pad says what the row said"
    engine.close()
