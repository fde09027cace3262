"""`python -m cgan evaluate`, from the command line to the figures, on data that a bundled model drew."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch

from cgan import evaluation
from cgan.__main__ import main
from cgan.conditions import CONDITIONS
from cgan.conditions.attributes import Attributes
from cgan.conditions.label import Label
from cgan.data import Images
from cgan.data.faces import Faces
from cgan.data.folder import Folder
from cgan.data.vision import EMNIST, MNIST
from cgan.evaluation import _check_judge, alike, check_choices, drawer, quick_evaluation, real_reference
from cgan.metrics import MEASURES, report
from cgan.metrics.asked import asked
from cgan.metrics.features import FOLDER as JUDGES
from cgan.metrics.features import FeatureInfo, FeatureNetwork, home
from cgan.metrics.judge import Subjects
from cgan.model import ConditionalGAN
from cgan.types import Attribute
from tests.conftest import tiny_config, tiny_data
from tests.test_conditions import SIZE, TARGETS, configured

FOLDER = Path(__file__).parent.parent / "assets" / "models" / "mnist-article"


def write_idx(path: Path, array: torch.Tensor) -> None:
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    path.write_bytes(header + array.to(torch.uint8).numpy().tobytes())


def drawn_root(root: Path, training: int, test: int) -> Path:
    """An MNIST data root of so many pictures that the bundled model drew."""
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    model = ConditionalGAN.load(FOLDER)
    for name, seed, count in (("train", 1, training), ("t10k", 2, test)):
        images, drawn = drawer(model, {"label": torch.arange(10)})(seed, count)
        write_idx(raw / f"{name}-images-idx3-ubyte", images[:, 0])
        write_idx(raw / f"{name}-labels-idx1-ubyte", drawn["label"])
    return root


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    return drawn_root(tmp_path_factory.mktemp("data"), 400, 200)


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
    assert report["generated"]["noise_variety"]["mean"] == pytest.approx(
        report["real"]["noise_variety"], abs=0.2
    )
    assert report["features"]["name"] == "cgan-mnist"
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["evaluation"] == report
    assert metrics["training"]["kimg"] > 0, "what the file held before stays"
    assert [point["kimg"] for point in metrics["timeline"]][0] == 0
    assert metrics["timeline"][0]["frechet"] > 10 * metrics["timeline"][-1]["frechet"]
    card = (folder / "README.md").read_text()
    assert "model-index" in card
    assert f"--model {folder.name}" in card
    assert str(tmp_path) not in card, "where on this machine the folder lies"
    assert "frechet" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--json", "/"], "--json must be a file in a folder that exists, got '/'"),
        (["--json", "/no/such/x.json"], "--json must be a file in a folder that exists"),
        (["--model", "ada/digits", "--record"], "--record needs a model folder of your own, ada/digits is"),
        (["--count", "many"], "--count must be a whole number from 1 to 1000000, got 'many'"),
    ],
)
def test_bad_input_is_refused_before_anything_is_read(tmp_path, capsys, more, message):
    assert run(tmp_path, tmp_path / "x.json", *more) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1


def test_processes_that_share_the_seeds_find_the_same(root, tmp_path):
    reports = []
    for processes in "1", "2":
        out = tmp_path / f"{processes}.json"
        more = ("--count", "120", "--seeds", "2", "--usefulness", "200", "--processes", processes)
        assert run(root, out, *more) == 0
        reports.append(json.loads(out.read_text())["evaluation"])
    assert reports[0] == reports[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--processes", "0"], "--processes must be a whole number from 1"),
        (["--count", "201"], "count must be from 97 to 200"),
        (["--count", "50"], "count must be from 97 to 200"),
        (["--seeds", "0"], "--seeds must be a whole number from 1"),
        (["--usefulness", "some"], "--usefulness must be a whole number"),
        (["--usefulness", "5", "--count", "120"], "usefulness needs at least 128 pictures, got 5"),
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
    config = tiny_config(dataset__size=8, condition=Label())
    model = ConditionalGAN(config.model({"classes": config.dataset.classes}, 8, 1)).eval()
    measure = quick_evaluation(tiny_config(dataset__size=28).dataset, "label", root, count=150)
    with pytest.raises(ValueError, match="feature network takes uint8 pictures"):
        measure(model)


@pytest.mark.parametrize(
    ("own", "now", "message"),
    [
        ({"classes": ("a", "b")}, {"classes": ("a", "c")}, "with label b, these are with label c"),
        ({"classes": ("a", "b")}, {"classes": ("a", "b", "c")}, "without label c, these are with label c"),
        ({"classes": ("a", "b")}, {"classes": ("b", "a")}, "in another order or form, these are in another"),
        (
            {"attribute_fields": (Attribute("radius", low=3.0, high=20.0),)},
            {"attribute_fields": (Attribute("radius", low=3.0, high=26.0),)},
            r"with attribute radius \(3.0 to 20.0\), these are with attribute radius \(3.0 to 26.0\)",
        ),
    ],
)
def test_what_a_judge_was_not_made_for_is_named(own, now, message):
    subjects, images = Subjects.of(own), torch.zeros(1, 1, 28, 28).byte()
    info = FeatureInfo(
        dataset="emnist",
        classes=subjects.labels,
        attributes=subjects.attributes,
        channels=1,
        size=28,
        test_accuracy=1.0,
        epochs=1,
        command="",
        widths=(4,) * 5 if subjects.labels else (4,) * 3,
    )
    command = "--dataset emnist --data-root DIR --part balanced$"
    with pytest.raises(ValueError, match=f"pictures {message}.*{command}"):
        _check_judge(FeatureNetwork(info, info.build()), EMNIST(part="balanced"), Images(images, now))


def test_a_size_that_the_bundled_judge_does_not_read_has_a_judge_of_its_own(root):
    """Or its training, as the message asks for it, would replace ours."""
    with pytest.raises(FileNotFoundError, match="train --dataset mnist --data-root DIR --size 32$"):
        real_reference(MNIST(size=32), "label", root, False, 150)
    assert home("mnist", MNIST(size=32), root) == root
    assert home("mnist", MNIST(), root) == home("faces", Faces(count=9), root) == JUDGES
    assert home("faces", Faces(size=96), root) == root


def test_a_wrong_folder_is_told_before_a_missing_judge(tmp_path):
    with pytest.raises(FileNotFoundError, match="must be a folder of pictures"):
        real_reference(Folder(), "label", tmp_path / "nowhere", False, 150)


def test_the_quick_reference_of_large_pictures_is_of_every_class(root, monkeypatch):
    """A folder's pictures come class by class."""
    train, test = (MNIST().load(root, split) for split in ("train", "test"))
    order = train.targets["label"].argsort()
    train = Images(train.images[order], {**train.targets, "label": train.targets["label"][order]})
    splits = {"train": train, "test": test}
    monkeypatch.setattr(MNIST, "load", lambda self, root, split, download: splits[split])
    monkeypatch.setattr(evaluation, "QUICK_SIZE", 14)
    images, targets = real_reference(MNIST(), "label", root, False, 150, fewer=True).train
    assert len(images) == len(targets["label"]) == 100
    assert targets["label"].unique().tolist() == list(range(10))
    place = (train.images == images[7]).flatten(1).all(1).nonzero()[0, 0]
    assert train.targets["label"][place] == targets["label"][7]


def test_a_missing_timeline_is_told_before_anything_is_measured(root, tmp_path, capsys):
    folder = shutil.copytree(FOLDER, tmp_path / "model")
    (folder / "timeline.safetensors").unlink()
    assert run(root, tmp_path / "figures.json", "--timeline", "--count", "120", model=folder) == 2
    err = capsys.readouterr().err
    assert "timeline.safetensors: missing" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("now", "message"),
    [
        (
            (Attribute("hair", ("black", "blond", "red")), Attribute("age")),
            "hair \\(black, blond, red\\), age",
        ),
        ((Attribute("hair", ("grey", "red")), Attribute("age")), "has hair \\(grey, red\\), age"),
        ((Attribute("hair", ("black", "red")),), "the model's are hair \\(black, red\\), age"),
        ((Attribute("hair", ("black", "red")), Attribute("age", high=90.0)), ""),
    ],
)
def test_a_model_of_other_choices_than_the_data_s_is_refused(now, message):
    """Columns that changed since it was trained: the judge reads the new ones."""

    def targets(attributes: tuple[Attribute, ...]) -> dict:
        return {"attributes": torch.zeros(3, len(attributes)), "attribute_fields": attributes}

    known = targets((Attribute("hair", ("black", "red")), Attribute("age")))
    model = ConditionalGAN(tiny_config(condition=Attributes()).model(known, 8, 1))
    with pytest.raises(ValueError, match=message) if message else nullcontext():
        check_choices(model, targets(now))


def test_a_model_of_other_classes_than_the_data_s_is_not_measured(root):
    config = tiny_config(dataset__size=28, condition=Label())
    model = ConditionalGAN(config.model({"classes": ("a", "b", "c")}, 28, 1)).eval()
    with pytest.raises(ValueError, match="classes names 3 classes, the data set has 10"):
        evaluation.evaluate_model(model, root, count=120, seeds=1)


def test_samples_do_not_depend_on_how_many_are_drawn():
    model = ConditionalGAN.load(FOLDER)
    draw = drawer(model, {"label": torch.tensor([3, 3, 3, 7])})
    (few, asked_few), (many, asked_many) = draw(3, 20), draw(3, 600)
    assert (few.int() - many[:20].int()).abs().max() <= 1
    assert (asked_few["label"] == asked_many["label"][:20]).all()
    counts = asked_many["label"].bincount(minlength=10)
    assert counts[3] + counts[7] == 600, "no class is asked for that is not met"
    assert counts[3] > 2 * counts[7] > 0, "a rare one rarely"


@pytest.fixture(scope="module")
def faces(tmp_path_factory) -> Iterator[tuple[Faces, Path]]:
    """A few faces, and where they lie."""
    root = tmp_path_factory.mktemp("faces")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Faces, "test_count", 170)
        for module in (report, evaluation):
            patch.setattr(module, "CONDITIONS", 10)
        yield Faces(count=200), root


@pytest.mark.parametrize("form", [form for form in MEASURES if form != "label"])
def test_every_form_is_measured_recorded_and_told(faces, form, tmp_path, capsys):
    dataset, root = faces
    networks = {"generator__widths": (4, 4, 4, 4), "discriminator__widths": (4, 4, 4, 4, 4)}
    config = tiny_config(dataset=dataset, condition=CONDITIONS[form](), **networks)
    torch.manual_seed(0)
    model = ConditionalGAN(config.model(dataset.load(root, "train").targets, 64, 3)).eval()
    model.save(tmp_path / "model")
    out = tmp_path / "figures.json"
    assert run(root, out, "--count", "165", "--seeds", "1", "--record", model=tmp_path / "model") == 0
    figures = json.loads(out.read_text())["evaluation"]
    headline = MEASURES[form].headline
    assert (figures["form"], figures["headline"]) == (form, headline)
    assert figures["generated"]["obedience"][headline]["mean"] < 0.6, "it has not learned a thing"
    assert figures["real"]["obedience"][headline] > 0.9
    assert figures["generated"]["noise_variety"]["mean"] > 0
    if form == "attributes":
        assert 0.1 < figures["real"]["noise_variety"] < 0.4
    assert json.loads((tmp_path / "model" / "metrics.json").read_text())["evaluation"] == figures
    told = f"obedience {headline}".replace("_", " ")
    assert told in capsys.readouterr().out
    card = (tmp_path / "model" / "README.md").read_text()
    assert f"name: {told}" in card
    assert ("### One by one" in card) == (form != "image")
    assert card.count("name: obedience") < 7, "what every attribute scores is no result of its own"
    assert max(map(len, card.splitlines())) < 1500, "no picture is written out as text"
    quickly = quick_evaluation(dataset, form, root)
    assert set(quickly(model)) == {"obedience", "frechet", "frechet_ratio"}


@pytest.mark.parametrize("form", MEASURES)
def test_conditions_are_those_of_unseen_pictures_each_under_several_noises(form):
    torch.manual_seed(0)
    config = configured(form)
    model = ConditionalGAN(config.model(TARGETS, SIZE, 1)).eval()
    known = asked(object(), form, TARGETS)
    images, wanted = drawer(model, known)(1, 12, 3)
    again, _ = drawer(model, known)(1, 6, 3)
    assert torch.equal(images[:6], again), "the first do not depend on how many follow"
    column = wanted[form] if form != "text" else [caption for (caption,) in wanted["text"]]
    rows = [column[k].tolist() if form != "text" else column[k] for k in range(12)]
    assert rows[0] == rows[1] == rows[2]
    assert any(row != rows[0] for row in rows[3:])
    of_data = [row[k % len(row)] if row else "" for k, row in enumerate(TARGETS["text"])]
    assert all(row in (TARGETS[form].tolist() if form != "text" else of_data) for row in rows)
    raw = model.encoder.encode({form: wanted[form]})
    assert (images.int() - model.sample(model.noise(1, 12), raw).int()).abs().max() <= 1
    assert not torch.equal(images[0], images[1]), "the noise differs"


def test_real_pictures_of_one_condition_come_in_groups_of_a_class():
    data = tiny_data(60)  # 20 of each class
    images = alike(MNIST(size=8), "label", data)
    places = [(data.images == image).flatten(1).all(1).nonzero().item() for image in images]
    assert [data.targets["label"][place].item() for place in places] == [0] * 16 + [1] * 16 + [2] * 16
    assert alike(MNIST(size=8), "label", tiny_data(9)) is None
    assert alike(MNIST(size=8), "mask", data) is None
