"""The whole report, on pictures whose quality is known.

Shapes: N pictures, C channels, H x W pixels, K classes.
"""

from __future__ import annotations

import dataclasses
import json

import pytest
import torch

from cgan.metrics import report
from cgan.metrics.classifier import Recipe, fit
from cgan.metrics.features import FeatureInfo, FeatureNetwork
from cgan.metrics.report import Draw, Extent, Pictures, RealReference, evaluate, quick

CLASSES = tuple("abcdefghij")
COUNT = 300


def spots(count: int, seed: int) -> Pictures:
    """12x12 pictures with one spot; its place tells the class, its brightness and the ground vary."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(10, (count,), generator=generator)
    images = torch.randint(0, 50, (count, 1, 12, 12), generator=generator)
    brightness = torch.randint(150, 256, (count, 2, 2), generator=generator)
    for image, label, light in zip(images, labels.tolist(), brightness, strict=True):
        top, left = 2 + 6 * (label // 5), 1 + 2 * (label % 5)
        image[0, top : top + 2, left : left + 2] = light
    return images.byte(), {"label": labels}


@pytest.fixture(scope="module")
def reference() -> RealReference:
    train, test = spots(900, 1), spots(400, 2)
    recipe = Recipe(epochs=6, batch=32, degrees=0, shift=0, scale=0, ema=0.9)
    network = fit(train[0], train[1]["label"], 10, recipe=recipe)
    accuracy = network.read(test[0]).accuracy(test[1]["label"])
    info = FeatureInfo(
        dataset="spots",
        classes=CLASSES,
        channels=1,
        size=12,
        test_accuracy=accuracy,
        epochs=6,
        command="none",
    )
    return RealReference(network=FeatureNetwork(info, network.fuse()), train=train, test=test, count=COUNT)


def fresh(seed: int, count: int, noises: int = 1) -> Pictures:
    """A perfect generator."""
    images, targets = spots(1000, seed + 10)
    return images[:count], {"label": targets["label"][:count]}


def noisy(amount: float) -> Draw:
    def draw(seed: int, count: int, noises: int = 1) -> Pictures:
        images, targets = fresh(seed, count)
        noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(seed))
        return (images + amount * noise).clamp(0, 255).byte(), targets

    return draw


def one_a_class(seed: int, count: int, noises: int = 1) -> Pictures:
    """A generator that knows a single picture of every class."""
    images, targets = fresh(seed, 200)
    first = torch.stack([images[targets["label"] == label][0] for label in range(10)])
    labels = torch.arange(count) % 10
    return first[labels], {"label": labels}


def copying(seed: int, count: int, noises: int = 1) -> Pictures:
    """A generator that only remembers."""
    images, targets = spots(900, 1)
    return images[:count], {"label": targets["label"][:count]}


def disobedient(seed: int, count: int, noises: int = 1) -> Pictures:
    images, targets = fresh(seed, count)
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    return images, {"label": targets["label"][order]}


def test_a_perfect_generator_stands_at_the_floor(reference):
    result = evaluate(fresh, reference)
    generated, real = result["generated"], result["real"]
    assert json.loads(json.dumps(result)) == result
    assert result["features"]["name"] == "cgan-spots"
    assert (result["seeds"], result["count"], result["neighbours"]) == ([0, 1, 2], COUNT, 5)
    assert generated["obedience"][result["headline"]]["mean"] > 0.97
    assert real["obedience"]["accuracy"] > 0.97
    assert len(generated["frechet"]["values"]) == 3
    assert generated["frechet"]["std"] > 0
    assert 0.5 < result["ratio"]["frechet"] < 2
    for key in ("precision", "recall", "density", "coverage"):
        assert result["ratio"][key] == pytest.approx(1, abs=0.15), key
    assert generated["variety"]["ratio"]["mean"] == pytest.approx(1, abs=0.1)
    assert generated["nearest"]["ratio"]["mean"] == pytest.approx(1, abs=0.05)
    assert generated["nearest"]["copies"]["mean"] < 0.05
    assert "usefulness" not in result


def test_noise_raises_the_distance_monotonically(reference):
    distances = [quick(noisy(amount), reference)["frechet"] for amount in (0, 15, 30, 60)]
    assert distances == sorted(distances)
    assert distances[-1] > 5 * distances[0]


def test_one_picture_a_class_has_no_variety(reference):
    generated = evaluate(one_a_class, reference, seeds=[0])["generated"]
    assert generated["obedience"]["accuracy"]["mean"] == 1
    assert generated["variety"]["ratio"]["mean"] == pytest.approx(0, abs=1e-3)
    assert generated["recall"]["mean"] < 0.05
    assert generated["coverage"]["mean"] < 0.3
    assert generated["frechet"]["std"] is None


def test_copies_are_seen(reference):
    nearest = evaluate(copying, reference, seeds=[0])["generated"]["nearest"]
    assert nearest["copies"]["mean"] == 1
    assert nearest["distance"]["mean"] == 0


def test_real_pictures_that_can_be_no_yardstick_are_named(reference):
    copies = dataclasses.replace(reference, test=(reference.train[0], reference.train[1]))
    with pytest.raises(ValueError, match="the test pictures are training pictures"):
        evaluate(fresh, copies)
    labels = reference.train[1]["label"]
    images = torch.where((labels == 3)[:, None, None, None], reference.train[0][:1], reference.train[0])
    same = dataclasses.replace(reference, train=(images, {"label": labels}))
    with pytest.raises(ValueError, match="all training pictures of class d are alike"):
        evaluate(fresh, same)
    white = torch.full_like(reference.test[0], 255)
    blank = dataclasses.replace(reference, test=(white, reference.test[1]))
    with pytest.raises(ValueError, match="all real test pictures are alike"):
        evaluate(fresh, blank)
    bright = dataclasses.replace(reference, test=(255 - reference.test[0], reference.test[1]))
    with pytest.raises(ValueError, match="real test pictures have a precision of 0"):
        evaluate(fresh, bright)


@pytest.mark.parametrize("side", ["train", "test"])
def test_without_two_pictures_of_a_class_only_variety_is_left_out(reference, side):
    images, targets = getattr(reference, side)
    few = (targets["label"] != 3) | (torch.arange(len(images)) == (targets["label"] == 3).nonzero()[0])
    lacking = dataclasses.replace(reference, **{side: (images[few], {"label": targets["label"][few]})})
    result = evaluate(fresh, lacking, seeds=[0])
    assert "variety" not in result["real"]
    assert ("variety" in result["generated"]) == (side == "test")
    whole = evaluate(fresh, reference, seeds=[0])
    assert result["generated"].keys() | {"variety"} == whole["generated"].keys()


def test_shuffled_labels_are_a_tenth_right(reference):
    assert quick(disobedient, reference)["obedience"] == pytest.approx(0.1, abs=0.06)
    obedience = evaluate(disobedient, reference, seeds=[0])["generated"]["obedience"]
    assert sum(obedience["confusion"][4]) == pytest.approx(1)


def test_the_quick_figures_are_those_of_the_report(reference):
    figures, result = quick(fresh, reference, seed=1), evaluate(fresh, reference, seeds=[1])
    assert figures["obedience"] == result["generated"]["obedience"]["accuracy"]["mean"]
    assert figures["frechet"] == pytest.approx(result["generated"]["frechet"]["mean"])
    assert figures["frechet_ratio"] == pytest.approx(result["ratio"]["frechet"])


def test_usefulness_falls_when_the_labels_are_wrong(reference):
    good = evaluate(fresh, reference, seeds=[0], extent=Extent(pupil_count=600, pupil_epochs=8))["usefulness"]
    assert (good["count"], good["epochs"]) == (600, 8)
    assert good["real"]["mean"] > 0.9
    assert good["generated"]["mean"] == pytest.approx(good["real"]["mean"], abs=0.07)
    bad = evaluate(disobedient, reference, seeds=[0], extent=Extent(pupil_count=600, pupil_epochs=2))[
        "usefulness"
    ]
    assert bad["generated"]["mean"] < 0.3


def test_standard_fid_stands_under_its_own_name(reference, monkeypatch):
    monkeypatch.setattr(report, "inception_v3_fid", lambda real, other: float(len(real) + len(other)))
    result = evaluate(fresh, reference, seeds=[0, 1], extent=Extent(inception=True))["inception_v3_fid"]
    assert result == {"generated": {"mean": 600, "std": 0, "values": [600, 600]}, "real": 600}


def test_real_statistics_are_made_once(reference, monkeypatch):
    quick(fresh, reference)
    seen = []
    read = type(reference.network.judge).read

    def watched(self, images):
        seen.append(len(images))
        return read(self, images)

    monkeypatch.setattr(type(reference.network.judge), "read", watched)
    quick(fresh, reference)
    assert seen == [COUNT]


@pytest.mark.parametrize("count", [96, 401])
def test_too_few_or_too_many_pictures(reference, count):
    with pytest.raises(ValueError, match=f"count must be from 97 to 400, the real pictures, got {count}"):
        dataclasses.replace(reference, count=count)


def test_too_few_real_pictures(reference):
    few = reference.test[0][:44], {name: column[:44] for name, column in reference.test[1].items()}
    with pytest.raises(ValueError, match="at least 97 real pictures to test with, there are 44"):
        dataclasses.replace(reference, test=few, count=44)


def test_a_model_of_another_size(reference):
    def large(seed: int, count: int, noises: int = 1) -> Pictures:
        return torch.zeros(count, 1, 28, 28).byte(), {"label": torch.arange(count) % 10}

    with pytest.raises(ValueError, match=r"\['N', 1, 12, 12\], got uint8 \[300, 1, 28, 28\]"):
        evaluate(large, reference)


@pytest.mark.parametrize(
    ("change", "options", "says"),
    [
        ({}, {"seeds": []}, "at least one sample seed"),
        ({}, {"extent": Extent(pupil_count=20)}, "needs at least 128 pictures, got 20"),
        ({}, {"extent": Extent(pupil_count=901)}, "as many training pictures: 900 at most, got 901"),
        ({"form": "smell"}, {}, "unknown measure of obedience 'smell'"),
    ],
)
def test_bad_options(reference, change, options, says):
    with pytest.raises(ValueError, match=says):
        evaluate(fresh, dataclasses.replace(reference, **change), **options)
