"""Obedience to every form of condition, with judges that are never wrong and generators that are.

Shapes: N pictures, H x W pixels, A attributes.
"""

from __future__ import annotations

import dataclasses
import json

import pytest
import torch
from torchmetrics.functional import spearman_corrcoef

from cgan.metrics import MEASURES
from cgan.metrics.asked import asked, rows_of
from cgan.metrics.features import FeatureInfo, FeatureNetwork
from cgan.metrics.judge import Judgement, Subjects
from cgan.metrics.manifold import noise_variety
from cgan.metrics.obedience import spearman
from cgan.metrics.report import Draw, Pictures, RealReference, evaluate, quick
from cgan.types import Attribute

SIZE, COUNT = 8, 150
ATTRIBUTES = (Attribute("smile", low=-1.0), Attribute("hair", choices=("red", "black", "bald")))
SUBJECTS = Subjects(attributes=ATTRIBUTES, mask=("ground", "skin", "eyes"), image=1)
CHANCE = {"attributes": (0.0, 0.4), "text": (0.2, 0.6), "mask": (0.15, 0.25), "image": (0.1, 0.6)}


class Scenes:
    """Pictures say what they show in their pixels: map in red, drawing in green, attributes in blue."""

    @staticmethod
    def visible(attributes: torch.Tensor) -> torch.Tensor:
        return torch.stack([attributes[:, 1] != 2, torch.ones(len(attributes), dtype=torch.bool)], 1)

    @staticmethod
    def terms(caption: str) -> dict[str, tuple[float, float]]:
        known = {"happy": ("smile", (0, 1)), "sad": ("smile", (-1, 0)), "bald": ("hair", (2, 2))}
        return dict(known[word] for word in caption.split() if word in known)

    @staticmethod
    def targets(count: int, seed: int) -> dict:
        generator = torch.Generator().manual_seed(seed)
        smile = 2 * torch.rand(count, generator=generator) - 1
        hair = torch.randint(3, (count,), generator=generator)
        captions = [
            ("happy" if s > 0 else "sad", "bald" if h == 2 else "someone", "someone")
            for s, h in zip(smile.tolist(), hair.tolist(), strict=True)
        ]
        maps = torch.randint(3, (count, SIZE, SIZE), generator=generator)
        lines = torch.rand(count, 1, SIZE, SIZE, generator=generator) < 0.05
        return {
            "attributes": torch.stack([smile, hair.float()], 1),
            "attribute_fields": ATTRIBUTES,
            "text": captions,
            "mask": maps.byte(),
            "mask_classes": SUBJECTS.mask,
            "image": torch.where(lines, 0, 255).byte(),
        }


def drawn(targets: dict, seed: int) -> torch.Tensor:
    """uint8 [N, 3, H, W] of what was asked; the noise shows in the last row of blue, which means nothing."""
    blue = torch.zeros(len(targets["mask"]), SIZE, SIZE)
    blue[:, 0] = (targets["attributes"][:, :1] + 1) * 127.5
    blue[:, 1] = targets["attributes"][:, 1:] * 100
    blue[:, -1] = 255 * torch.rand(len(blue), SIZE, generator=torch.Generator().manual_seed(seed))
    channels = [targets["mask"] * 100, targets["image"][:, 0], blue.round().byte()]
    return torch.stack(channels, 1)


class Oracle:
    """A judge that is never wrong."""

    width = SIZE

    def features(self, images: torch.Tensor) -> torch.Tensor:
        return images[:, 2, [0, 1, -1]].flatten(1).float()[:, :: 3 * SIZE // self.width]

    def read(self, images: torch.Tensor) -> Judgement:
        smile, hair = images[:, 2, 0, 0].float() / 127.5 - 1, images[:, 2, 1, 0] // 100
        return Judgement(
            self.features(images),
            attributes=torch.stack([smile, hair.float()], 1),
            mask=images[:, 0] // 100,
            image=images[:, 1:2],
        )


INFO = FeatureInfo(
    dataset="scenes",
    classes=(),
    channels=3,
    size=SIZE,
    test_accuracy=1,
    epochs=1,
    command="none",
    attributes=ATTRIBUTES,
    mask_classes=SUBJECTS.mask,
    drawing=1,
)


def reference(form: str) -> RealReference:
    train, test = Scenes.targets(400, 1), Scenes.targets(300, 2)
    return RealReference(
        network=FeatureNetwork(INFO, Oracle()),
        train=(drawn(train, 1), {}),
        test=(drawn(test, 2), asked(Scenes(), form, test)),
        form=form,
        count=COUNT,
    )


def obedient(form: str) -> Draw:
    def draw(seed: int, count: int, noises: int = 1) -> Pictures:
        targets = asked(Scenes(), form, Scenes.targets(-(-count // noises), seed + 3))
        targets = rows_of(targets, torch.arange(count) // noises)
        return drawn(targets, seed), targets

    return draw


def deaf(form: str) -> Draw:
    """Good pictures, whatever is asked for."""

    def draw(seed: int, count: int, noises: int = 1) -> Pictures:
        images, targets = obedient(form)(seed, count, noises)
        return images[torch.randperm(count, generator=torch.Generator().manual_seed(seed))], targets

    return draw


def repeating(form: str) -> Draw:
    """The same noise for every picture of a condition."""

    def draw(seed: int, count: int, noises: int = 1) -> Pictures:
        images, targets = obedient(form)(seed, count, noises)
        return images[torch.arange(count) // noises * noises], targets

    return draw


@pytest.mark.parametrize("form", CHANCE)
def test_who_draws_what_was_asked_is_at_the_floor_and_who_does_not_at_chance(form):
    real = reference(form)
    report = evaluate(obedient(form), real, seeds=[1, 2])
    assert json.loads(json.dumps(report)) == report
    headline = report["headline"]
    assert headline == MEASURES[form].headline
    assert report["generated"]["obedience"][headline]["mean"] == pytest.approx(1, abs=2e-3)
    assert report["real"]["obedience"][headline] == pytest.approx(1, abs=2e-3)
    assert report["generated"]["noise_variety"]["mean"] > 0.1
    assert "variety" not in report["generated"], "there are no classes to vary within"
    low, high = CHANCE[form]
    assert low <= quick(deaf(form), real)["obedience"] <= high


def test_one_noise_alone_gives_no_variety():
    result = evaluate(repeating("mask"), reference("mask"), seeds=[1])["generated"]
    assert result["noise_variety"]["mean"] == pytest.approx(0, abs=1e-4)
    assert result["obedience"]["iou"]["mean"] == 1, "it obeys all the same"


def test_variety_under_the_noise_is_that_of_the_real_where_the_condition_says_nothing():
    generator = torch.Generator().manual_seed(0)
    real, drawn = (torch.randn(count, 8, generator=generator) for count in (1000, 800))
    assert noise_variety(drawn, 8, real) == pytest.approx(1, abs=0.05)
    assert noise_variety(drawn[::8].repeat_interleave(8, 0), 8, real) == pytest.approx(0, abs=1e-3)
    with pytest.raises(ValueError, match="2 or more pictures a condition, got 1"):
        noise_variety(drawn, 1, real)


def test_an_attribute_counts_only_where_it_can_be_seen():
    values = torch.tensor([[-0.5, 0.0], [0.0, 1.0], [0.5, 0.0], [1.0, 2.0], [-1.0, 2.0]])
    read = values.clone()
    read[:, 0] = -read[:, 0] * (values[:, 1] == 2) + read[:, 0] * (values[:, 1] != 2) + 0.25
    known = asked(Scenes(), "attributes", {"attributes": values})
    result = MEASURES["attributes"]()(torch.zeros(5), known, Judgement(read, attributes=read), SUBJECTS)
    assert result == {
        "score": pytest.approx(1),
        "spearman": {"smile": pytest.approx(1)},
        "accuracy": {"hair": 1},
        "error": {"smile": pytest.approx(0.25)},
    }
    known.pop("visible")
    result = MEASURES["attributes"]()(torch.zeros(5), known, Judgement(read, attributes=read), SUBJECTS)
    assert result["spearman"]["smile"] < 0.5


def test_rank_correlation_is_that_of_torchmetrics():
    generator = torch.Generator().manual_seed(0)
    a = torch.rand(200, generator=generator)
    b = ((a + torch.rand(200, generator=generator)) * 5).round()  # with ties
    assert spearman(a, b) == pytest.approx(spearman_corrcoef(a, b).item(), abs=1e-5)
    assert spearman(a, a**3) == pytest.approx(1)
    assert spearman(a, torch.zeros(200)) == 0


def test_terms_are_intervals_and_only_what_is_named_counts():
    targets = Scenes.targets(3, 0) | {"text": [("happy",), ("sad bald",), ("someone",)]}
    known = asked(Scenes(), "text", targets)
    read = torch.tensor([[1.0, 0.0], [0.1, 2.0], [0.0, 1.0]])
    result = MEASURES["text"]()(torch.zeros(3), known, Judgement(read, attributes=read), SUBJECTS)
    assert result["term_accuracy"] == pytest.approx(2 / 3)
    assert result["terms"] == {"smile": 0.5, "hair": 1}
    assert result["whole"] == pytest.approx(2 / 3)


def test_the_caption_that_is_measured_is_the_one_that_is_encoded():
    targets = Scenes.targets(5, 0)
    captions = asked(Scenes(), "text", targets)["text"]
    assert [row[0] for row in captions] == [row[k % 3] for k, row in enumerate(targets["text"])]


def test_overlap_of_maps():
    wanted = torch.tensor([[[0, 0], [1, 255]]], dtype=torch.uint8)
    found = torch.tensor([[[0, 1], [1, 2]]], dtype=torch.uint8)
    judged = Judgement(torch.zeros(1, 1), mask=found)
    result = MEASURES["mask"]()(torch.zeros(1), {"mask": wanted}, judged, SUBJECTS)
    assert result["classes"] == {"ground": 0.5, "skin": 0.5}, "nothing was asked of the last pixel"
    assert result["iou"] == 0.5
    assert result["pixels"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(("shift", "f1"), [(0, 1), (1, 1), (2, 0)])
def test_a_line_may_be_one_pixel_away(shift, f1):
    lines = torch.full((2, 1, 12, 12), 255, dtype=torch.uint8)
    lines[..., 4] = 0
    moved, pictures = lines.roll(shift, -1), lines.expand(-1, 3, -1, -1)
    judged = Judgement(torch.zeros(2, 1), image=moved)
    result = MEASURES["image"]()(pictures, {"image": lines}, judged, SUBJECTS)
    assert result["f1"] == result["precision"] == result["recall"] == f1
    assert result["edges"] == 1
    assert result["difference"] == pytest.approx(2 / 12 if shift else 0)
    flat = MEASURES["image"]()(torch.zeros_like(pictures), {"image": lines}, judged, SUBJECTS)
    assert flat["edges"] == 0


@pytest.mark.parametrize(
    ("form", "change", "says"),
    [
        ("label", {}, "reads 2 attributes, 3 classes of a map, 1 channels of a drawing, not the labels"),
        ("text", {"dataset": object()}, "by the terms of test pictures, which data set scenes does not"),
    ],
)
def test_what_cannot_be_measured_is_said_before_anything_is_drawn(form, change, says):
    real = reference("mask")
    test = real.test[0], asked(change.get("dataset", Scenes()), form, Scenes.targets(300, 2))
    with pytest.raises(ValueError, match=says):
        dataclasses.replace(real, form=form, test=test)


@pytest.mark.parametrize(
    ("form", "known", "says"),
    [
        ("attributes", {"attributes": torch.zeros(1, 2)}, "smile can be seen in under 2"),
        ("text", {"terms": torch.full((1, 2, 2), torch.nan)}, "name no attribute"),
        ("mask", {"mask": torch.full((1, SIZE, SIZE), 255).byte()}, "maps ask for nothing"),
        ("image", {"image": torch.full((1, 1, SIZE, SIZE), 255).byte()}, "drawings are empty"),
    ],
)
def test_nothing_asked_gets_one_clear_line(form, known, says):
    images = drawn(Scenes.targets(1, 0), 0)
    with pytest.raises(ValueError, match=says):
        MEASURES[form]()(images, known, Oracle().read(images), SUBJECTS)
