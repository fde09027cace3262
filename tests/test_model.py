"""A model folder is read back exactly or refused in one line; nothing in it is ever executed."""

from __future__ import annotations

import errno
import json
import pickle
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.utils._python_dispatch import TorchDispatchMode

from cgan import model as model_module
from cgan.conditions.mask import Mask
from cgan.model import CONFIG, DISCRIMINATOR, WEIGHTS, ConditionalGAN, ModelError, read_json, write_json
from cgan.networks import NORMS
from tests.conftest import CLASSES, tiny_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tiny_model().save(tmp_path / "model")
    return tmp_path / "model"


def edit_config(change: Callable[[dict], object]) -> Callable[[Path], None]:
    """Damage that changes config.json's data in place."""

    def damage(folder: Path) -> None:
        data = json.loads((folder / CONFIG).read_text())
        change(data)
        (folder / CONFIG).write_text(json.dumps(data))

    return damage


def edit_tensors(name: str, change: Callable[[dict], object]) -> Callable[[Path], None]:
    """Damage that changes a safetensors file's tensors in place."""

    def damage(folder: Path) -> None:
        tensors = load_file(folder / name)
        change(tensors)
        save_file(tensors, folder / name)

    return damage


def rewrite(name: str, content: bytes | Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """Damage that replaces a file's bytes."""

    def damage(folder: Path) -> None:
        path = folder / name
        path.write_bytes(content(path.read_bytes()) if callable(content) else content)

    return damage


def remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def asks_for(part: str, **options: object) -> Callable[[Path], None]:
    return edit_config(lambda data: data["model"][part].update(options))


STEM, LOGIT = "generator.stem.weight", "discriminator.logit.weight"
DAMAGES = {
    "no config": (remove(CONFIG), "config.json: missing"),
    "no weights": (remove(WEIGHTS), "model.safetensors: missing"),
    "no discriminator": (remove(DISCRIMINATOR), "discriminator.safetensors: missing"),
    "config is a list": (rewrite(CONFIG, b"[]"), "must hold a JSON object, holds a list"),
    "config is no JSON": (rewrite(CONFIG, b"{"), "not valid JSON"),
    "config is no text": (rewrite(CONFIG, b"\xff\xfe{}"), "not valid JSON"),
    "config is bottomless": (rewrite(CONFIG, b'{"model":' + b"[" * 100_000), "not valid JSON"),
    "config is deep": (rewrite(CONFIG, b'{"model":' + b"[" * 99 + b"]" * 99 + b"}"), "more than 50 deep"),
    "config has no end": (rewrite(CONFIG, b'{"format_version": 1e999}'), "a number is too large"),
    "config has half a character": (rewrite(CONFIG, b'{"a": ["\\ud800"]}'), "not valid JSON"),
    "config has half a name": (rewrite(CONFIG, b'{"\\ud800": 1}'), "not valid JSON"),
    "config has NaN": (rewrite(CONFIG, b'{"format_version": NaN}'), "NaN is no JSON number"),
    "no version": (edit_config(lambda data: data.pop("format_version")), "format_version is None"),
    "later version": (edit_config(lambda data: data.update(format_version=2)), "is 2, this program reads 1"),
    "no model": (edit_config(lambda data: data.pop("model")), "model must be an object"),
    "unknown option": (asks_for("generator", width=3), r"unknown option model\.generator\.width"),
    "unknown condition": (asks_for("condition", name="lable"), "unknown condition 'lable'"),
    "wrong type": (asks_for("generator", noise_dim="5"), "noise_dim must be whole number"),
    "many widths": (asks_for("discriminator", widths=[4] * 100_000), "do not fit 8x8"),
    "truncated": (rewrite(WEIGHTS, lambda data: data[:-1]), "not a whole safetensors file"),
    "header alone": (rewrite(DISCRIMINATOR, lambda data: data[:100]), "not a whole safetensors file"),
    "empty": (rewrite(WEIGHTS, b""), "not a whole safetensors file"),
    "trailing bytes": (rewrite(WEIGHTS, lambda data: data + b"\0"), "not a whole safetensors file"),
    "lying header": (rewrite(WEIGHTS, b"\xff" * 16), "not a whole safetensors file"),
    "a weight missing": (edit_tensors(WEIGHTS, lambda t: t.pop(STEM)), f"{STEM} is missing"),
    "a weight too many": (
        edit_tensors(WEIGHTS, lambda t: t.update({"os\n.system": torch.ones(1)})),
        r"'os\\n.system' belongs to no part",
    ),
    "a weight in the wrong file": (
        edit_tensors(WEIGHTS, lambda t: t.update({LOGIT: torch.ones(1, 32)})),
        "belongs to no part",
    ),
    "a weight of another shape": (
        edit_tensors(WEIGHTS, lambda t: t.update({STEM: t[STEM][:-1].clone()})),
        rf"{STEM} is \(7, 4, 4, 4\), config.json asks for \(8, 4, 4, 4\)",
    ),
    "a weight of another kind": (edit_tensors(WEIGHTS, lambda t: t.update({STEM: t[STEM].int()})), "int32"),
    "a weight not finite": (edit_tensors(WEIGHTS, lambda t: t[STEM][0, 0, 0].fill_(torch.nan)), "not finite"),
    "half overflowed": (edit_tensors(DISCRIMINATOR, lambda t: t[LOGIT].fill_(torch.inf)), "is not finite"),
    "double overflows": (
        edit_tensors(WEIGHTS, lambda t: t.update({STEM: t[STEM].double().fill_(1e300)})),
        "is not finite",
    ),
}
GREEDY = {
    "wide generator": asks_for("generator", widths=[10**9, 10**9]),
    "wide discriminator": asks_for("discriminator", widths=[4000, 4000]),
    "much noise": asks_for("generator", noise_dim=10**12),
    "beyond 64 bits": asks_for("generator", widths=[10**40, 4]),
    "hidden layer": asks_for("discriminator", hidden=10**7),
    "large pictures": edit_config(lambda data: data["model"].update(size=10**6)),
    "largest pictures": edit_config(lambda data: data["model"].update(size=1024)),
    "many channels": edit_config(lambda data: data["model"].update(channels=10**9)),
    "negative": edit_config(lambda data: data["model"].update(size=-8)),
    "many classes": asks_for("condition", classes=[str(k) for k in range(100_000)]),
}


def refused(folder: Path, message: str | None = None) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        ConditionalGAN.load(folder)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600
    assert str(folder) in str(caught.value)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("block", ["residual", "upsample", "transposed"])
def test_what_is_saved_is_loaded(tmp_path, norm, block):
    saved = tiny_model(
        generator__norm=NORMS[norm](), generator__block=block, discriminator__norm=NORMS[norm]()
    )
    saved.save(tmp_path)
    loaded = ConditionalGAN.load(tmp_path)
    assert loaded.config == saved.config
    assert not loaded.training
    for name, tensor in saved.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor), name
        assert loaded.state_dict()[name].dtype == tensor.dtype
    noise, raw = saved.noise(7, 6), saved.encoder.sample(6, seed=7)
    assert torch.equal(loaded.sample(noise, raw), saved.sample(noise, raw))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_model_that_cannot_be_saved_whole_leaves_the_one_before_it(folder, monkeypatch):
    def full_disk(tensors, path):
        if DISCRIMINATOR in Path(path).name:
            Path(path).write_bytes(b"half a file")
            raise OSError(errno.ENOSPC, "the disk is full")
        save_file(tensors, path)

    before = contents(folder)
    monkeypatch.setattr(model_module, "save_file", full_disk)
    with pytest.raises(OSError, match="full"):
        tiny_model(generator__noise_dim=6).save(folder)
    assert contents(folder) == before


def test_loading_leaves_the_random_numbers_alone(folder):
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    ConditionalGAN.load(folder)
    assert torch.equal(torch.rand(4), expected)


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_folder_is_refused_in_one_line(folder, name):
    damage, message = DAMAGES[name]
    damage(folder)
    refused(folder, message)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    refused(tmp_path / "nowhere", "config.json: missing")


@pytest.mark.parametrize(("file", "limit"), [(CONFIG, "FILE_LIMIT"), (WEIGHTS, "TENSOR_LIMIT")])
def test_an_oversized_file_is_refused_unread(folder, monkeypatch, file, limit):
    size = (folder / file).stat().st_size
    monkeypatch.setattr(model_module, limit, size - 1)
    refused(folder, f"{file}: {size} bytes, more than the {size - 1} allowed")


@pytest.mark.parametrize(
    ("part", "options", "count"),
    [
        ("generator", {"attention": [1024]}, 2**38),
        ("generator", {"widths": [1] * 8 + [33]}, 33 * 2**20),
        ("discriminator", {"widths": [33, 1]}, 33 * 2**20),
    ],
)
def test_small_weights_with_floods_of_pixels_are_refused(folder, part, options, count):
    edit_config(lambda data: data["model"].update(size=1024))(folder)
    asks_for("generator", widths=[1] * 9)(folder)
    asks_for(part, **options)(folder)
    refused(folder, f"a layer makes {count} numbers of one picture, more than the 33554432 allowed")


def test_a_large_reference_batch_of_small_weights_is_refused(folder):
    asks_for("generator", norm={"name": "virtual", "reference": 2**21})(folder)
    refused(folder, "more than the 33554432 allowed")


def test_a_condition_much_larger_than_the_picture_is_refused():
    mask = Mask(classes=tuple(map(str, range(33))), colours=("#000000",) * 33, size=1024)
    with pytest.raises(ValueError, match=f"a layer makes {33 * 2**20} numbers"):
        ConditionalGAN(replace(tiny_model().config, condition=mask))


def test_a_file_that_may_not_be_read_is_refused(folder, monkeypatch):
    def denied(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", denied)
    refused(folder, "config.json: can't be read")


class Largest(TorchDispatchMode):
    """Knows how many bytes the largest tensor has that is made in this block."""

    size = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        if isinstance(made, torch.Tensor) and not made.is_meta:
            self.size = max(self.size, made.nbytes)
        return made


@pytest.mark.parametrize("name", GREEDY)
def test_a_config_that_asks_for_a_flood_is_refused_at_once(folder, name):
    GREEDY[name](folder)
    with Largest() as made:
        refused(folder)
    assert made.size < 2**20


class Bomb:
    """Unpickled, it leaves a file behind."""

    def __init__(self, marker: Path):
        self.marker = marker

    def __reduce__(self):
        return (Path.touch, (self.marker,))


@pytest.mark.parametrize("write", [pickle.dump, torch.save], ids=["pickle", "torch.save"])
def test_a_pickle_under_another_name_is_refused_and_not_run(folder, tmp_path, write):
    marker = tmp_path / "ran"
    with open(folder / WEIGHTS, "wb") as file:
        write(Bomb(marker), file)
    refused(folder, "not a whole safetensors file")
    assert not marker.exists()
    pickle.loads(pickle.dumps(Bomb(marker)))
    assert marker.exists()  # the bomb is live


def test_other_files_in_the_folder_are_neither_read_nor_run(folder, tmp_path):
    marker = tmp_path / "ran"
    with open(folder / "pytorch_model.bin", "wb") as file:
        pickle.dump(Bomb(marker), file)
    for name in ("__init__.py", "model.py", "modeling.py", "conftest.py"):
        (folder / name).write_text(f"open({str(marker)!r}, 'w')")
    ConditionalGAN.load(folder)
    assert not marker.exists()


def test_links_are_followed_and_what_they_lead_to_is_checked(folder, tmp_path):
    shutil.move(folder / WEIGHTS, tmp_path / "blob")
    (folder / WEIGHTS).symlink_to(tmp_path / "blob")
    assert ConditionalGAN.load(folder).encoder.classes == CLASSES
    (tmp_path / "secret").write_text("the password")
    for name in (CONFIG, WEIGHTS):
        (folder / name).unlink()
        (folder / name).symlink_to(tmp_path / "secret")
        with pytest.raises(ModelError) as caught:
            ConditionalGAN.load(folder)
        assert "password" not in str(caught.value)
    (folder / CONFIG).unlink()
    (folder / CONFIG).symlink_to("/dev/zero")
    refused(folder, "config.json: missing")


def test_any_config_loads_or_is_refused_in_one_line(folder):
    """400 seeded changes to config.json: a value replaced, a key dropped or renamed, anywhere."""
    original, rng = read_json(folder / CONFIG), random.Random(0)
    nasty = [None, True, -1, 0, 1, 7, 2**63, 10**30, -0.5, 1e308, "", "x" * 500, "a\nb", [], [0], [[[]]], {}]
    nasty += [{"name": "label"}, {"name": []}, [None], [1, "a"], ["a", "a"], "spectral", "label"]
    refusals, lines = 0, set()
    for _ in range(400):
        data = json.loads(json.dumps(original))
        node, key = data, rng.choice(list(data))
        while isinstance(node[key], dict) and node[key] and rng.random() < 0.9:
            node, key = node[key], rng.choice(list(node[key]))
        if rng.random() < 0.85:
            node[key] = rng.choice(nasty)
        else:
            value = node.pop(key)
            node.update({"".join(rng.sample(key, len(key))): value} if rng.random() < 0.5 else {})
        write_json(folder / CONFIG, data)
        try:
            ConditionalGAN.load(folder)
        except ModelError as error:
            lines.add(str(error).count("\n"))
            refusals += 1
    assert lines == {0}
    assert 200 < refusals < 390


def test_pictures_are_rounded_to_bytes_and_come_back():
    model = tiny_model()
    assert model.to_uint8(torch.tensor([-1.0, -1 + 1.6 * 2 / 255, 1.0])).tolist() == [0, 2, 255]
    every = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(model.to_uint8(model.from_uint8(every)), every)
