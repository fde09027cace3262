"""Runs a study: each row with each seed by the ordinary trainer, scored, and the table written anew.

The folder of a study, all of it but `runs` ready to be copied to assets/studies:
- NAME.json: the table (`cgan.study.table`), of the rows so far
- NAME/ROW.webp: what the first seed of a row draws, the same noises and labels in every row
- runs/ROW/SEED: the trainer's folder and, once it is done, result.json

Processes share the rows: each takes one that nobody works at, by a lock that ends with its process.

Shapes: N pictures, C channels, H x W pixels.
"""

from __future__ import annotations

import fcntl
import json
import math
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torchvision.utils import make_grid

from cgan.atomic import replacing
from cgan.config import Config, from_json, to_json
from cgan.data import Images
from cgan.evaluation import drawer, real_reference
from cgan.metrics import MEASURES
from cgan.metrics.report import RealReference, quick, score
from cgan.model import ConditionalGAN, write_json
from cgan.study import Row, Study
from cgan.study.table import read, table
from cgan.training.checkpoint import CheckpointError
from cgan.training.log import column_conditions
from cgan.training.provenance import hardware
from cgan.training.stopping import asked_to_stop
from cgan.training.trainer import Diverged, Trainer, TrainingError

NOISES, LABELS = 6, 10  # rows and columns of a picture
LARGEST = 15_000  # bytes of a picture
SAMPLE_SEED = 1  # of the noises of a picture; a run's score is drawn under its own seed
WINDOWS, WINDOW = 4, 16  # how often the speed is measured, over how many steps


@dataclass(frozen=True)
class Bench:
    """What every run is trained on and measured against, loaded once."""

    data: Images
    reference: RealReference

    @staticmethod
    def load(study: Study, data_root: Path, download: bool) -> Bench:
        """FileNotFoundError if the data or its feature network is missing."""
        dataset, form = study.baseline.dataset, study.baseline.condition.form
        torch.set_num_threads(study.baseline.training.threads or torch.get_num_threads())
        data = dataset.load(data_root, "train", download)
        return Bench(data, real_reference(dataset, form, data_root, download, study.count, train=data))


def run(study: Study, bench: Bench, out: Path, command: str) -> None:
    """Train and score what nobody else does, until nothing is left.

    ValueError if `out` holds runs of another configuration.
    """
    for row in study.rows:
        for seed in _seeds(out, row):
            _check(out, row, seed, study.config(row, seed))
    for row, seed in study.jobs:
        result = _result(out, row, seed)
        if result.exists():
            continue
        with claim(result.parent) as mine:
            if not mine or result.exists():
                continue
            print(f"{row.name}, seed {seed}: {row.title}", flush=True)
            figures, model = train_and_score(study.config(row, seed), bench, result.parent)
            if seed == 0 and model is not None:
                save_picture(model, out / study.name / f"{row.name}.webp")
            with replacing(result) as partial:
                write_json(partial, {"row": row.name, "seed": seed, **figures})
        write_table(study, bench, out, command)
    write_table(study, bench, out, command)  # whoever wrote a result may have been stopped before its table


def train_and_score(
    config: Config, bench: Bench, folder: Path
) -> tuple[dict[str, Any], ConditionalGAN | None]:
    """One run's result, and its averaged generator: where training stopped at what is not finite, the last
    one that was measured, if any."""
    last: ConditionalGAN | None = None

    def measure(model: ConditionalGAN) -> dict[str, float]:
        nonlocal last
        last, started = model, time.monotonic()
        figures = quick(drawer(model, bench.reference.test[1]), bench.reference)
        return figures | {"measuring": time.monotonic() - started}

    trainer = Trainer(config, bench.data, folder, measure)
    failure, figures = None, None
    try:
        last = trainer.fit()
        figures = scored(last, bench.reference, config.training.seed)
    except Diverged as error:
        failure = str(error).partition(";")[0]
    kimg, faults = trainer.images_seen / 1000, list(trainer.faults)
    lasting, seconds = sorted(trainer.present_faults), trainer.seconds
    if failure:
        faults, lasting = [*faults, {"kimg": kimg, "fault": "not finite"}], [*lasting, "not finite"]
    return {
        "config": to_json(config),
        "commits": trainer.commits,
        "hardware": hardware(trainer.device, trainer.config.training.precision),
        "kimg": kimg,
        "seconds": seconds - sum(point["measuring"] for point in trainer.curve),
        "images_per_second": speed(trainer),
        "figures": figures,
        "curve": [
            {name: point[name] for name in ("kimg", "obedience", "frechet_ratio")} for point in trainer.curve
        ],
        "faults": faults,
        "lasting": lasting,
        "failure": failure,
    }, last


def scored(model: ConditionalGAN, reference: RealReference, seed: int) -> dict[str, float]:
    """The figures of `reference.count` pictures drawn under `seed`; frechet_ratio is over the real floor."""
    draw = drawer(model, reference.test[1])
    return _kept(score(draw(seed, reference.count), reference), reference)


def _kept(report: Mapping[str, Any], reference: RealReference) -> dict[str, float]:
    plain = {name: report[name] for name in ("frechet", "kernel", "precision", "recall", "coverage")}
    obedience = report["obedience"][MEASURES[reference.form].headline]
    ratio = report["frechet"] / reference.fresh_frechet
    return {"obedience": obedience, "frechet_ratio": ratio, **plain}


def speed(trainer: Trainer) -> float:
    """Pictures a second of the fastest of some windows of training. On a CPU by the processor's own time,
    which others on the machine do not take from, shared evenly among the threads. It trains on, so it comes
    last.
    """
    best, cuda = math.inf, trainer.device.type == "cuda"
    clock = time.monotonic if cuda else lambda: time.process_time() / torch.get_num_threads()
    for _ in range(WINDOWS):
        started = clock()
        for _ in range(WINDOW):
            trainer.step()
        if cuda:
            torch.cuda.synchronize(trainer.device)
        best = min(best, clock() - started)
    options = trainer.config.training
    return WINDOW * options.batch * options.discriminator_steps / best


@torch.no_grad()
def picture(model: ConditionalGAN) -> Tensor:
    """uint8 [C, H, W]: a row a noise, a column a label."""
    raw = column_conditions(model, LABELS)
    noise = model.noise(SAMPLE_SEED, NOISES).repeat_interleave(LABELS, 0)
    made = model.sample(noise, raw.repeat(NOISES, *[1] * (raw.ndim - 1)))
    return make_grid(made, nrow=LABELS, padding=1)


def save_picture(model: ConditionalGAN, path: Path) -> None:
    """Write `picture` as WebP, as good as `LARGEST` bytes allow."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = Image.fromarray(picture(model).permute(1, 2, 0).numpy())
    for quality in (70, 50, 30, 10):
        made.save(path, quality=quality, method=6)
        if path.stat().st_size < LARGEST:
            break


@contextmanager
def claim(folder: Path) -> Iterator[bool]:
    """Whether this process has the folder to itself, until the block ends or the process does."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def write_table(study: Study, bench: Bench, out: Path, command: str) -> None:
    """Replace the table by that of all results there are, those of other rows and seeds among them."""
    with open(out / "lock", "a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # what is read first is not to be written last
        runs = {row.name: _read(out, row) for row in study.rows}
        every = [each for found in runs.values() for each in found]
        path = out / f"{study.name}.json"
        own = {(row.name, seed) for row, seed in study.jobs}
        if path.exists() and not {(row, each["seed"]) for row in runs for each in runs[row]} <= own:
            earlier = read(path)["training"]["command"].splitlines()
            command = "\n".join(dict.fromkeys([*earlier, command]))  # it takes them all to make the table
        training = {
            "command": command,
            "commits": sorted({commit for each in every for commit in each["commits"]}),
            "hardware": sorted({each["hardware"] for each in every}),
            "torch": torch.__version__,
            "kimg": study.baseline.training.kimg,
            "config": to_json(study.baseline),
        }
        info = bench.reference.network.info
        measured = {
            "features": bench.reference.network.name,
            "judge_accuracy": info.test_accuracy,
            "count": study.count,
            "real": _kept(bench.reference.floor, bench.reference),
        }
        pictures = {path.stem for path in (out / study.name).glob("*.webp")}
        with replacing(path) as partial:
            write_json(partial, table(study, runs, training, measured, pictures))


def share(study: Study, data_root: Path, out: Path, download: bool, command: str, processes: int) -> None:
    """`run` in several processes, on one device each where there are several. StudyError if one fails. Asked
    to stop, as in training, each saves a checkpoint of its last step."""
    context = torch.multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=_work, args=(study, data_root, out, download, command, index), daemon=True)
        for index in range(processes)
    ]
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as they inherit it: they are stopped from here
    try:
        for worker in workers:
            worker.start()
    finally:
        signal.signal(signal.SIGINT, handler)
    with asked_to_stop() as stop:
        while not stop() and any(worker.is_alive() for worker in workers):
            time.sleep(0.1)
        for worker in workers:
            worker.terminate()  # nothing to those that have ended
        for worker in workers:
            worker.join()
    if failed := sum(worker.exitcode != 0 for worker in workers):
        raise StudyError(
            f"{failed} of {processes} processes failed; the same command goes on where they were"
        )


def work(study: Study, data_root: Path, out: Path, download: bool, command: str, index: int = 0) -> None:
    """One process's part, on the device of its index."""
    if torch.cuda.is_available():
        torch.cuda.set_device(index % torch.cuda.device_count())
    run(study, Bench.load(study, data_root, download), out, command)


def _work(*arguments: Any) -> None:
    """`work`, with one line instead of a traceback where it can't go on, and none where it is stopped."""
    try:
        work(*arguments)
    except KeyboardInterrupt:
        sys.exit(130)
    except (ValueError, OSError, TrainingError, CheckpointError) as error:
        sys.exit(str(error))


class StudyError(RuntimeError):
    """A study that can't go on, in one line."""


def _result(out: Path, row: Row, seed: int) -> Path:
    return out / "runs" / row.name / str(seed) / "result.json"


def _seeds(out: Path, row: Row) -> list[int]:
    """Those of the row's runs that are done."""
    return sorted(int(path.parent.name) for path in (out / "runs" / row.name).glob("*/result.json"))


def _read(out: Path, row: Row) -> list[dict[str, Any]]:
    paths = [_result(out, row, seed) for seed in _seeds(out, row)]
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def _check(out: Path, row: Row, seed: int, config: Config) -> None:
    path = _result(out, row, seed)
    if from_json(Config, json.loads(path.read_text("utf-8"))["config"]) != config:
        raise ValueError(
            f"{path.parent} holds a run with other options: give the same ones, or another --out"
        )
