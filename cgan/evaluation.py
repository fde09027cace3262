"""Evaluation of a model on its data set: draws the pictures that the metrics judge.

Shapes: N pictures, C channels, H x W pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cgan.data import DATASETS, Dataset, Images
from cgan.metrics import MEASURES
from cgan.metrics.features import FeatureNetwork, home
from cgan.metrics.report import Draw, Pictures, RealReference, evaluate, quick
from cgan.model import METRICS, ConditionalGAN, read_json, write_json
from cgan.timeline import Timeline

CHUNK = 500  # pictures made at once
QUICK_COUNT = 5000  # pictures of the trainer's evaluation


def draw_samples(model: ConditionalGAN, seed: int, count: int) -> tuple[Tensor, dict[str, Any]]:
    """uint8 pictures [N, C, H, W] of samples 0 .. count - 1 under `seed`, and by name what each was asked to
    show."""
    noise, raw = model.noise(seed, count), model.encoder.sample(count, seed)
    device = next(model.generator.parameters()).device
    chunks = [slice(first, first + CHUNK) for first in range(0, count, CHUNK)]
    images = [model.sample(noise[rows].to(device), raw[rows].to(device)).cpu() for rows in chunks]
    return torch.cat(images), model.encoder.decode(raw)


def drawer(model: ConditionalGAN) -> Draw:
    """`draw_samples` of one model, as the metrics want it."""

    def draw(seed: int, count: int) -> Pictures:
        images, asked = draw_samples(model, seed, count)
        return images, {name: torch.as_tensor(column) for name, column in asked.items()}

    return draw


def real_reference(
    dataset: Dataset, form: str, data_root: Path, download: bool, count: int, fewer: bool = False
) -> RealReference:
    """The real pictures that a model of `dataset` is measured against: `count` of them, or if `fewer` is
    allowed as many as there are.

    Raises FileNotFoundError if the data or the data set's feature network is missing, ValueError if the
    network was made for other pictures or they are too few.
    """
    name = DATASETS.name_of(dataset)
    network, _ = FeatureNetwork.load(name, home(name, data_root)), MEASURES[form]
    train, test = (dataset.load(data_root, split, download) for split in ("train", "test"))
    _check_judge(network, train)
    pairs = {"train": (train.images, train.targets), "test": (test.images, test.targets)}
    count = min(count, len(train), len(test)) if fewer else count
    return RealReference(network=network, form=form, count=count, **pairs)


def _check_judge(network: FeatureNetwork, data: Images) -> None:
    """ValueError if the network has not been made for such pictures."""
    info, classes = network.info, data.targets.get("classes", network.info.classes)
    if (info.channels, info.size, info.classes) != (data.channels, data.size, classes):
        raise ValueError(
            f"the {info.dataset} feature network was trained on {len(info.classes)} classes of "
            f"{info.size}x{info.size}x{info.channels} pictures, these are {len(classes)} classes of "
            f"{data.size}x{data.size}x{data.channels}: train it on these, with --size {data.size}"
        )


def quick_evaluation(
    dataset: Dataset, form: str, data_root: Path, download: bool = False, count: int = QUICK_COUNT
) -> Callable[[ConditionalGAN], dict[str, float]]:
    """What the trainer measures now and then: obedience and Fréchet distance of `count` pictures, or of as
    many as there are. Raises as `real_reference`."""
    reference = real_reference(dataset, form, data_root, download, count, fewer=True)
    return lambda model: quick(drawer(model), reference)


def evaluate_model(
    model: ConditionalGAN,
    data_root: Path,
    *,
    download: bool = False,
    seeds: int = 3,
    count: int = 10_000,
    pupil_count: int = 0,
    inception: bool = False,
    progress: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """The whole report on a model; `cgan.metrics.report.evaluate` has its keys.

    Raises FileNotFoundError if the data or the feature network is missing, ValueError if the pictures are
    too few or of another size.
    """
    if seeds < 1:
        raise ValueError(f"--seeds must be at least 1, got {seeds}")
    reference = real_reference(model.config.dataset, model.encoder.form, data_root, download, count)
    return evaluate(
        drawer(model),
        reference,
        seeds=range(1, seeds + 1),
        pupil_count=pupil_count,
        inception=inception,
        progress=progress,
    )


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
    write_json(path, (read_json(path) if path.exists() else {}) | dict(entries))
