"""What is read off one picture, by hand-made judges, and the routes that tell it."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
import torch

from cgan.conditions import CONDITIONS
from cgan.engine import Engine
from cgan.metrics.features import FeatureNetwork
from cgan.metrics.judge import Judgement, Subjects
from cgan.metrics.reading import READERS, Reading
from cgan.model import ConditionalGAN
from cgan.ui import reading
from tests.test_conditions import ATTRIBUTES, SIZE, TARGETS, configured, values_of
from tests.test_routes import get, told_in_chinese

NONE = torch.zeros(1, 2)
SUBJECTS = Subjects(
    labels=TARGETS["classes"], attributes=ATTRIBUTES, mask=TARGETS["mask_classes"], image=1
)  # of a judge that reads whatever these tests ask


def read(form: str, asked: dict, **judged: torch.Tensor) -> dict[str, Reading]:
    """The form's readings by name."""
    return {row.name: row for row in READERS[form](asked, Judgement(NONE, **judged), SUBJECTS)}


def test_every_form_is_read():
    assert set(READERS) == {kind.form for kind in CONDITIONS.values()}


def test_a_label_is_read_with_its_probability_beside_its_weight():
    logits = torch.tensor([[0.0, math.log(9), -20.0]])
    rows = read("label", {"weights": torch.tensor([[0.5, 0.5, 0.0]])}, logits=logits)
    assert list(rows) == ["one", "zero"], "the strongest first, the improbable left out"
    assert (rows["one"].asked, rows["one"].match) == (0.5, False)
    assert rows["one"].read == pytest.approx(0.9)
    assert read("label", {"weights": torch.tensor([[0.0, 1.0, 0.0]])}, logits=logits)["one"].match
    assert not read("label", {"weights": torch.tensor([[1.0, 0.0, 0.0]])}, logits=logits)["zero"].match


def test_attributes_are_read_where_they_can_be_seen():
    asked = {"attributes": torch.tensor([[0.5, 1.0, 0.0, 12.0]])}
    found = torch.tensor([[0.3, 1.0, 1.0, 16.0]])
    rows = read("attributes", asked, attributes=found)
    assert rows["smile"] == Reading(name="smile", asked=0.75, read=pytest.approx(0.65), match=True)
    assert rows["hair"] == Reading(name="hair", asked="red", read="red", match=True)
    assert rows["glasses"] == Reading(name="glasses", asked="no", read="yes", match=False)
    assert rows["width"] == Reading(
        name="width", asked=pytest.approx(0.2), read=pytest.approx(0.6), match=False
    )
    visible = {"visible": torch.tensor([[True, False, True, True]])}
    assert list(read("attributes", asked | visible, attributes=found)) == ["smile", "glasses", "width"]


def test_a_caption_is_read_term_by_term():
    terms = torch.tensor([[[0.5, 1.0], [1.0, 2.0], [math.nan, math.nan], [10.0, 15.0]]])
    rows = read("text", {"terms": terms}, attributes=torch.tensor([[0.4, 2.0, 1.0, 15.0]]))
    assert list(rows) == ["smile", "hair", "width"], "what the caption names"
    assert rows["smile"] == Reading(name="smile", asked=0.75, to=1.0, read=pytest.approx(0.7), match=False)
    assert rows["hair"] == Reading(name="hair", asked="red / grey", read="grey", match=True)
    assert (rows["width"].asked, rows["width"].to, rows["width"].match) == (0, 0.5, True)


def test_a_map_is_read_class_by_class():
    asked, found = torch.zeros(1, 2, 4, dtype=torch.uint8), torch.zeros(1, 2, 4, dtype=torch.uint8)
    asked[..., 2:], found[..., 3:] = 1, 1
    asked[0, 0, 0] = 255
    rows = read("mask", {"mask": asked}, mask=found)
    assert list(rows) == ["ground", "skin"]
    assert rows["ground"] == Reading(name="ground", asked=None, read=pytest.approx(3 / 5), match=True)
    assert rows["skin"] == Reading(name="skin", asked=None, read=0.5, match=True)
    assert not read("mask", {"mask": asked}, mask=1 - found)["skin"].match


def test_a_drawing_is_read_line_by_line():
    asked, found = (torch.full((1, 1, 8, 8), 255, dtype=torch.uint8) for _ in range(2))
    asked[..., 1, :] = 0
    asked[..., 6, :] = 0
    found[..., 2, :4] = 0  # one pixel beside a line that was asked
    rows = read("image", {"image": asked}, image=found)
    assert rows["precision"] == Reading(name="precision", asked=None, read=1.0, match=True)
    assert rows["recall"] == Reading(name="recall", asked=None, read=pytest.approx(5 / 16), match=False)


class Constant:
    """A judge that reads the same off every picture, and remembers which."""

    def __init__(self):
        self.seen: list[torch.Tensor] = []

    def read(self, images: torch.Tensor) -> Judgement:
        self.seen.append(images)
        return Judgement(
            NONE,
            logits=torch.eye(3)[:1],
            attributes=torch.tensor([[0.5, 1.0, 0.0, 12.0]]),
            mask=TARGETS["mask"][:1],
            image=TARGETS["image"][:1],
        )


@pytest.fixture(scope="module")
def engine():
    models = {}
    for name in CONDITIONS:
        torch.manual_seed(0)
        made = ConditionalGAN(configured(name).model(TARGETS, SIZE, 1))
        models[name] = made.eval().requires_grad_(False)
    engine = Engine(models, "cpu")
    yield engine
    engine.close()


@pytest.fixture
def network(monkeypatch) -> FeatureNetwork:
    """A judge for the data set of these models."""
    info = replace(
        FeatureNetwork.load("mnist").info,
        size=SIZE,
        classes=SUBJECTS.labels,
        attributes=SUBJECTS.attributes,
        mask_classes=SUBJECTS.mask,
        drawing=SUBJECTS.image,
    )
    network = FeatureNetwork(info, Constant())
    monkeypatch.setattr(FeatureNetwork, "load", lambda dataset: network)
    return network


def query(engine: Engine, name: str) -> str:
    values = values_of(engine.models[name].model.encoder)
    return "&".join(f"{key}={value}" for key, value in {"model": name, "seed": "3", **values}.items())


@pytest.mark.parametrize("name", [name for name in CONDITIONS if name != "text"])
def test_the_route_reads_the_picture_of_its_query(app, engine, network, name):
    answer = get(app, f"/reading.json?{query(engine, name)}&psi=0.5&count=4")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    told = answer.json()
    assert told["judge"] == "cgan-mnist"
    assert told["rows"]
    assert set(told["rows"][0]) == {"name", "asked", "read", "match", "to"}
    model = engine.models[name].model
    raw = model.encoder.parse(values_of(model.encoder))
    (picture,) = network.judge.seen
    assert torch.equal(picture, model.sample(model.noise(3, 1) * 0.5, raw))
    assert get(app, f"/reading.json?{query(engine, name)}&psi=0.5&count=4").content == answer.content
    assert len(network.judge.seen) == 1, "kept"


def test_captions_are_read_where_the_data_say_what_they_mean(app, engine, network, monkeypatch):
    assert reading.judge(engine.models["text"].model) is None
    dataset = type(engine.models["text"].model.config.dataset)
    monkeypatch.setattr(dataset, "terms", lambda self, caption: {"glasses": (1, 1)}, raising=False)
    told = get(app, f"/reading.json?{query(engine, 'text')}").json()
    assert told["rows"] == [{"name": "glasses", "asked": "yes", "read": "no", "match": False, "to": None}]


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_judge_that_reads_something_else_stays_silent(app, engine, network, monkeypatch, name):
    other = {"classes": ("a", "b"), "attributes": ATTRIBUTES[:2], "mask_classes": ("a",), "drawing": 3}
    for changes in (other, {"size": 9}):
        strange = replace(network, info=replace(network.info, **changes))
        monkeypatch.setattr(FeatureNetwork, "load", lambda dataset, strange=strange: strange)
        answer = get(app, f"/reading.json?{query(engine, name)}&seed=4".replace("seed=3&", ""))
        assert answer.status_code == 400
        assert f"model {name} has no judge" in answer.text
        assert not any(model["judged"] for model in get(app, "/models.json").json())


def test_what_a_reading_refuses(app, network):
    assert get(app, "/reading.json?model=label&label=four").status_code == 400
    assert "psi must be" in get(app, "/reading.json?model=label&label=one&psi=9").text
    assert "unknown parameter" in get(app, "/reading.json?model=label&label=one&steps=3").text


def test_remarks_tell_what_is_not_understood(app):
    told = get(app, "/remarks.json?model=text&text=a sad zebra").json()
    assert told["error"] is None
    assert told["remarks"][0]["text"].startswith("unknown word: 'zebra'")
    assert told["remarks"][0]["values"]["word"] == "zebra"
    told = get(app, "/remarks.json?model=text&text=zebra").json()
    assert "text has no word that this model knows" in told["error"]
    assert told_in_chinese(told["error"])
    assert json.loads(get(app, "/remarks.json?model=label&label=one").content) == {
        "remarks": [],
        "error": None,
    }
    assert get(app, "/remarks.json?model=text&text=face&seed=3").status_code == 400
