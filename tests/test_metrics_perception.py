"""The judge that reads attributes, maps and drawings: its shapes, that it learns, and its file.

Shapes: N pictures, H x W pixels.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from cgan import data
from cgan.data import Images
from cgan.metrics import features
from cgan.metrics.features import FeatureInfo, FeatureNetwork, main, save
from cgan.metrics.judge import Subjects
from cgan.metrics.making import measure
from cgan.metrics.perception import Perception, PerceptionRecipe, attribute_errors, fit_perception
from cgan.registry import Registry
from cgan.types import Attribute

ATTRIBUTES = (
    Attribute("light", low=10, high=30),
    Attribute("side", choices=("left", "right"), colours=("#000000", "#ffffff")),
)
SUBJECTS = Subjects(("a", "b", "c"), ATTRIBUTES, ("ground", "box"), 1)
RECIPE = PerceptionRecipe(widths=(8, 12, 16), epochs=6, batch=25, rate=0.02, ema=0.9, noise=1)


def boxes(count: int, seed: int = 0) -> Images:
    """16x16 pictures with a box, left or right, of some brightness; the drawing is its upper part."""
    generator = torch.Generator().manual_seed(seed)
    light = torch.rand(count, generator=generator)
    side, label = (torch.randint(n, (count,), generator=generator) for n in (2, 3))
    mask = torch.zeros(count, 16, 16, dtype=torch.uint8)
    drawing = torch.full((count, 1, 16, 16), 255, dtype=torch.uint8)
    for k, (left, top) in enumerate(zip((1 + 8 * side).tolist(), (1 + 4 * label).tolist(), strict=True)):
        mask[k, top : top + 5, left : left + 5] = 1
        drawing[k, 0, top : top + 3, left : left + 5] = 0
    images = (mask * (120 + 130 * light)[:, None, None]).byte()[:, None].expand(-1, 3, -1, -1)
    return Images(images, {
        "label": label, "classes": SUBJECTS.labels, "attributes": torch.stack([10 + 20 * light, side], 1),
        "attribute_fields": ATTRIBUTES, "mask": mask, "mask_classes": SUBJECTS.mask, "image": drawing,
    })  # fmt: skip


@pytest.mark.parametrize("size", [8, 28, 64, 96])
def test_everything_has_the_pictures_own_size(size):
    torch.manual_seed(0)
    judge = Perception(3, size, SUBJECTS, RECIPE.widths).eval()
    images = torch.randint(256, (60, 3, size, size), dtype=torch.uint8)
    before = judge.read(images)
    assert before.features.shape == (60, judge.width)
    assert before.logits.shape == (60, 3)
    assert before.attributes.shape == (60, 2)
    assert before.mask.shape == (60, size, size)
    assert before.image.shape == (60, 1, size, size)
    assert torch.equal(judge.features(images), before.features)
    after = judge.fuse().read(images)
    assert torch.allclose(before.features, after.features, atol=1e-4)
    assert (before.mask == after.mask).float().mean() > 0.99


def test_it_reads_only_what_it_was_asked_to():
    judge = Perception(1, 8, Subjects(attributes=ATTRIBUTES), RECIPE.widths).eval()
    found = judge.read(torch.zeros(2, 1, 8, 8, dtype=torch.uint8))
    assert found.mask is None
    assert found.image is None
    assert found.logits is None
    assert ((found.attributes[:, 0] >= 10) & (found.attributes[:, 0] <= 30)).all()


def test_errors_of_attributes():
    scores = torch.tensor([[0.5, 0.0, 100.0, 9.0, 9.0, 9.0], [0.0, 0.0, 0.0, 9.0, 9.0, 9.0]])
    wanted = torch.tensor([[10.0, 1.0], [20.0, 0.0]])  # scaled: -1 and 0
    errors = attribute_errors(scores, wanted, SUBJECTS)
    assert errors[:, 0].tolist() == pytest.approx([1.5 - 0.05, 0])
    assert errors[:, 1].tolist() == pytest.approx([0, 0.6931], abs=1e-4)


@dataclass(frozen=True)
class Boxes:
    """Nothing is asked of the side of the darkest boxes."""

    size: int = 16

    def load(self, root: Path, split: str, download: bool = False) -> Images:
        return boxes(400 if split == "train" else 200, seed=len(split))

    @staticmethod
    def visible(attributes: torch.Tensor) -> torch.Tensor:
        return torch.stack([attributes[:, 0] > 0, attributes[:, 0] > 11], 1)


def test_the_command_writes_a_judge_that_reads(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(data, "DATASETS", Registry("dataset", boxes=Boxes))
    monkeypatch.setattr(features, "FOLDER", tmp_path)
    monkeypatch.setitem(features.RECIPES, "boxes", RECIPE)
    assert main(["train", "--dataset", "boxes", "--data-root", "here"]) == 0
    assert "on the real test set" in capsys.readouterr().out
    network = FeatureNetwork.load("boxes", tmp_path)
    info, test = network.info, Boxes().load(tmp_path, "test")
    assert info.subjects == SUBJECTS
    assert set(info.measured) == {"attributes", "mask", "image"}, "labels have the accuracy alone"
    assert info.measured["attributes"]["spearman"]["light"] > 0.9
    assert info.measured["attributes"]["accuracy"]["side"] > 0.95
    assert info.measured["mask"]["iou"] > 0.9
    assert info.measured["image"]["f1"] > 0.8
    assert info.test_accuracy > 0.9
    found = network(test.images)
    again = measure(Boxes(), test.images, test.targets, found, SUBJECTS)
    assert again["mask"]["iou"] == pytest.approx(info.measured["mask"]["iou"], abs=0.01)
    assert found.accuracy(test.targets["label"]) > 0.9
    with safe_open(tmp_path / "boxes.safetensors", framework="pt") as file:
        assert json.loads(file.metadata()["info"])["measured"] == info.measured


def test_training_is_repeatable_and_unseen_attributes_teach_nothing():
    pictures = boxes(50)
    short = PerceptionRecipe(widths=(4, 4, 4), epochs=1, batch=25, noise=2)
    first, second = (
        fit_perception(pictures.images, pictures.targets, recipe=short, seed=3) for _ in range(2)
    )
    assert torch.equal(first.head.weight, second.head.weight)
    wrong = pictures.targets | {"attributes": pictures.targets["attributes"] * torch.tensor([1.0, 0.0])}
    seen = torch.tensor([[True, False]]).expand(50, -1)
    one, other = (
        fit_perception(pictures.images, targets, recipe=short, visible=seen)
        for targets in (pictures.targets, wrong)
    )
    assert torch.equal(one.head.weight, other.head.weight)
    with pytest.raises(ValueError, match="at least 25 pictures, got 20"):
        fit_perception(pictures.images[:20], pictures.targets, recipe=short)


@dataclass(frozen=True)
class Blank:
    def load(self, root: Path, split: str, download: bool = False) -> Images:
        return Images(torch.zeros(100, 1, 8, 8, dtype=torch.uint8), {"text": [("a",)] * 100})


def test_pictures_with_nothing_to_read(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(data, "DATASETS", Registry("dataset", blank=Blank))
    assert main(["train", "--dataset", "blank", "--data-root", str(tmp_path)]) == 2
    assert "has nothing that a judge could tell apart" in capsys.readouterr().err


def test_a_header_that_does_not_fit_is_refused_in_one_line(tmp_path):
    info = FeatureInfo(
        dataset="boxes", classes=(), channels=3, size=16, test_accuracy=1, epochs=1, command="none",
        widths=RECIPE.widths, attributes=ATTRIBUTES, mask_classes=("ground", "box", "sky"), drawing=1,
    )  # fmt: skip
    save(Perception(3, 16, SUBJECTS, RECIPE.widths), info, tmp_path / "boxes.safetensors")
    with pytest.raises(ValueError, match="boxes.safetensors is no .* file, make it again") as error:
        FeatureNetwork.load("boxes", tmp_path)
    assert "\n" not in str(error.value)
