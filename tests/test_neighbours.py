"""The nearest real pictures: what is kept of a data set, and what is found in it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cgan import neighbours
from cgan.data import Images
from cgan.data.vision import MNIST
from cgan.metrics.features import FeatureInfo, FeatureNetwork
from cgan.neighbours import FOLDER, SPACES, Neighbours, build, digest, main

BUNDLED = sorted(path.stem for path in FOLDER.glob("*.safetensors"))


@pytest.fixture
def network() -> FeatureNetwork:
    """An untrained judge of 28x28 pictures."""
    info = FeatureInfo(
        dataset="mnist", classes=("a", "b"), channels=1, size=28, test_accuracy=0.5, epochs=0, command=""
    )
    torch.manual_seed(0)
    return FeatureNetwork(info, info.build().fuse())


@pytest.fixture
def kept(monkeypatch, tmp_path, network) -> Neighbours:
    """Fifty of sixty pictures of noise, written and read again."""
    generator = torch.Generator().manual_seed(0)
    training = torch.randint(0, 16, (60, 1, 28, 28), generator=generator).mul(17).to(torch.uint8)
    test = torch.randint(0, 256, (30, 1, 28, 28), generator=generator).to(torch.uint8)
    parts = {
        "train": Images(training, {"label": torch.arange(60) % 2, "classes": ("a", "b")}),
        "test": Images(test, {"label": torch.arange(30) % 2, "classes": ("a", "b")}),
    }
    monkeypatch.setattr(MNIST, "load", lambda self, root, split, download=False: parts[split])
    monkeypatch.setattr(FeatureNetwork, "load", staticmethod(lambda dataset: network))
    build("mnist", tmp_path, out=tmp_path / "mnist.safetensors", count=50, quality=None)
    found = Neighbours.load("mnist", tmp_path)
    assert torch.equal(found.pictures, training[found.rows])
    assert torch.equal(found.labels, found.rows % 2)
    return found


def test_a_copy_is_found_and_nothing_is_nearer(kept):
    copied = kept.pictures[17:18]
    for space in SPACES:
        distances, places = kept.nearest(copied, 8, space)
        assert places[0] == 17
        assert distances[0] == pytest.approx(0, abs=1e-3)
        assert (distances.diff() >= 0).all()
        assert kept.rank(distances[0].item(), space) == 0
        assert kept.rank(1e6, space) == 1


def test_distances_by_hand(kept):
    black = torch.zeros(1, 1, 28, 28, dtype=torch.uint8)
    expected = (kept.pictures[3].float() / 255).square().mean().sqrt()
    torch.testing.assert_close(kept.distances(black, "pixels")[0, 3], expected)
    features = kept.network.features(torch.cat([black, kept.pictures[3:4]]))
    torch.testing.assert_close(
        kept.distances(black, "features")[0, 3], (features[0] - features[1]).norm(), atol=1e-4, rtol=1e-4
    )


def test_the_yardstick_is_what_test_pictures_have(kept):
    test = MNIST().load(Path(), "test").images
    for space in SPACES:
        nearest = kept.distances(test, space).amin(1)
        ranks = [kept.rank(distance, space) for distance in nearest.tolist()]
        assert sum(ranks) / len(ranks) == pytest.approx(0.5, abs=0.03)


def test_another_judge_is_noticed(kept, monkeypatch, tmp_path):
    monkeypatch.setattr(neighbours, "digest", lambda dataset: "0")
    with pytest.raises(ValueError, match="measured by another judge, make it again: python"):
        Neighbours.load("mnist", tmp_path)


@pytest.mark.parametrize("cut", [100, 5000])
def test_a_damaged_file_is_refused(kept, tmp_path, cut):
    path = tmp_path / "mnist.safetensors"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ValueError, match="mnist.safetensors is no cgan-neighbours-1 file, make it again"):
        Neighbours.load("mnist", tmp_path)


def test_what_is_not_kept_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="no real pictures are kept of data set 'letters'"):
        Neighbours.load("letters", tmp_path)


def test_the_command_refuses(kept, tmp_path, capsys):
    common = ["build", "--dataset", "mnist", "--data-root", str(tmp_path), "--out", str(tmp_path / "out")]
    assert main([*common, "--count", "61"]) == 2
    assert "--count must be from 1 to 60" in capsys.readouterr().err
    assert main([*common, "--count", "20", "--quality", "50"]) == 0
    assert "20 of 60 pictures" in capsys.readouterr().out


@pytest.mark.parametrize("dataset", BUNDLED)
def test_bundled_pictures_are_those_that_the_present_judge_measured(dataset):
    found = Neighbours.load(dataset)
    assert found.info.judge == digest(dataset)
    assert len(found.pictures) >= (3000 if found.labels is not None else 600)
    assert found.pictures.shape[1:] == (found.info.channels, found.info.size, found.info.size)
    if found.labels is not None:
        read = found.network(found.pictures[:200])
        assert read.accuracy(found.labels[:200]) > 0.9
    ranks = [found.rank(1e6, space) for space in SPACES] + [found.rank(0, space) for space in SPACES]
    assert ranks == [1, 1, 0, 0]


def test_bundled_pictures_fit_their_budget():
    assert BUNDLED
    assert sum((FOLDER / f"{dataset}.safetensors").stat().st_size for dataset in BUNDLED) < 1_200_000
