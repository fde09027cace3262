"""Evaluation of a model on its data set: draws the pictures that the metrics judge.

Shapes: N pictures, C channels, H x W pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cgan.atomic import replacing
from cgan.conditions import ConditionEncoder
from cgan.data import DATASETS, Dataset, Images
from cgan.metrics.asked import asked, rows_of
from cgan.metrics.features import FeatureNetwork, check_pictures, command, home
from cgan.metrics.judge import Subjects
from cgan.metrics.report import (
    CONDITIONS,
    NO_EXTRAS,
    NOISES,
    Draw,
    Extent,
    Part,
    Pictures,
    RealReference,
    evaluate,
    part,
    quick,
    subset,
)
from cgan.model import METRICS, ConditionalGAN, read_json, write_json
from cgan.rng import stream
from cgan.timeline import Timeline
from cgan.types import Raw

CHUNK = 500  # pictures made at once
QUICK_COUNT = 5000  # pictures of the trainer's evaluation
QUICK_SIZE = 32  # pictures with more pixels than this times this: fewer of them, in proportion


def _pictures(model: ConditionalGAN, seed: int, raw: Raw) -> Tensor:
    """uint8 [N, C, H, W] from noises 0 .. N - 1 under `seed`."""
    noise = model.noise(seed, len(raw))
    device = next(model.generator.parameters()).device
    chunks = [slice(first, first + CHUNK) for first in range(0, len(raw), CHUNK)]
    return torch.cat([model.sample(noise[rows].to(device), raw[rows].to(device)).cpu() for rows in chunks])


def drawer(model: ConditionalGAN, targets: Mapping[str, Any]) -> Draw:
    """Draws pictures for the metrics. Their conditions are those of real pictures that the generator has not
    seen, `targets` (`RealReference.test`), in random order: rare ones are asked for as rarely as they occur.
    """

    def draw(seed: int, count: int, noises: int = 1) -> Pictures:
        rows = _rows(seed, -(-count // noises), targets[model.encoder.form])
        known = rows_of(targets, rows[torch.arange(count) // noises])
        return _pictures(model, seed, model.encoder.encode(known)), known

    return draw


def _rows(seed: int, count: int, column: Sequence[Any]) -> Tensor:
    """Which rows of the column samples 0 .. count - 1 under `seed` take their conditions from."""
    return torch.tensor([int(stream(seed, k, purpose=2).integers(len(column))) for k in range(count)])


def real_reference(
    dataset: Dataset,
    form: str,
    data_root: Path,
    download: bool,
    count: int,
    fewer: bool = False,
    train: Images | None = None,
) -> RealReference:
    """The real pictures that a model of `dataset` is measured against: `count` of them, or if `fewer` is
    allowed as many as there are, and fewer still, of the training set too, if they are large. `train`: the
    training set, where it has been read already.

    Raises FileNotFoundError if the data or the data set's feature network is missing, ValueError if the
    network was made for other pictures or does not read what the form asks for, or they are too few.
    """
    name = DATASETS.name_of(dataset)
    try:
        network = FeatureNetwork.load(name, home(name, dataset, data_root), data=dataset)
    except FileNotFoundError:  # a wrong folder, or that no judge would help, is told before
        check_pictures(name, dataset, dataset.load(data_root, "test", download), form)
        raise
    train = train or dataset.load(data_root, "train", download)
    test = dataset.load(data_root, "test", download)
    _check_judge(network, dataset, train)
    seen = train.images, {"label": train.targets["label"]} if "label" in train.targets else {}
    if fewer:
        share = min(1.0, (QUICK_SIZE / train.size) ** 2)
        kept, count = (max(int(share * most), network.width + 1) for most in (len(train), count))
        seen = subset(seen, kept) if kept < len(train) else seen  # the first may be all of one class
        count = min(count, len(seen[0]), len(test))
    return RealReference(
        network=network,
        form=form,
        count=count,
        train=seen,
        test=(test.images, asked(dataset, form, test.targets)),
        alike=None if fewer else alike(dataset, form, test),
    )


def alike(dataset: Dataset, form: str, test: Images) -> Tensor | None:
    """Real pictures uint8 [M, C, H, W], `NOISES` in a row that one condition would ask for: test pictures of
    a class, or what the data set draws, if it has a method for that; else None."""
    if hasattr(dataset, "alike"):
        return dataset.alike(form, CONDITIONS, NOISES)
    if form != "label" or "label" not in test.targets:
        return None
    labels = test.targets["label"]
    classes = labels.unique()
    most = NOISES * max(1, CONDITIONS // len(classes))
    members = [(labels == label).nonzero()[:most, 0] for label in classes]
    rows = torch.cat([own[: len(own) // NOISES * NOISES] for own in members])
    return test.images[rows] if len(rows) else None


def _check_judge(network: FeatureNetwork, dataset: Dataset, data: Images) -> None:
    """ValueError if the network has not been made for such pictures."""
    info, subjects = network.info, Subjects.of(data.targets)
    if info.fits(data):
        return
    own = [f"{info.size}x{info.size}x{info.channels} pixels", *info.subjects.each()]
    now = [f"{data.size}x{data.size}x{data.channels} pixels", *subjects.each()]
    raise ValueError(
        f"the {info.dataset} feature network was trained on pictures {_apart(own, now)}, these are "
        f"{_apart(now, own)}: train it on these, with: {command(info.dataset, dataset)}"
    )


def _apart(own: Sequence[str], other: Sequence[str]) -> str:
    """The first thing in which pictures of `own` differ from those of `other`."""
    more, less = ([part for part in a if part not in b] for a, b in ((own, other), (other, own)))
    return f"with {more[0]}" if more else f"without {less[0]}" if less else "in another order or form"


def check_choices(model: ConditionalGAN, targets: Mapping[str, Any]) -> None:
    """ValueError if a data set of these targets has other classes, attributes or choices than the model."""
    if (own := _choices(model.encoder)) == (now := _choices(model.config.condition.fit(targets).build())):
        return
    raise ValueError(f"the data set has {now}, the model's are {own}: train it on these data")


def _choices(encoder: ConditionEncoder) -> str:
    """What can be asked for: each field and, where it has any, its choices or classes."""
    fields = [
        (field.name, getattr(field, "choices", getattr(field, "classes", ()))) for field in encoder.fields()
    ]
    return ", ".join(f"{name} ({', '.join(choices)})" if choices else name for name, choices in fields)


def quick_evaluation(
    dataset: Dataset,
    form: str,
    data_root: Path,
    download: bool = False,
    count: int = QUICK_COUNT,
    train: Images | None = None,
) -> Callable[[ConditionalGAN], dict[str, float]]:
    """What the trainer measures now and then: obedience and Fréchet distance of `count` pictures, or of fewer
    if they are large or so many are not there. Raises as `real_reference`."""
    reference = real_reference(dataset, form, data_root, download, count, fewer=True, train=train)
    return lambda model: quick(drawer(model, reference.test[1]), reference)


def evaluate_model(
    model: ConditionalGAN,
    data_root: Path,
    *,
    download: bool = False,
    seeds: int = 3,
    count: int = 10_000,
    extent: Extent = NO_EXTRAS,
    processes: int = 1,
    progress: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """The whole report on a model; `cgan.metrics.report.evaluate` has its keys. `processes` share the seeds
    and the floor, each with a reference of its own.

    Raises FileNotFoundError if the data or the feature network is missing, ValueError if the pictures are
    too few or of another size, or have other choices than the model.
    """
    if min(seeds, processes) < 1:
        raise ValueError(f"--seeds and --processes must be at least 1, got {seeds} and {processes}")
    reference = real_reference(model.config.dataset, model.encoder.form, data_root, download, count)
    check_choices(model, reference.test[1])
    return evaluate(
        drawer(model, reference.test[1]),
        reference,
        seeds=range(1, seeds + 1),
        extent=extent,
        parts=partial(_shared, model, data_root, count, extent, processes) if processes > 1 else None,
        progress=progress,
    )


def _shared(
    model: ConditionalGAN,
    data_root: Path,
    count: int,
    extent: Extent,
    processes: int,
    seeds: Sequence[int | None],
) -> list[Part]:
    """The `part` of every seed, each made by one of some processes."""
    shares = [seeds[first::processes] for first in range(min(processes, len(seeds)))]
    context = torch.multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(len(shares), context) as pool:
            made = list(pool.map(partial(_share, model, data_root, count, extent), shares))
    except BrokenProcessPool as error:
        raise ValueError(f"one of {len(shares)} processes was ended from outside: give fewer") from error
    return [made[place % len(shares)][place // len(shares)] for place in range(len(seeds))]


def _share(
    model: ConditionalGAN, data_root: Path, count: int, extent: Extent, seeds: Sequence[int | None]
) -> list[Part]:
    torch.set_num_threads(1)
    reference = real_reference(model.config.dataset, model.encoder.form, data_root, False, count)
    return [part(drawer(model, reference.test[1]), reference, extent, seed) for seed in seeds]


def timeline_curve(
    folder: Path, data_root: Path, download: bool = False, count: int = QUICK_COUNT
) -> list[dict[str, float]]:
    """`quick_evaluation` of every snapshot of a folder's timeline: [{"kimg", "obedience", "frechet", ...}].

    Raises ModelError if the timeline is missing or damaged.
    """
    model, timeline = ConditionalGAN.load(folder), Timeline(folder)
    measure = quick_evaluation(model.config.dataset, model.encoder.form, data_root, download, count)
    curve = []
    for index, kimg in enumerate(timeline.kimg):
        timeline.load_into(model, index)
        curve.append({"kimg": kimg, **measure(model)})
    return curve


def record(folder: Path, entries: Mapping[str, Any]) -> None:
    """Put `entries` into a model folder's metrics.json, keeping what else it holds."""
    path = Path(folder) / METRICS
    with replacing(path) as partial:
        write_json(partial, (read_json(path) if path.exists() else {}) | dict(entries))
