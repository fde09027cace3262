"""Draw and invert, and nearest neighbours: what the routes answer and refuse."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
import torch
from fastapi import FastAPI
from PIL import Image

from cgan.conditions.pictures import read_picture, to_text
from cgan.engine import Engine
from cgan.model import ConditionalGAN
from cgan.neighbours import Neighbours
from tests.conftest import tiny_config, tiny_model
from tests.test_conditions import TARGETS, condition
from tests.test_neighbours import kept, network  # noqa: F401 (fixtures)
from tests.test_routes import get, pixels, vivid_model

RAMP = to_text(np.arange(0, 256, 4, dtype=np.uint8).reshape(8, 8))


def drawn_model() -> ConditionalGAN:
    """Takes a drawing as its condition."""
    torch.manual_seed(0)
    config = tiny_config(condition=condition("image")).model(TARGETS, 8, 1)
    return ConditionalGAN(config).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def engine():
    large = tiny_model(dataset__size=28)
    engine = Engine({"one": vivid_model(), "drawn": drawn_model(), "large": large}, "cpu")
    yield engine
    engine.close()


def asked(app: FastAPI, path: str) -> dict:
    response = get(app, path)
    assert response.status_code == 200, response.text
    return json.loads(response.content)


def test_what_is_found_makes_the_picture_that_is_told(app):
    found = asked(app, f"/inversion.json?drawn={RAMP}&steps=20")
    assert [moment["step"] for moment in found["path"]] == [0, 1, 2, 5, 10, 20]
    target = read_picture("drawn", RAMP, 8, 1)[0].astype(float)
    for moment in found["path"]:
        picture = pixels(app, f"/frame.png?label={moment['values']['label']}&raw={moment['raw']}")
        assert np.sqrt(((picture - target) ** 2).mean()) / 255 == pytest.approx(moment["error"], abs=0.004)
    assert found["path"][-1]["error"] < found["random"]
    assert len(found["finalists"]) == 3
    assert found["finalists"][0] == {key: found["path"][-1][key] for key in ("values", "error")}


def test_the_search_as_a_picture(app):
    sheet = pixels(app, f"/inversion.png?drawn={RAMP}&steps=20")
    assert sheet.shape == (8, 7 * 9 - 1)
    assert (sheet[:, :8] == read_picture("drawn", RAMP, 8, 1)[0]).all()
    last = asked(app, f"/inversion.json?drawn={RAMP}&steps=20")["path"][-1]
    picture = pixels(app, f"/frame.png?label={last['values']['label']}&raw={last['raw']}")
    assert np.abs(sheet[:, -8:].astype(int) - picture).max() <= 1


def test_noise_alone_is_sought_under_a_label(app):
    found = asked(app, f"/inversion.json?drawn={RAMP}&steps=4&seek=noise&label=one:0.5,two:0.5")
    assert {moment["values"]["label"] for moment in found["path"]} == {"one:0.5,two:0.5"}
    assert len(found["finalists"]) == 1


def test_a_condition_that_is_no_choice_is_kept(app, engine):
    (field,) = engine.models["drawn"].model.encoder.fields()
    size = engine.models["drawn"].model.config.size
    given, drawn = (to_text(np.full((size, size), shade, np.uint8)) for shade in (200, 90))
    found = asked(app, f"/inversion.json?model=drawn&drawn={drawn}&steps=2&{field.name}={given}")
    assert [moment["values"] for moment in found["path"]] == [{field.name: given}] * 3


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/inversion.json", "drawn must be base64url of a PNG"),
        ("/inversion.json?drawn=abcd", "got something else or a broken file"),
        (f"/inversion.json?drawn={RAMP}&steps=201", "steps must be a whole number from 0 to 200"),
        (f"/inversion.json?drawn={RAMP}&seek=label", "seek must be one of both, noise"),
        (f"/inversion.json?drawn={RAMP}&seek=noise", "label is missing"),
        (f"/inversion.json?drawn={RAMP}&seed=1", "unknown parameter 'seed'"),
        ("/neighbours.json?label=one&space=x", "space must be one of features, pixels"),
        ("/neighbours.png?label=one", "no real pictures are kept of the data set of model one"),
    ],
)
def test_refusals(app, path, message):
    response = get(app, path)
    assert response.status_code == 400
    assert message in response.text


def test_where_no_real_pictures_are_kept_the_models_own_are_offered(app, engine):
    found = asked(app, "/starts.json")
    assert found["real"] is False
    model = engine.models["one"].model
    own = model.sample(model.noise(1000, 8), model.encoder.sample(8, 1000)).numpy()
    read = np.stack([read_picture("drawn", text, 8, 1) for text in found["pictures"]])
    assert (read == own).all()
    assert asked(app, "/neighbours.json?label=one") == {"searched": 0}


def test_the_models_own_are_offered_under_the_condition_that_is_given(app, engine):
    model = engine.models["one"].model
    own = model.sample(model.noise(1000, 8), torch.cat([model.encoder.parse({"label": "two"})] * 8)).numpy()
    read = [read_picture("drawn", text, 8, 1) for text in asked(app, "/starts.json?label=two")["pictures"]]
    assert (np.stack(read) == own).all()
    assert get(app, "/starts.json?label=four").status_code == 400


def test_real_pictures_of_every_label_are_offered(app, kept, monkeypatch):  # noqa: F811
    monkeypatch.setattr(Neighbours, "load", lambda dataset: kept)
    found = asked(app, "/starts.json?model=large")
    assert found["real"] is True
    read = [torch.from_numpy(read_picture("drawn", text, 28, 1)) for text in found["pictures"]]
    places = [int((kept.pictures == picture).flatten(1).all(1).nonzero()) for picture in read]
    assert sorted(kept.labels[places].tolist()) == [0, 1]


def test_the_nearest_real_pictures(app, kept, engine, monkeypatch):  # noqa: F811
    monkeypatch.setattr(Neighbours, "load", lambda dataset: kept)
    for space in ("features", "pixels"):
        query = f"model=large&seed=3&label=two&space={space}"
        found = asked(app, f"/neighbours.json?{query}")
        picture = torch.from_numpy(pixels(app, "/frame.png?model=large&seed=3&label=two").copy())[None, None]
        distances, places = kept.nearest(picture, 8, space)
        assert [row["row"] for row in found["rows"]] == kept.rows[places].tolist()
        assert [row["label"] for row in found["rows"]] == [("a", "b")[label] for label in kept.labels[places]]
        assert [row["distance"] for row in found["rows"]] == pytest.approx(distances.tolist(), abs=1e-3)
        assert (found["searched"], found["of"], found["judge"]) == (50, 60, "cgan-mnist")
        assert found["low"] <= found["usual"] <= found["high"]
        sheet = np.asarray(Image.open(io.BytesIO(get(app, f"/neighbours.png?{query}").content)))
        assert (sheet[:, :28] == kept.pictures[places[0], 0].numpy()).all()
        assert sheet.shape == (28, 8 * 29 - 1)
