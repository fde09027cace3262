"""The judge's file: written, read back, refused when damaged; the shipped ones hold their mark."""

from __future__ import annotations

import dataclasses
import json
import os
import pickle
from pathlib import Path
from typing import Literal

import pytest
import torch
from safetensors.torch import load_file, save_file

from cgan import data
from cgan.data import Images
from cgan.metrics import features
from cgan.metrics.classifier import Classifier, Recipe, fit
from cgan.metrics.features import FOLDER, FORMAT, FeatureInfo, FeatureNetwork, main, save
from cgan.metrics.fitting import optimise
from cgan.registry import Registry

INFO = FeatureInfo(
    dataset="dots", classes=("a", "b", "c"), channels=1, size=12, test_accuracy=0.5, epochs=1, command="none"
)
MARKS = {"mnist": 0.995, "fashion-mnist": 0.93, "faces": 0.97}


def dots(count: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Noise with a bright dot whose place tells the class."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 60, (count, 1, 12, 12), generator=generator)
    labels = torch.randint(3, (count,), generator=generator)
    for image, label in zip(images, labels, strict=True):
        image[0, 4:8, 4 * label : 4 * label + 4] = 255
    return images.byte(), labels


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    save(Classifier(1, 3, 12), INFO, tmp_path / "dots.safetensors")
    return tmp_path


def test_what_is_written_is_read_back(folder):
    network = FeatureNetwork.load("dots", folder)
    assert network.info == INFO
    assert network.name == "cgan-dots"
    torch.manual_seed(0)
    classifier = Classifier(1, 3, 12).half().float().eval()
    images, _ = dots(70)
    expected = classifier.read(images)
    got = network(images)
    assert torch.allclose(got.features, expected.features, atol=1e-5)
    assert torch.allclose(got.logits, expected.logits, atol=1e-5)


def test_a_judge_of_large_maps_of_many_classes_is_read_back(tmp_path):
    info = dataclasses.replace(INFO, size=256, mask_classes=tuple(map(str, range(20))), widths=(4, 4, 4))
    save(info.build(), info, tmp_path / "dots.safetensors")
    assert FeatureNetwork.load("dots", tmp_path).info == info


def test_what_is_judged_does_not_depend_on_the_batch(folder):
    network = FeatureNetwork.load("dots", folder)
    images, _ = dots(70)
    together = network(images)
    assert together.features.shape == (70, 96)
    assert torch.allclose(network(images[60:61]).features, together[60:61].features, atol=1e-6)


def test_larger_pictures_are_pooled_further():
    maps = [
        Classifier(3, 2, size).trunk(torch.zeros(1, 3, size, size)).shape[-1] for size in (28, 32, 64, 128)
    ]
    assert maps == [7, 8, 8, 8]


def test_an_unknown_dataset_names_the_closest(folder):
    with pytest.raises(FileNotFoundError, match="'dot'. Did you mean 'dots'.*one for: dots;"):
        FeatureNetwork.load("dot", folder)


def test_no_features_at_all(tmp_path):
    with pytest.raises(FileNotFoundError, match="data set 'mnist'; make one with: python -m"):
        FeatureNetwork.load("mnist", tmp_path)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def unpickle(path: Path) -> None:
    path.write_bytes(pickle.dumps({"head.weight": 1}))


def inflate(path: Path) -> None:
    os.truncate(path, features.LARGEST + 1)


def rewrite(path: Path, **changes: object) -> None:
    header = {"format": FORMAT, "info": json.dumps(dataclasses.asdict(INFO) | changes.pop("info", {}))}
    save_file(load_file(path) | changes.pop("weights", {}), path, header | changes)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (truncate, "."),
        (unpickle, "."),
        (inflate, f"larger than {features.LARGEST} bytes"),
        (lambda path: rewrite(path, format="cgan-features-9"), "format 'cgan-features-9'"),
        (lambda path: rewrite(path, info={"classes": ["a", "b"]}), "Classifier"),
        (lambda path: rewrite(path, info={"channels": 10**9}), "Classifier"),
        (lambda path: rewrite(path, info={"colour": 1}), "colour"),
        (lambda path: rewrite(path, weights={"extra": torch.zeros(1)}), "Classifier"),
    ],
)
def test_a_damaged_file_is_refused_in_one_line(folder, damage, says):
    damage(folder / "dots.safetensors")
    with pytest.raises(ValueError, match=f"dots.safetensors is no {FORMAT} file.*{says}") as error:
        FeatureNetwork.load("dots", folder)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "images",
    [
        torch.zeros(5, 1, 28, 28).byte(),
        torch.zeros(5, 3, 12, 12).byte(),
        torch.zeros(5, 1, 12, 12),
        torch.zeros(0, 1, 12, 12).byte(),
    ],
)
def test_other_pictures_are_refused(folder, images):
    with pytest.raises(
        ValueError, match=r"dots feature network takes uint8 pictures \['N', 1, 12, 12\], got"
    ):
        FeatureNetwork.load("dots", folder)(images)


def test_training_learns_is_repeatable_and_needs_a_batch():
    images, labels = dots(400)
    recipe = Recipe(epochs=3, batch=32, ema=0.9)
    first, second = (fit(images, labels, 3, recipe=recipe, seed=4) for _ in range(2))
    fresh, truth = dots(200, seed=1)
    assert first.read(fresh).accuracy(truth) > 0.95
    assert torch.equal(first.head.weight, second.head.weight)
    with pytest.raises(ValueError, match="at least 32 pictures, got 20"):
        fit(images[:20], labels[:20], 3, recipe=recipe)


@pytest.mark.parametrize("epochs", [1, 2, 3, 5, 6])
def test_every_length_of_training_takes_whole_batches_only(epochs):
    """Batch norm is measured of them too: a rest of one picture would weigh as much as a batch."""
    sizes = []

    def pictures(rows: torch.Tensor) -> torch.Tensor:
        sizes.append(len(rows))
        return torch.zeros(len(rows), 3)

    def loss(model: torch.nn.Module, pixels: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        return model(pixels).sum()

    recipe, model = Recipe(epochs=epochs, batch=16), torch.nn.BatchNorm1d(3)
    optimise(model, 17, schedule=recipe, pictures=pictures, loss=loss, generator=torch.Generator())
    assert sizes == [16] * (epochs + 1)


@dataclasses.dataclass(frozen=True)
class Dots:
    size: int = 12
    part: Literal["all", "few"] = "all"

    def load(self, root: Path, split: str, download: bool = False) -> Images:
        images, labels = dots(300, seed=len(split))
        return Images(images, {"label": labels, "classes": ("a", "b", "c")})


def test_the_command_writes_a_network_that_loads(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(data, "DATASETS", Registry("dataset", dots=Dots))
    monkeypatch.setattr(features, "FOLDER", tmp_path)
    monkeypatch.setitem(features.RECIPES, "dots", Recipe(batch=32, ema=0.9))
    assert main(["train", "--dataset", "dots", "--data-root", "here", "--epochs", "2"]) == 0
    assert "on the real test set" in capsys.readouterr().out
    network = FeatureNetwork.load("dots", tmp_path)
    assert network.info.epochs == 2
    assert network.info.command.endswith("--dataset dots --data-root DIR --epochs 2 --seed 0")
    images, labels = dots(300, seed=4)
    assert network(images).accuracy(labels) == pytest.approx(network.info.test_accuracy, abs=0.005)
    assert network.info.test_accuracy > 0.9


def test_options_of_the_data_set_are_the_commands_too(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(data, "DATASETS", Registry("dataset", dots=Dots))
    monkeypatch.setitem(features.RECIPES, "dots", Recipe(batch=32, ema=0.9))
    monkeypatch.setattr(features, "FOLDER", tmp_path / "ours")
    words = ["train", "--dataset", "dots", "--data-root", str(tmp_path), "--epochs", "1", "--part"]
    assert main([*words, "few", "--size", "13"]) == 0
    network = FeatureNetwork.load("dots", tmp_path)
    assert "--data-root DIR --size 13 --part few --epochs 1" in network.info.command
    assert not (tmp_path / "ours").exists(), "its judge reads pictures of the usual size"
    assert main([*words, "few"]) == 0
    assert (tmp_path / "ours" / "dots.safetensors").exists()
    with pytest.raises(SystemExit, match="2"):
        main([*words, "fewer"])
    assert "invalid choice: 'fewer'" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_told_in_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(data, "DATASETS", Registry("dataset", dots=Dots))
    monkeypatch.setitem(features.RECIPES, "dots", Recipe(batch=32, ema=0.9))
    words = ["train", "--dataset", "dots", "--data-root", "here", "--epochs", "1", "--out", str(tmp_path)]
    assert main(words) == 2
    message = capsys.readouterr().err
    assert str(tmp_path) in message
    assert message.count("\n") == 1
    assert not list(tmp_path.parent.glob("*.partial"))


@pytest.mark.parametrize(
    ("dataset", "says"), [("mnits", "Did you mean 'mnist'"), ("mnist", "no MNIST under")]
)
def test_the_command_ends_with_2_after_bad_input(tmp_path, capsys, dataset, says):
    assert main(["train", "--dataset", dataset, "--data-root", str(tmp_path)]) == 2
    message = capsys.readouterr().err
    assert says in message
    assert message.count("\n") == 1


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.safetensors")), ids=lambda path: path.stem)
def test_shipped_networks_hold_their_mark(path):
    assert path.stat().st_size < 1_000_000
    assert FeatureNetwork.load(path.stem).info.test_accuracy >= MARKS[path.stem]
