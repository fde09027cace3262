"""The training replayed: what the routes show, what they refuse, and how much of it stays in memory."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence

from cgan import timeline
from cgan.engine import Engine
from cgan.model import TIMELINE, ConditionalGAN, ModelError
from cgan.timeline import Snapshots
from tests.conftest import CLASSES, tiny_model
from tests.test_routes import get, pixels

KIMG = [0.0, 2.5, 10.0]


def at(index: int):
    """The tiny model as it was at a snapshot: the later, the more contrast."""
    model = tiny_model()
    model.generator.to_image.conv.weight.mul_(1 + index)
    return model


def same(model: ConditionalGAN) -> ConditionalGAN:
    return model


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("learn")
    at(2).save(folder)
    timeline.write(folder, [(kimg, timeline.compress(at(k).sampler_state())) for k, kimg in enumerate(KIMG)])
    return folder


@pytest.fixture(scope="module")
def engine(folder, tmp_path_factory):
    bare, empty = tmp_path_factory.mktemp("bare"), tmp_path_factory.mktemp("empty")
    at(2).save(bare)
    at(2).save(empty)
    timeline.write(empty, [])  # as runs without snapshots once left it
    engine = Engine.load({"one": folder, "bare": bare, "empty": empty}, "cpu")
    yield engine
    engine.close()


def expected(index: int, seed: int, label: str) -> np.ndarray:
    model = at(index)
    return model.sample(model.noise(seed, 1), model.encoder.parse({"label": label}))[0, 0].numpy()


def close(found: np.ndarray, wanted: np.ndarray) -> bool:
    """As near as weights of 8 bits come."""
    return int(np.abs(found.astype(int) - wanted.astype(int)).max()) <= 10


def test_a_snapshot_is_the_picture_of_its_time(app):
    early, late = (expected(index, 7, "one") for index in (0, 2))
    assert not close(early, late)
    for index in range(3):
        found = pixels(app, f"/snapshot.png?seed=7&label=one&view=one&snapshot={index}")
        assert close(found, expected(index, 7, "one")), index
    assert close(pixels(app, "/snapshot.png?seed=7&label=one&view=one"), late), "the last where none is named"


def test_every_choice_under_the_same_noises(app):
    sheet = pixels(app, "/snapshot.png?seed=7&rows=2&snapshot=1")
    assert sheet.shape == (17, 26)
    for column, label in enumerate(CLASSES):
        assert close(sheet[:8, column * 9 : column * 9 + 8], expected(1, 7, label))
    assert not (sheet[:8, :8] == sheet[9:, :8]).all()
    assert pixels(app, "/snapshot.png?seed=7").shape == (44, 26)


def test_one_picture_through_the_training(app):
    strip = pixels(app, "/history.png?seed=7&label=two&scale=2")
    assert strip.shape == (16, 52)
    for index in range(3):
        assert close(strip[::2, index * 18 : index * 18 + 16 : 2], expected(index, 7, "two"))
    response = get(app, "/history.gif?seed=7&label=two&view=one&fps=4")
    film = Image.open(io.BytesIO(response.content))
    assert (response.headers["content-type"], film.info["duration"]) == ("image/gif", 250)
    frames = [np.asarray(frame.convert("L")) for frame in ImageSequence.Iterator(film)]
    assert [close(frame, expected(k, 7, "two")) for k, frame in enumerate(frames)] == [True] * 3


def test_a_snapshot_is_made_by_the_engine_in_batches(app, engine):
    """The same bytes alone as among others, by a generator made ready to serve."""
    earlier = engine.resident("one").snapshots[1]
    assert earlier is not engine.resident("one")
    assert earlier.sampler.device == engine.device
    assert not earlier.sampler.graphs, "a recording would keep its weights when it is dropped"
    sheet = pixels(app, "/snapshot.png?seed=7&rows=2&snapshot=1")
    noise, cond = earlier.model.noise(7, 1), earlier.embed(earlier.model.encoder.parse({"label": CLASSES[1]}))
    alone = engine.submit(earlier, noise, cond).result(20)[0, 0].numpy()
    assert (sheet[:8, 9:17] == alone).all()


def test_models_tell_when_their_snapshots_were_taken(app):
    assert [model["snapshots"] for model in get(app, "/models.json").json()] == [KIMG, [], []]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/snapshot.png?snapshot=3", "snapshot must be a whole number from 0 to 2, got '3'"),
        ("/snapshot.png?view=two", "view must be one of every, one"),
        ("/snapshot.png?rows=9", "rows must be a whole number from 1 to 8"),
        ("/snapshot.png?view=one&label=four", "unknown label 'four'"),
        ("/snapshot.png?view=one&label=one&rows=2", "unknown parameter 'rows'"),
        ("/snapshot.png?model=bare", "model bare has no timeline"),
        ("/snapshot.png?model=empty", "model empty has no timeline"),
        ("/history.png?model=bare&label=one", "model bare has no timeline"),
        ("/history.png?snapshot=1&label=one", "unknown parameter 'snapshot'"),
    ],
)
def test_refusals(app, path, message):
    response = get(app, path)
    assert response.status_code == 400
    assert message in response.text


def test_no_answer_is_larger_than_the_limits(app, monkeypatch):
    monkeypatch.setattr("cgan.ui.plans.PIXELS", 8000)
    assert get(app, "/snapshot.png?rows=8").status_code == 200
    for name in (
        "snapshot.png?rows=8&scale=3",
        "history.gif?rows=8&scale=2",
        "history.png?label=one&scale=16",
    ):
        assert "at most 8000 pixels" in get(app, f"/{name}").text, name
    monkeypatch.setattr("cgan.ui.plans.PIXELS", 2000)
    assert get(app, "/history.gif").content == get(app, "/history.gif?rows=2").content


def test_what_was_used_longest_ago_leaves_first(folder):
    snapshots = Snapshots(at(2), folder, same, memory=0)
    assert snapshots[0] is snapshots[0]
    first = snapshots[0]
    assert snapshots[1] is not first
    assert snapshots[0] is not first
    roomy = Snapshots(at(2), folder, same)
    kept = [roomy[index] for index in range(3)]
    assert all(roomy[index] is kept[index] for index in range(3))
    size = timeline._bytes(kept[0])
    two = Snapshots(at(2), folder, same, memory=2 * size)
    a, b = two[0], two[1]
    assert two[0] is a
    assert two[2] is not None
    assert two[0] is a, "used after the other"
    assert two[1] is not b


def test_snapshots_leave_the_model_alone_and_refuse_what_does_not_fit(folder):
    model = at(2)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    snapshots = Snapshots(model, folder, same)
    assert not hasattr(snapshots[0], "discriminator")
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    with pytest.raises(IndexError, match="from 0 to 2, got 3"):
        snapshots[3]
    with pytest.raises(ModelError, match="config.json asks for"):
        Snapshots(tiny_model(generator__noise_dim=6), folder, same)[0]
    with pytest.raises(ModelError, match=TIMELINE):
        Snapshots(model, folder / "nowhere", same)
