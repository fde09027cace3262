"""Look inside: what the routes show and refuse."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
import torch
from PIL import Image

from cgan.engine import Engine
from cgan.ui.pictures import diverging
from tests.conftest import tiny_model
from tests.test_routes import get, pixels


@pytest.fixture(scope="module")
def engine():
    engine = Engine({"one": tiny_model(generator__widths=(48, 4))}, "cpu")
    yield engine
    engine.close()


def without(engine, off) -> np.ndarray:
    """[8, 8], seed 7 under "two"."""
    resident = engine.models["one"]
    model = resident.model
    cond = model.encoder.embed(model.encoder.parse({"label": "two"}))
    return model.to_uint8(resident.dissection.run(model.noise(7, 1), cond, off)[0])[0, 0].numpy()


def test_nothing_off_is_the_picture_of_generate(app):
    whole = get(app, "/frame.png?seed=7&label=two").content
    assert get(app, "/dissected.png?seed=7&label=two").content == whole
    assert get(app, "/dissected.png?seed=7&label=two&off=").content == whole


def test_a_picture_without_some_channels(app, engine):
    found = pixels(app, "/dissected.png?seed=7&label=two&off=1:3,0:2,0:40")
    assert (found == without(engine, {0: [2, 40], 1: [3]})).all()
    assert (found != pixels(app, "/frame.png?seed=7&label=two")).any()
    assert (pixels(app, "/dissected.png?seed=7&label=two&off=1:3,0:2,0:40&scale=2")[::2, ::2] == found).all()
    again = pixels(app, "/dissected.png?seed=7&label=two&off=0:40,1:3,1:3,0:2")
    assert (again == found).all()


def test_what_is_missing_is_the_signed_difference(app, engine):
    response = get(app, "/missing.png?seed=7&label=two&off=1:3,1:0")
    shown = np.asarray(Image.open(io.BytesIO(response.content))).astype(int)
    change = without(engine, {}).astype(int) - without(engine, {1: [0, 3]}).astype(int)
    assert abs(change).max() > 8
    warm = shown[:, :, 0] - shown[:, :, 2]
    assert (np.sign(warm)[abs(change) > 8] == np.sign(change)[abs(change) > 8]).all()
    nothing = get(app, "/missing.png?seed=7&label=two").content
    assert (np.asarray(Image.open(io.BytesIO(nothing))) == (22, 22, 28)).all()


def test_the_sheet_has_the_channels_that_vary_most_in_their_order(app, engine):
    dissection = engine.models["one"].dissection
    model = engine.models["one"].model
    cond = model.encoder.embed(model.encoder.parse({"label": "two"}))
    for level, (rows, columns, count) in enumerate([(5, 8, 40), (1, 8, 4)]):
        sheet = np.asarray(
            Image.open(io.BytesIO(get(app, f"/features.png?seed=7&label=two&block={level}").content))
        )
        maps = dissection.run(model.noise(7, 1), cond)[1][level]
        pitch = maps.shape[-1] + 1
        assert sheet.shape == (rows * pitch - 1, columns * pitch - 1, 3)
        high = dissection.contrast(level, maps)[0]
        for place, channel in enumerate(dissection.levels[level].order[:count]):
            row, column = divmod(place, 8)
            cell = sheet[row * pitch : (row + 1) * pitch - 1, column * pitch : (column + 1) * pitch - 1]
            assert (cell == diverging(high[channel] / 3)).all()
    off = get(app, f"/features.png?seed=7&label=two&off=0:{dissection.levels[0].order[0]}").content
    assert (np.asarray(Image.open(io.BytesIO(off)))[:4, :4] == (22, 22, 28)).all()


def test_the_parts_of_the_generator(app, engine):
    found = json.loads(get(app, "/levels.json").content)
    assert [(stage["kind"], stage["size"], stage["channels"]) for stage in found["stages"]] == [
        ("stem", 4, 48), ("residual", 8, 4), ("image", 8, 1)]  # fmt: skip
    assert [len(channels) for channels in found["channels"]] == [40, 4]
    assert found["channels"][1] == list(engine.models["one"].dissection.levels[1].order)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/dissected.png?label=two&off=0:48", "off: no channels [48] on level 0"),
        ("/dissected.png?label=two&off=2:0", "off: no channels [0] on level 2"),
        ("/dissected.png?label=two&off=0", "off must be LEVEL:CHANNEL pairs between commas, got '0'"),
        ("/dissected.png?label=two&off=0:1,", "off must be"),
        ("/dissected.png?label=two&off=0:-1", "off must be"),
        ("/dissected.png?label=two&off=0:1&count=3", "unknown parameter 'count'"),
        ("/features.png?label=two&block=2", "block must be from 0 to 1, got 2"),
        ("/features.png?label=two&block=x", "block must be a whole number"),
        ("/missing.png?label=four&off=0:1", "unknown label 'four'"),
        ("/levels.json?seed=1", "unknown parameter 'seed'"),
    ],
)
def test_refusals(app, path, message):
    response = get(app, path)
    assert response.status_code == 400
    assert message in response.text


def test_there_is_a_most_that_can_be_off(app):
    off = ",".join(f"{level}:{channel}" for level in range(2) for channel in range(600))
    assert "off takes at most 1024 channels, got 1200" in get(app, f"/dissected.png?label=two&off={off}").text


def test_colours_by_hand():
    found = diverging(torch.tensor([[-9.0, -1.0, -0.5, 0.0, 0.25, 0.5, 1.0]]))
    assert found.dtype == np.uint8
    pale, blue, orange, yellow = [176, 222, 255], [40, 104, 200], [212, 84, 30], [255, 224, 150]
    assert found[0].tolist() == [pale, pale, blue, [22, 22, 28], [117, 53, 29], orange, yellow]
