"""python -m cgan: what it writes, and how it refuses."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from cgan import __main__ as cli
from cgan import hub, inference
from tests.conftest import CLASSES

ROOT = Path(__file__).parent.parent
ROUNDED = 4  # levels that a pixel may be off where convolutions multiply in half precision


@pytest.fixture
def folder(tmp_path, model) -> Path:
    model.save(tmp_path / "model")
    return tmp_path / "model"


def sample(folder: Path, out: Path, count: int, *more: str) -> dict[str, np.ndarray]:
    assert cli.main(["sample", "--model", str(folder), "--count", str(count), "--out", str(out), *more]) == 0
    with np.load(out, allow_pickle=False) as file:
        return dict(file)


def test_sample_writes_pictures_and_what_was_asked(folder, model, tmp_path):
    found = sample(folder, tmp_path / "s.npz", 40, "--seed", "3")
    assert set(found) == {"images", "label"}
    assert (found["images"].shape, found["images"].dtype) == ((40, 8, 8, 1), np.uint8)
    assert (found["label"].shape, found["label"].dtype) == ((40,), np.int64)
    assert set(found["label"]) == {0, 1, 2}
    raw = model.encoder.sample(40, 3)
    assert (found["label"] == raw.argmax(1).numpy()).all()
    expected = model.sample(model.noise(3, 40), raw).permute(0, 2, 3, 1).int()
    assert (torch.from_numpy(found["images"]).int() - expected).abs().max() <= ROUNDED
    assert not list(tmp_path.glob("*.partial"))


def test_sample_k_depends_on_neither_count_nor_batch(folder, tmp_path, monkeypatch):
    many = sample(folder, tmp_path / "many.npz", 50)
    few = sample(folder, tmp_path / "few.npz", 7)
    monkeypatch.setattr(inference, "CPU_BATCH", 3)
    batches = sample(folder, tmp_path / "batches.npz", 50)
    for name in ("images", "label"):
        assert (many[name][:7] == few[name]).all()
        assert (many[name] == batches[name]).all()
    other = sample(folder, tmp_path / "other.npz", 50, "--seed", "1")
    assert (other["images"] != many["images"]).any()


@pytest.mark.parametrize("label", CLASSES)
def test_sample_with_a_condition(folder, model, tmp_path, label):
    found = sample(folder, tmp_path / "s.npz", 4, "--condition", json.dumps({"label": label}))
    assert found["label"].tolist() == [CLASSES.index(label)] * 4
    raw = model.encoder.parse({"label": label}).expand(4, -1)
    expected = model.sample(model.noise(0, 4), raw)[:, 0].int()
    assert (torch.from_numpy(found["images"])[..., 0].int() - expected).abs().max() <= ROUNDED


BAD = {
    "count": (["--count", "0"], "--count must be a whole number from 1 to"),
    "huge count": (["--count", "9" * 30], "--count must be"),
    "far too many": (["--count", "999999999999"], "--count must be"),
    "no number": (["--count", "many"], "--count must be"),
    "seed": (["--seed", "-1"], "--seed must be a whole number from 0 to 9007199254740991, got '-1'"),
    "device": (["--device", "tpu"], "device must be one of auto, cpu, cuda, got 'tpu'"),
    "label": (["--condition", '{"label": "four"}'], "unknown label 'four'"),
    "field": (["--condition", '{"lable": "one"}'], "'lable'; this model accepts: label"),
    "json": (["--condition", "{label}"], "--condition must be a JSON object with label"),
    "array": (["--condition", "[1]"], "--condition must be a JSON object with label, got '[1]'"),
    "deep": (["--condition", "[" * 100_000], "--condition must be a JSON object with label"),
    "suffix": (["--out", "pictures.png"], "--out must be a file FILE.npz in a folder that exists"),
    "folder": (["--out", "/no/such/folder/s.npz"], "--out must be a file FILE.npz in a folder that exists"),
    "no model": (["--model", "/no/such/model"], "/no/such/model: there is no such folder"),
    "unknown": (["--colour", "red"], "unrecognized arguments: --colour red"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_status_2(folder, tmp_path, capsys, case):
    more, message = BAD[case]
    arguments = ["sample", "--model", str(folder), "--count", "3", "--out", str(tmp_path / "s.npz"), *more]
    assert status(arguments) == 2
    err = capsys.readouterr().err
    assert message in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "s.npz").exists()


def status(arguments: list[str]) -> int:
    try:
        return cli.main(arguments)
    except SystemExit as left:
        return int(left.code)


@pytest.mark.parametrize("arguments", [[], ["dance"], ["sample"], ["push", "--model", "x"]])
def test_incomplete_commands(arguments, capsys):
    assert status(arguments) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_damaged_model_is_refused(folder, tmp_path, capsys):
    (folder / "model.safetensors").write_bytes(b"\x80\x04 not safetensors")
    assert status(["sample", "--model", str(folder), "--count", "1", "--out", str(tmp_path / "s.npz")]) == 2
    assert status(["info", "--model", str(folder)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_a_full_disk_leaves_nothing_half_written(folder, tmp_path, capsys, monkeypatch):
    def full(file, **arrays):
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    out = tmp_path / "s.npz"
    out.write_bytes(b"what was there before")
    assert status(["sample", "--model", str(folder), "--count", "1", "--out", str(out)]) == 1
    assert "No space left on device" in capsys.readouterr().err
    assert out.read_bytes() == b"what was there before"
    assert not list(tmp_path.glob("*.partial"))


def test_a_stopped_command_says_so_in_a_line(folder, tmp_path, capsys, monkeypatch):
    def interrupted(file, **arrays):
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", interrupted)
    assert status(["sample", "--model", str(folder), "--count", "1", "--out", str(tmp_path / "s.npz")]) == 130
    assert capsys.readouterr().err == "python -m cgan sample: stopped\n"
    assert not list(tmp_path.glob("*.partial"))


def test_info(folder, capsys):
    (folder / "metrics.json").write_text('{"training": {"kimg": 3}}')
    assert status(["info", "--model", str(folder)]) == 0
    known = json.loads(capsys.readouterr().out)
    assert known["accepts"] == {"label": {"name": "label", "choices": list(CLASSES), "colours": []}}
    assert known["model"]["size"] == 8
    assert known["parameters"]["generator"] > 0
    assert known["bytes"]["model.safetensors"] == (folder / "model.safetensors").stat().st_size
    assert known["metrics"] == {"training": {"kimg": 3}}


def test_push_hands_on_to_the_hub(folder, capsys, monkeypatch):
    def push(path, repo, *, private):
        assert (path, repo, private) == (folder, "somebody/digits", True)
        return "where it is"

    monkeypatch.setattr(hub, "push", push)
    assert status(["push", "--model", str(folder), "--repo", "somebody/digits", "--private"]) == 0
    assert capsys.readouterr().out == "where it is\n"


def test_the_commands_import_nothing_heavy():
    code = "import sys, cgan.__main__; print(*sorted(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    heavy = {
        "gradio",
        "fastapi",
        "torchvision",
        "accelerate",
        "torchmetrics",
        "pandas",
        "sympy",
        "torch._dynamo",
    }
    assert not heavy & set(out.stdout.split())
