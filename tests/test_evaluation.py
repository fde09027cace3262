"""`python -m cgan evaluate`, from the command line to the figures, on data that a bundled model drew."""

from __future__ import annotations

import json
import shutil
import struct
from pathlib import Path

import pytest
import torch

from cgan.__main__ import main
from cgan.evaluation import draw_samples, quick_evaluation
from cgan.model import ConditionalGAN
from tests.conftest import tiny_config

FOLDER = Path(__file__).parent.parent / "assets" / "models" / "mnist-article"


def write_idx(path: Path, array: torch.Tensor) -> None:
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    path.write_bytes(header + array.to(torch.uint8).numpy().tobytes())


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """An MNIST data root of 400 + 200 pictures that the bundled model drew."""
    root = tmp_path_factory.mktemp("data")
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    model = ConditionalGAN.load(FOLDER)
    for name, seed, count in (("train", 1, 400), ("t10k", 2, 200)):
        images, asked = draw_samples(model, seed, count)
        write_idx(raw / f"{name}-images-idx3-ubyte", images[:, 0])
        write_idx(raw / f"{name}-labels-idx1-ubyte", torch.as_tensor(asked["label"]))
    return root


def run(root: Path, out: Path, *more: str, model: Path = FOLDER) -> int:
    return main(["evaluate", "--model", str(model), "--data-root", str(root), "--json", str(out), *more])


def test_a_model_measured_against_its_own_pictures_is_at_the_floor(root, tmp_path, capsys):
    folder = shutil.copytree(FOLDER, tmp_path / "model")
    out = tmp_path / "figures.json"
    assert run(root, out, "--count", "200", "--seeds", "2", "--timeline", "--record", model=folder) == 0
    report = json.loads(out.read_text())["evaluation"]
    assert report["generated"]["obedience"]["accuracy"]["mean"] > 0.97
    assert len(report["generated"]["frechet"]["values"]) == 2
    assert report["ratio"]["frechet"] < 2
    assert report["features"]["name"] == "cgan-mnist"
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["evaluation"] == report
    assert metrics["training"]["kimg"] > 0, "what the file held before stays"
    assert [point["kimg"] for point in metrics["timeline"]][0] == 0
    assert metrics["timeline"][0]["frechet"] > 10 * metrics["timeline"][-1]["frechet"]
    card = (folder / "README.md").read_text()
    assert "model-index" in card
    assert "frechet" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--count", "201"], "count must be from 97 to 200"),
        (["--count", "50"], "count must be from 97 to 200"),
        (["--seeds", "0"], "--seeds must be a whole number from 1"),
        (["--usefulness", "some"], "--usefulness must be a whole number"),
        (["--data-root", "/nowhere"], "no MNIST under /nowhere"),
        (["--json", "/nowhere/figures.json"], "--json must be a file in a folder that exists"),
        (["--model", "/nowhere"], "/nowhere"),
    ],
)
def test_bad_input_gets_one_line(root, tmp_path, capsys, arguments, message):
    assert run(root, tmp_path / "figures.json", *arguments) == 2
    error = capsys.readouterr().err
    assert message in error.splitlines()[-1]


def test_a_model_of_another_size_is_refused(root):
    torch.manual_seed(0)
    config = tiny_config(dataset__size=8)
    model = ConditionalGAN(config.model({"classes": config.dataset.classes[:3]}, 8, 1)).eval()
    measure = quick_evaluation(tiny_config(dataset__size=28).dataset, "label", root, count=150)
    with pytest.raises(ValueError, match="feature network takes uint8 pictures"):
        measure(model)


def test_samples_do_not_depend_on_how_many_are_drawn():
    model = ConditionalGAN.load(FOLDER)
    few, asked_few = draw_samples(model, 3, 20)
    many, asked_many = draw_samples(model, 3, 600)
    assert (few.int() - many[:20].int()).abs().max() <= 1
    assert (asked_few["label"] == asked_many["label"][:20]).all()
