"""Trains the judge of a data set, for `python -m cgan.metrics.features train`.

Shapes: N pictures, C channels, H x W pixels.
"""

from __future__ import annotations

import dataclasses
import os
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from cgan.metrics import MEASURES
from cgan.metrics.asked import asked
from cgan.metrics.classifier import fit
from cgan.metrics.features import FeatureInfo, FeatureNetwork, check_pictures, command, home, recipe, save
from cgan.metrics.judge import Judgement, Subjects
from cgan.metrics.perception import PerceptionRecipe, fit_perception


def _check_out(out: Path) -> None:
    """ValueError if no judge can be written there."""
    there = next(path for path in out.absolute().parents if path.exists())
    if out.is_dir() or not there.is_dir() or not os.access(there, os.W_OK):
        raise ValueError(f"--out must be a file that can be written, got {str(out)!r}")


def train(
    dataset: str,
    data: Any,
    root: Path,
    *,
    out: Path | None,
    epochs: int | None,
    seed: int,
    download: bool,
) -> tuple[Path, float]:
    """Trains and writes a data set's feature network, to its usual place if `out` is None; that file and its
    accuracy on the test set, 0 to 1.

    ValueError if there is nothing that a judge could tell apart, or too few pictures, or if in the usual
    place there is a judge for these pictures already.
    """
    if epochs is not None and epochs < 1:
        raise ValueError(f"--epochs must be at least 1, got {epochs}")
    file = out or home(dataset, data, root) / f"{dataset}.safetensors"
    _check_out(file)
    training, test = (data.load(root, split, download) for split in ("train", "test"))
    check_pictures(dataset, data, test)
    if not out:
        _keep(file, training)
    subjects = Subjects.of(training.targets)
    how = recipe(dataset, subjects)
    how = dataclasses.replace(how, epochs=epochs or how.epochs)
    options = {"recipe": how, "seed": seed, "progress": lambda line: print(line, flush=True)}
    if isinstance(how, PerceptionRecipe):
        visible = asked(data, "attributes", training.targets).get("visible")
        judge = fit_perception(training.images, training.targets, visible=visible, **options)
    else:
        judge = fit(training.images, training.targets["label"], len(subjects.labels), **options)
    judge.half().float()  # measured as it will be stored
    measured = measure(data, test.images, test.targets, judge.read(test.images), subjects)
    info = FeatureInfo(
        dataset=dataset,
        classes=subjects.labels,
        channels=training.channels,
        size=training.size,
        test_accuracy=statistics.fmean(part[MEASURES[form].headline] for form, part in measured.items()),
        epochs=how.epochs,
        widths=how.widths,
        attributes=subjects.attributes,
        mask_classes=subjects.mask,
        drawing=subjects.image,
        measured={form: part for form, part in measured.items() if form != "label"},
        command=f"{command(dataset, data)} --epochs {how.epochs} --seed {seed}",
    )
    save(judge, info, file)
    return file, info.test_accuracy


def _keep(file: Path, pictures: Any) -> None:
    """ValueError if the file is a judge for such pictures, which no trial replaces unasked."""
    try:
        info = FeatureNetwork.load(file.stem, file.parent).info
    except (FileNotFoundError, ValueError):  # none, or a damaged one
        return
    if info.fits(pictures):
        raise ValueError(
            f"{file} judges these pictures already, {info.test_accuracy:.2%} on the real test set: name it "
            "as --out to replace it, or another file"
        )


def measure(
    data: Any, images: Tensor, targets: Mapping[str, Any], judged: Judgement, subjects: Subjects
) -> dict[str, Any]:
    """What each form's measure says of real pictures uint8 [N, C, H, W] of data set `data`, by form."""
    found = {}
    for form in MEASURES:
        way, known = MEASURES[form](), asked(data, form, targets)
        if way.needs in known and getattr(subjects, way.reads):
            found[form] = way(images, known, judged, subjects)
    return found
