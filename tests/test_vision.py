"""Data sets that torchvision reads, from tiny files in the formats that it expects on the disk."""

from __future__ import annotations

import pickle
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import datasets

from cgan.config import override
from cgan.data import DATASETS
from cgan.data.vision import CELEBA, CIFAR10, EMNIST, MNIST, CelebA
from cgan.presets import preset
from tests.test_evaluation import write_idx

TORCHVISION = [name for name, kind in DATASETS.items() if kind.__module__ == "cgan.data.vision"]
IDX = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST", "kmnist": "KMNIST"}  # folder


def idx_root(root: Path, folder: str, prefixes: tuple[str, str], labels: torch.Tensor) -> torch.Tensor:
    """A root with these labels in both splits; the pictures [N, 28, 28], dark but for a stroke at the top
    left that grows with their number."""
    raw = root / folder / "raw"
    raw.mkdir(parents=True)
    images = torch.zeros(len(labels), 28, 28, dtype=torch.uint8)
    for k, image in enumerate(images):
        image[2, : k + 3] = 200
    for prefix in prefixes:
        write_idx(raw / f"{prefix}-images-idx3-ubyte", images)
        write_idx(raw / f"{prefix}-labels-idx1-ubyte", labels)
    return images


@pytest.mark.parametrize("name", IDX)
def test_idx_files(tmp_path, name):
    kind = DATASETS[name]
    images = idx_root(tmp_path, IDX[name], ("train", "t10k"), torch.arange(10))
    data = kind().load(tmp_path, "test")
    assert torch.equal(data.images[:, 0], images)
    assert data.targets["label"].tolist() == list(range(10))
    assert len(data.targets["classes"]) == 10
    assert torch.equal(kind(size=32).load(tmp_path, "train").images[:, 0, 2:-2, 2:-2], images)
    small = kind(size=14).load(tmp_path, "train").images
    assert small.shape == (10, 1, 14, 14)
    assert small.float().mean() == pytest.approx(images.float().mean().item(), rel=0.05)


@pytest.mark.parametrize(
    ("part", "labels", "names"), [("letters", [1, 26], "az"), ("balanced", [0, 10, 36, 46], "0Aat")]
)
def test_emnist_is_upright_and_its_names_fit(tmp_path, part, labels, names):
    prefixes = (f"emnist-{part}-train", f"emnist-{part}-test")
    images = idx_root(tmp_path, "EMNIST", prefixes, torch.tensor(labels))
    data = EMNIST(part=part).load(tmp_path, "train")
    assert torch.equal(data.images[:, 0], images.transpose(1, 2))
    assert "".join(data.targets["classes"][k] for k in data.targets["label"]) == names
    shared = [name for name in datasets.EMNIST.classes_split_dict[part] if name != "N/A"]
    assert data.targets["classes"] == tuple(shared)


def test_emnist_has_no_other_parts():
    with pytest.raises(ValueError, match=r"dataset.part must be one of letters, balanced, got 'digits'"):
        override(preset("mnist"), {"dataset": "emnist", "dataset.part": "digits"})


def test_cifar(tmp_path, monkeypatch):
    folder = tmp_path / datasets.CIFAR10.base_folder
    folder.mkdir()
    pixels = np.arange(2 * 3 * 32 * 32).astype(np.uint8).reshape(2, -1)
    for name, _ in [*datasets.CIFAR10.train_list, *datasets.CIFAR10.test_list]:
        (folder / name).write_bytes(pickle.dumps({"data": pixels, "labels": [3, 9]}))
    monkeypatch.setattr(datasets.CIFAR10, "_check_integrity", lambda self: True)
    monkeypatch.setattr(datasets.CIFAR10, "_load_meta", lambda self: None)
    data = CIFAR10().load(tmp_path, "train")
    assert data.images.shape == (10, 3, 32, 32)
    assert (data.images[0].numpy() == pixels[0].reshape(3, 32, 32)).all()
    assert [data.targets["classes"][k] for k in data.targets["label"][:2]] == ["cat", "truck"]
    assert CIFAR10(size=64).load(tmp_path, "test").images.shape == (2, 3, 64, 64)


@pytest.fixture
def celeba(tmp_path, monkeypatch) -> Path:
    """Three training pictures and two for testing; of the first, all but the middle 178x178 is red."""
    folder = tmp_path / "celeba"
    (folder / "img_align_celeba").mkdir(parents=True)
    picture = np.zeros((218, 178, 3), np.uint8) + np.array([255, 0, 0], np.uint8)
    picture[20:198] = (0, 0, 255)
    names = [f"{k:06d}.png" for k in range(1, 6)]
    for name in names:
        Image.fromarray(picture).save(folder / "img_align_celeba" / name)
    (folder / "img_align_celeba" / names[1]).write_bytes(b"")
    rows = {name: [1 if (k + row) % 2 else -1 for k in range(40)] for row, name in enumerate(names)}
    tables = {
        "list_eval_partition.txt": [f"{name} {2 if name in names[3:] else 0}" for name in names],
        "identity_CelebA.txt": [f"{name} 1" for name in names],
        "list_bbox_celeba.txt": ["4", "x y", *(f"{name} 1 2" for name in names)],
        "list_landmarks_align_celeba.txt": ["4", "x y", *(f"{name} 1 2" for name in names)],
        "list_attr_celeba.txt": ["4", " ".join(CELEBA)]
        + [f"{name} " + " ".join(map(str, row)) for name, row in rows.items()],
    }
    for name, lines in tables.items():
        (folder / name).write_text("\n".join(lines) + "\n")
    monkeypatch.setattr(datasets.CelebA, "_check_integrity", lambda self: True)
    return tmp_path


def test_celeba(celeba, capfd):
    data = CelebA(size=16).load(celeba, "train")
    assert data.images.shape == (2, 3, 16, 16), "the empty file is left out"
    assert "000002.png: empty, or no picture; left out" in capfd.readouterr().err
    assert (data.images[0, :, 1:-1] == torch.tensor([0, 0, 255]).view(3, 1, 1)).all(), "the middle is kept"
    fields = data.targets["attribute_fields"]
    assert (len(fields), fields[20].name, fields[20].choices) == (40, "male", ("no", "yes"))
    assert data.targets["attributes"][:, :3].tolist() == [[0, 1, 0], [0, 1, 0]]
    test = CelebA(size=16).load(celeba, "test")
    assert test.targets["attributes"][:, :3].tolist() == [[1, 0, 1], [0, 1, 0]]


@pytest.mark.parametrize("name", TORCHVISION)
def test_absent_data_is_named(tmp_path, name):
    assert len(TORCHVISION) == 6
    with pytest.raises(
        FileNotFoundError, match=rf"no {DATASETS[name].title} under .*--data-root.*--download"
    ):
        DATASETS[name]().load(tmp_path, "train")


@pytest.mark.parametrize("name", TORCHVISION)
def test_a_download_that_fails_is_one_line(tmp_path, monkeypatch, name):
    def unreachable(*args, **options):
        raise URLError("no route\nto host")

    monkeypatch.setattr(datasets, DATASETS[name].source if name != "celeba" else "CelebA", unreachable)
    with pytest.raises(FileNotFoundError, match="the download failed: .*no route to host"):
        DATASETS[name]().load(tmp_path, "train", download=True)


def test_a_damaged_file_is_one_line(tmp_path):
    (tmp_path / "MNIST" / "raw").mkdir(parents=True)
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (tmp_path / "MNIST" / "raw" / f"{name}-ubyte").write_bytes(b"")
    with pytest.raises(ValueError, match="MNIST under .* is damaged .*: fetch it anew"):
        MNIST().load(tmp_path, "train")


@pytest.mark.parametrize("name", TORCHVISION)
def test_sizes_are_checked(name):
    with pytest.raises(ValueError, match=r"dataset.size must be from 8 to \d+ pixels, got 7"):
        DATASETS[name](size=7)
