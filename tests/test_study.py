"""The study: its rows, its runner on a tiny budget, its table, page and files."""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from fastapi import FastAPI
from PIL import Image

import train
from cgan.config import replace, to_json
from cgan.model import SAMPLES, ConditionalGAN
from cgan.study import BASELINE, STUDIES, Row, Study
from cgan.study.__main__ import main as write_page
from cgan.study.bundled import BundledStudy
from cgan.study.docs import anchor, page, verdict
from cgan.study.table import FIGURES, TABLE, against, scale, spread, table
from cgan.study.table import read as read_table
from cgan.study.techniques import GROUPS, SMALL
from cgan.training import checkpoint
from cgan.training import study as runner
from cgan.training.study import Bench, StudyError, claim, run, share
from cgan.ui.study import StudyRoutes
from tests.test_evaluation import drawn_root
from tests.test_routes import get

TECHNIQUES = STUDIES["techniques"]
TINY = replace(
    SMALL,
    generator__widths=(4, 4),
    generator__noise_dim=4,
    discriminator__widths=(4, 4, 4),
    training__kimg=0.128,
    training__batch=32,
    training__evaluate_kimg=0.064,
    training__checkpoint_kimg=0.064,
)
LSGAN = next(row for row in TECHNIQUES.rows if row.name == "lsgan")
BURST = Row("burst", "Burst", GROUPS[-1], {"training.generator_optimizer.lr": "1e38"}, "nobody", "It bursts.")
STUDY = Study(name="few", baseline=TINY, rows=(TECHNIQUES.rows[0], LSGAN, BURST), seeds=2, count=150)


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    return drawn_root(tmp_path_factory.mktemp("data"), 300, 150)


@pytest.fixture(scope="module")
def bench(root) -> Bench:
    return Bench.load(STUDY, root, download=False)


@pytest.fixture(scope="module")
def out(tmp_path_factory, bench) -> Path:
    """A study's folder once it is done."""
    out = tmp_path_factory.mktemp("study")
    run(STUDY, bench, out, "python train.py --study few")
    return out


def read(out: Path) -> dict:
    return json.loads((out / "few.json").read_text())


@pytest.mark.parametrize("row", TECHNIQUES.rows, ids=lambda row: row.name)
def test_every_row_changes_something_that_can_be_built(row):
    config = TECHNIQUES.config(row, seed=1)
    assert (config == TECHNIQUES.config(TECHNIQUES.rows[0], seed=1)) == (row.name == BASELINE)
    assert config.training.seed == 1
    assert (config.training.kimg, config.training.batch) == (SMALL.training.kimg, SMALL.training.batch)
    with torch.device("meta"):
        ConditionalGAN(config.model({"classes": config.dataset.classes}, 28, 1))
    assert re.fullmatch("[a-z0-9-]+", row.name)
    assert row.group in GROUPS
    assert row.sentence.endswith(".")
    assert row.reference
    flags = [part for path, text in row.flags.items() for part in (f"--{path}", text)]
    found = train.read(["--preset", "mnist", *flags])
    assert {path: text for path, text in found.items() if path not in train.OWN} == row.flags, "as printed"


def test_the_table_of_a_study(out):
    found = read(out)
    assert [row["name"] for row in found["rows"]] == ["baseline", "lsgan", "burst"]
    baseline, lsgan, _ = found["rows"]
    for row in (baseline, lsgan):
        assert row["seeds"] == [0, 1]
        assert set(row["figures"]) == set(FIGURES)
        assert len(row["figures"]["obedience"]["values"]) == 2
        assert [point["kimg"] for point in row["curve"]] == [0.064, 0.128]
        assert row["images_per_second"]["mean"] > 0
    assert baseline["against"] is None
    assert set(lsgan["against"]) == {"obedience", "frechet_ratio", "recall"}
    assert found["training"]["command"] == "python train.py --study few"
    assert found["training"]["config"]["generator"]["widths"] == [4, 4]
    assert found["measured"]["real"]["frechet_ratio"] == 1
    assert found["measured"]["real"]["obedience"] > 0.97


def test_a_run_that_bursts_is_a_result(out):
    row = read(out)["rows"][2]
    assert row["figures"] is None
    assert row["against"] is None
    assert row["lasting"]["not finite"] == 2
    result = json.loads((out / "runs" / "burst" / "0" / "result.json").read_text())
    assert "not finite" in result["failure"]
    assert result["kimg"] <= 0.128


def test_rows_are_drawn_under_the_same_noises(out):
    for name in ("baseline", "lsgan"):
        with Image.open(out / "few" / f"{name}.webp") as picture:
            assert picture.format == "WEBP"
            assert picture.size == (10 * 29 + 1, 6 * 29 + 1)
    assert (out / "few" / "lsgan.webp").stat().st_size < 15_000


def test_what_is_done_is_not_done_again(out, bench, monkeypatch):
    monkeypatch.setattr(runner, "train_and_score", lambda *_: pytest.fail("it trained"))
    before = (out / "few.json").read_text()
    run(STUDY, bench, out, "python train.py --study few")
    assert (out / "few.json").read_text() == before


def test_a_result_whose_table_was_not_written_comes_into_it(out, bench):
    """As where a process is stopped between the two."""
    before = (out / "few.json").read_text()
    (out / "few.json").unlink()
    run(STUDY, bench, out, "python train.py --study few")
    assert (out / "few.json").read_text() == before


def test_other_options_are_refused(out, bench):
    other = Study(name="few", baseline=replace(TINY, training__kimg=1), rows=STUDY.rows, count=150)
    with pytest.raises(ValueError, match="baseline/0 holds a run with other options"):
        run(other, bench, out, "")


def test_a_row_that_another_process_works_at_is_left_to_it(tmp_path, bench, monkeypatch):
    taken = []
    result = json.loads(
        json.dumps({"config": {}, "commits": [], "hardware": "", "figures": None, "curve": []})
    )
    result |= {"faults": [], "lasting": [], "images_per_second": 1.0, "kimg": 1.0}

    def pretend(config, bench, folder):
        taken.append((folder.parent.name, folder.name))
        with claim(folder) as mine:
            assert not mine, "it is claimed while it runs"
        return result, None

    monkeypatch.setattr(runner, "train_and_score", pretend)
    with claim(tmp_path / "runs" / "lsgan" / "0") as mine:
        assert mine
        run(STUDY.only(["lsgan"]), bench, tmp_path, "")
    assert taken == [("baseline", "0"), ("baseline", "1"), ("lsgan", "1")]
    with claim(tmp_path / "runs" / "lsgan" / "0") as mine:
        assert mine, "a claim ends with its block"


def done(out: Path, row: Row, seed: int, study: Study = STUDY) -> None:
    """A run of a study that has come to its end."""
    path = out / "runs" / row.name / str(seed) / "result.json"
    path.parent.mkdir(parents=True)
    config = json.loads(json.dumps(to_json(study.config(row, seed))))
    path.write_text(json.dumps(result(seed, 4.0, 0.98, config=config)))


def test_a_few_rows_or_seeds_join_the_table_of_the_others(tmp_path, bench, monkeypatch):
    for row, seed in STUDY.jobs:
        done(tmp_path, row, seed)
    run(STUDY, bench, tmp_path, "all")
    run(replace(STUDY, seeds=1).only(["lsgan"]), bench, tmp_path, "a row")
    found = read(tmp_path)
    rows = [("baseline", [0, 1]), ("lsgan", [0, 1]), ("burst", [0, 1])]
    assert [(row["name"], row["seeds"]) for row in found["rows"]] == rows
    assert found["training"]["command"] == "all\na row"
    run(STUDY, bench, tmp_path, "all anew")
    assert read(tmp_path)["training"]["command"] == "all anew", "which makes the whole table"


def test_a_row_of_other_options_is_not_mixed_in(tmp_path, bench):
    done(tmp_path, LSGAN, 1, replace(STUDY, baseline=replace(TINY, training__kimg=1)))
    with pytest.raises(ValueError, match="lsgan/1 holds a run with other options"):
        run(replace(STUDY, seeds=1).only([]), bench, tmp_path, "")


def test_the_threads_of_a_run_share_its_time(monkeypatch):
    clock = itertools.count()
    monkeypatch.setattr(time, "process_time", lambda: float(next(clock)))
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    trainer = SimpleNamespace(device=torch.device("cpu"), step=lambda: None, config=TINY)
    assert runner.speed(trainer) == 2 * runner.WINDOW * TINY.training.batch


def test_a_checkpoint_that_cannot_be_written_ends_one_of_several_processes_with_a_line(monkeypatch):
    def full(*arguments):
        raise checkpoint.CheckpointError("no space left")

    monkeypatch.setattr(runner, "work", full)
    with pytest.raises(SystemExit, match="no space left"):
        runner._work()


def test_a_study_is_shared_by_no_launcher(root, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("WORLD_SIZE", "2")
    words = ["--study", "techniques", "--data-root", str(root), "--out", str(tmp_path)]
    assert train.main(words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("--study shares its rows by --processes, not by accelerate launch")


def test_two_processes_share_the_rows(root, tmp_path):
    share(STUDY.only([]), root, tmp_path, False, "", processes=2)
    assert [(row["name"], row["seeds"]) for row in read(tmp_path)["rows"]] == [("baseline", [0, 1])]


def test_what_one_of_several_processes_lacks_gets_one_line(tmp_path, capfd):
    with pytest.raises(StudyError, match="1 of 1 processes failed; the same command goes on where they were"):
        share(STUDY.only([]), tmp_path / "nowhere", tmp_path, False, "", processes=1)
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(f"no MNIST under {tmp_path / 'nowhere'}")


SHARED = """
import signal, sys
import train
from cgan.config import replace, to_json
from cgan.study import STUDIES
from tests.test_study import STUDY, TINY
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # in a script's background it is ignored
    long = replace(TINY, training__kimg=100, training__checkpoint_kimg=100)
    STUDIES["few"] = replace(STUDY, baseline=long)
    arguments = ["--study", "few", "--rows", "lsgan", "--seeds", "1", "--processes", "2"]
    sys.exit(train.main([*arguments, "--data-root", sys.argv[1], "--out", sys.argv[2]]))
"""


@pytest.mark.parametrize("by", ["ctrl-c", "sigterm"])
def test_processes_that_are_stopped_save_their_last_steps_and_end_with_one_line(root, tmp_path, by):
    script, out = tmp_path / "shared.py", tmp_path / "out"
    script.write_text(SHARED)
    environment = os.environ | {"PYTHONPATH": str(Path(train.__file__).parent)}
    process = subprocess.Popen([sys.executable, script, root, out], env=environment, start_new_session=True,
                               stderr=subprocess.PIPE, text=True)  # fmt: skip
    folders = [out / "runs" / row / "0" for row in (BASELINE, "lsgan")]
    deadline = time.monotonic() + 300
    try:
        while not all((folder / SAMPLES).exists() for folder in folders) and time.monotonic() < deadline:
            time.sleep(0.1)
        if by == "ctrl-c":
            os.killpg(process.pid, signal.SIGINT)  # all that run in front get it
        else:
            process.terminate()
        _, error = process.communicate(timeout=60)  # until the last of them has closed it
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 130
    assert "Traceback" not in error
    assert error.splitlines()[-1] == "train.py: stopped; the same command goes on from the last checkpoint"
    assert all(checkpoint.read(folder)[1]["images_seen"] >= 64 for folder in folders)


def test_a_study_from_the_command_line(root, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(STUDIES, "few", STUDY)
    arguments = ["--study", "few", "--rows", "lsgan", "--seeds", "1", "--training.kimg", "0.064"]
    assert train.main([*arguments, "--data-root", str(root), "--out", str(tmp_path)]) == 0
    assert "lsgan, seed 0: Least squares" in capsys.readouterr().out
    found = read(tmp_path)
    assert [(row["name"], row["seeds"]) for row in found["rows"]] == [("baseline", [0]), ("lsgan", [0])]
    assert found["training"]["kimg"] == 0.064


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--study technique", "unknown study 'technique'. Did you mean 'techniques'?"),
        ("--study techniques --rows lsgam", "unknown row 'lsgam'. Did you mean 'lsgan'?"),
        ("--study techniques --training.seed 5", "--training.seed goes with --preset"),
        ("--study techniques --seeds 0", "--seeds must be at least 1"),
        ("--study techniques --processes 0", "--processes must be at least 1"),
        ("--study techniques --data-root /nowhere --out /tmp/nowhere", "no MNIST under /nowhere"),
        ("--study techniques", "--data-root and --out are needed"),
    ],
)
def test_bad_input_gets_one_line(capsys, arguments, message):
    assert train.main(arguments.split()) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1


def result(seed: int, frechet_ratio: float, obedience: float, faults=(), **changes) -> dict:
    figures = dict.fromkeys(FIGURES, 0.5) | {"frechet_ratio": frechet_ratio, "obedience": obedience}
    curve = [{"kimg": 1.0, "obedience": obedience, "frechet_ratio": frechet_ratio}]
    found = {"seed": seed, "figures": figures, "curve": curve, "images_per_second": 10.0, "kimg": 1.0}
    found |= {"commits": ["abc1234"], "hardware": "a machine"}
    found["faults"] = [{"kimg": 0.5, "fault": fault} for fault in faults]
    return found | {"lasting": list(faults)} | changes


def table_by_hand() -> dict:
    runs = {
        "baseline": [result(0, 4.0, 0.98), result(1, 4.0, 0.98)],
        "lsgan": [result(0, 2.0, 0.99), result(1, 8.0, 0.97, hardware="another")],
        "burst": [result(0, 400.0, 0.1, ["collapse"]), result(1, 400.0, 0.1, lasting=[])],
    }
    training = {"command": "", "commits": [], "hardware": ["a machine"], "torch": "2", "kimg": 300.0}
    config = json.loads(json.dumps(to_json(TINY)))
    measured = {"features": "ours", "count": 10, "real": {"obedience": 1.0, "recall": 0.9}}
    return table(STUDY, runs, training | {"config": config}, measured, {"lsgan"})


def test_rows_are_compared_beside_the_spread_of_seeds():
    found = table_by_hand()
    baseline, lsgan, burst = found["rows"]
    one = math.log(4) / 2  # pooled over a row of spread ln 4 / sqrt 2 and one of none; the third met a fault
    assert found["spread"]["frechet_ratio"] == pytest.approx(one, rel=1e-4)
    assert lsgan["against"]["frechet_ratio"] == {"difference": 0, "clear": False}
    assert burst["against"]["frechet_ratio"]["difference"] == pytest.approx(math.log(100), rel=1e-4)
    assert verdict("frechet_ratio", burst["against"]["frechet_ratio"]) == "worse"
    assert verdict("obedience", {"difference": 0.1, "clear": True}) == "better"
    assert verdict("obedience", {"difference": -0.1, "clear": False}) == "no clear difference"
    assert verdict("obedience", {"difference": -0.1, "clear": None}) == "one seed can't tell"
    assert (burst["faults"], burst["lasting"]) == ({"collapse": 1}, {"collapse": 1})
    assert lsgan["curve"] == [{"kimg": 1.0, "obedience": 0.98, "frechet_ratio": 5.0}]


def test_one_seed_alone_tells_no_difference():
    figures = {name: {"values": [0.5]} for name in FIGURES}
    assert spread([{"figures": figures, "faults": {}}], 10) == {}
    assert against(figures, figures, {}, 10)["recall"] == {"difference": 0, "clear": None}


def test_a_row_far_from_one_does_not_hide_what_rows_near_one_show():
    """Seeds differ by points where a tenth is read wrongly, by a tenth of one where a hundredth is."""
    steady = {
        f"row{n}": {"figures": {name: {"values": [0.99, 0.991]} for name in FIGURES}, "faults": {}}
        for n in range(9)
    }
    poor = {"figures": {name: {"values": [0.85, 0.89]} for name in FIGURES}, "faults": {}}
    one = spread([*steady.values(), poor], 10_000)
    better = {name: {"values": [0.995, 0.9952]} for name in FIGURES}
    found = against(better, steady["row0"]["figures"], one, 10_000)["obedience"]
    assert found == {"difference": pytest.approx(0.0046), "clear": True}
    assert one["obedience"] == pytest.approx(
        math.sqrt((9 * math.log(0.991 / 0.009 / 99) ** 2 + math.log(0.89 / 0.11 / 0.85 * 0.15) ** 2) / 20)
    )


def test_a_share_of_none_or_all_counts_as_half_a_picture():
    assert scale("recall", 0.0, 100) == pytest.approx(math.log(0.005 / 0.995))
    assert scale("recall", 1.0, 100) == pytest.approx(math.log(0.995 / 0.005))
    assert scale("frechet_ratio", 1.0, 100) == 0


def test_the_page_says_what_the_numbers_say():
    text = page(table_by_hand(), "pictures")
    lines = {line.split("](#")[0][3:]: line for line in text.splitlines() if line.startswith("| [")}
    assert "no clear difference" in lines["Least squares"]
    assert "98.00 ± 1.41 %" in lines["Least squares"]
    assert "worse: obedience, Fréchet distance" in lines["Burst"]
    assert "collapse (in the end, 1 of 2)" in lines["Burst"]
    assert "100.00 times the baseline's: worse" in text
    assert "![Least squares: six noises under ten labels](pictures/lsgan.webp)" in text
    assert "(pictures/burst.webp)" not in text
    assert (
        text.count("Trained on a machine and another, commit abc1234:") == text.count(": its pictures a") == 1
    )
    assert "the Fréchet distance by 100 %" in " ".join(text.split()), "a seed's spread is one factor of two"
    headings = [anchor(line.lstrip("# ")) for line in text.splitlines() if line.startswith("### ")]
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) == set(headings)


def test_the_page_in_docs_is_that_of_the_bundled_table(tmp_path):
    committed = TABLE.parents[2] / "docs" / "techniques.md"
    assert committed.read_text() == page(read_table(TABLE), "../assets/studies/techniques")


def test_the_page_is_written_by_a_command(out, tmp_path):
    assert write_page(["--table", str(out / "few.json"), "--out", str(out / "page.md")]) == 0
    text = (out / "page.md").read_text()
    assert text == page(read_table(out / "few.json"), "few")
    shown = re.findall(r"\((few/.*?)\)", text)
    assert shown
    assert all((out / path).is_file() for path in shown)


def test_a_table_that_is_none_gets_one_line(tmp_path, capsys):
    for content in (None, "[]", "{"):
        if content is not None:
            (tmp_path / "t.json").write_text(content)
        assert write_page(["--table", str(tmp_path / "t.json"), "--out", str(tmp_path / "t.md")]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_every_picture_of_the_bundled_study_is_small():
    study = BundledStudy()
    assert study.table["training"]["kimg"] >= 300
    pictures = {path: body for path, (body, media) in study.files.items() if media == "image/webp"}
    assert len(pictures) == sum(row["picture"] for row in study.rows.values())
    assert max(len(body) for body in pictures.values()) < 15_000
    assert {path.stem for path in TABLE.with_suffix("").iterdir()} == {Path(path).stem for path in pictures}


def test_the_study_s_files_by_plain_routes(out):
    app, study = FastAPI(), BundledStudy(out / "few.json")
    StudyRoutes(study).add_to(app)
    found = get(app, f"/study/few.json?v={study.version}")
    assert found.json() == study.table
    assert found.headers["content-type"] == "application/json"
    assert found.headers["cache-control"] == "public, max-age=31536000, immutable"
    picture = get(app, "/study/few/lsgan.webp")
    assert picture.content == (out / "few" / "lsgan.webp").read_bytes()
    assert picture.headers["cache-control"] == "public, max-age=0, must-revalidate"
    tag = {"If-None-Match": picture.headers["etag"]}
    assert get(app, "/study/few/lsgan.webp", **tag).status_code == 304
    for path in (
        "few/lsgam.webp",
        "few/../lock",
        "lock",
        "runs/baseline/0/result.json",
        "%2Fetc%2Fpasswd",
        "",
    ):
        missing = get(app, f"/study/{path}")
        assert missing.status_code == 404, path
        assert len(missing.text.splitlines()) == 1
    wrong = get(app, "/study/few.json?x=1")
    assert (wrong.status_code, wrong.text) == (400, "unknown parameter 'x'. Accepted: v.\n")


def test_a_program_without_the_study_has_no_files(tmp_path):
    study = BundledStudy(tmp_path / "techniques.json")
    app = FastAPI()
    StudyRoutes(study).add_to(app)
    assert study.rows == {}
    assert (
        get(app, "/study/techniques.json").text
        == "no file 'techniques.json' of a study. There is no study here.\n"
    )
