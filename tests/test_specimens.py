"""A few real pictures, exactly, with what is known of them."""

from __future__ import annotations

import pytest
import torch

from cgan import specimens
from cgan.data import Images
from cgan.data.faces import Faces
from cgan.data.vision import MNIST
from cgan.specimens import FOLDER, load, main
from cgan.ui.real import SHOWN

BUNDLED = sorted(path.stem for path in FOLDER.glob("*.safetensors"))


@pytest.fixture
def digits(monkeypatch) -> Images:
    """Thirty pictures of noise, of which every third is of class b."""
    images = torch.randint(0, 256, (30, 1, 28, 28), generator=torch.Generator().manual_seed(0))
    labels = (torch.arange(30) % 3 == 0).long()
    data = Images(images.to(torch.uint8), {"label": labels, "classes": ("a", "b")})
    monkeypatch.setattr(MNIST, "load", lambda self, root, split, download=False: data)
    return data


def test_as_many_of_every_class_are_kept_as_they_are(digits, tmp_path):
    built = specimens.build("mnist", tmp_path, out=tmp_path / "mnist.safetensors", count=8)
    found = load("mnist", tmp_path)
    for each in (built, found):
        assert each.targets["classes"] == ("a", "b")
        assert each.targets["label"].bincount().tolist() == [4, 4]
        for picture, label in zip(each.images, each.targets["label"], strict=True):
            (row,) = (digits.images == picture).flatten(1).all(1).nonzero()[0].tolist()
            assert digits.targets["label"][row] == label


def test_a_face_keeps_its_map_its_drawing_its_attributes_and_its_captions(tmp_path, monkeypatch):
    data = Faces(count=12).load(tmp_path, "train")
    monkeypatch.setattr(Faces, "load", lambda self, root, split, download=False: data)
    specimens.build("faces", tmp_path, out=tmp_path / "faces.safetensors", count=5)
    found = load("faces", tmp_path)
    assert len(found) == 5
    for k, picture in enumerate(found.images):
        (row,) = (data.images == picture).flatten(1).all(1).nonzero()[0].tolist()
        for name in ("mask", "image", "attributes"):
            assert torch.equal(found.targets[name][k], data.targets[name][row]), name
        assert tuple(found.targets["text"][k]) == data.targets["text"][row]


def test_what_is_missing_or_damaged_is_said(digits, tmp_path):
    with pytest.raises(FileNotFoundError, match="no specimens are kept of data set 'letters'"):
        load("letters", tmp_path)
    path = tmp_path / "mnist.safetensors"
    specimens.build("mnist", tmp_path, out=path, count=8)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match="mnist.safetensors is no cgan-specimens-1 file, make it again"):
        load("mnist", tmp_path)


def test_the_command(digits, tmp_path, capsys):
    out = tmp_path / "made" / "mnist.safetensors"
    common = ["build", "--dataset", "mnist", "--data-root", str(tmp_path), "--out", str(out)]
    assert main([*common, "--count", "1"]) == 2
    assert "--count must be from 2 up, got 1" in capsys.readouterr().err
    assert main([*common, "--count", "6"]) == 0
    assert "6 pictures" in capsys.readouterr().out


@pytest.mark.parametrize("dataset", BUNDLED)
def test_bundled_specimens(dataset):
    found = load(dataset)
    assert len(found) >= 32
    if "label" in found.targets:
        counts = found.targets["label"].bincount().tolist()
        assert counts == [len(found) // 10] * 10
        assert counts[0] > SHOWN, "seeds show different ones"


def test_bundled_specimens_fit_their_budget():
    assert BUNDLED == ["faces", "fashion-mnist", "mnist"]
    assert sum((FOLDER / f"{dataset}.safetensors").stat().st_size for dataset in BUNDLED) < 300_000
