"""All the figures of one generator, beside the same figures of fresh real pictures: the floor.

Shapes: N pictures, C channels, H x W pixels, K classes.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from cgan.metrics import MEASURES, Measure
from cgan.metrics.asked import rows_of
from cgan.metrics.features import FeatureNetwork
from cgan.metrics.frechet import Gaussian, frechet_distance, kernel_distance
from cgan.metrics.inception import inception_v3_fid
from cgan.metrics.judge import Judgement
from cgan.metrics.manifold import (
    NEIGHBOURS,
    Manifold,
    manifold_figures,
    memorisation,
    nearest,
    noise_variety,
    variety,
)
from cgan.metrics.usefulness import PUPIL, usefulness

Pictures: TypeAlias = tuple[Tensor, Mapping[str, Any]]
"""Pictures uint8 [N, C, H, W] and what each shows or was asked to show: "label" int64 [N] and so on."""

Draw: TypeAlias = Callable[[int, int, int], Pictures]
"""(seed, count, noises) -> that many generated pictures, each condition under so many noises in a row. The
first n must not depend on count."""

NEAREST = 2000  # pictures whose nearest training picture is looked for
CONDITIONS, NOISES = 100, 8  # that the variety of one condition's pictures is measured with


def summary(values: Sequence[float]) -> dict[str, Any]:
    """Mean, standard deviation (n - 1; None of a single value) and the values, one a sample seed."""
    spread = statistics.stdev(values) if len(values) > 1 else None
    return {"mean": statistics.fmean(values), "std": spread, "values": list(values)}


def across(results: Sequence[Any]) -> Any:
    """Results of the same form, one a seed, as one: each number becomes its `summary`, each list its mean.
    What not every seed has is left out."""
    if isinstance(results[0], Mapping):
        keys = [key for key in results[0] if all(key in result for result in results)]
        return {key: across([result[key] for result in results]) for key in keys}
    if isinstance(results[0], list):
        return np.mean(results, axis=0).tolist()
    return summary(results)


def subset(pictures: Pictures, count: int, seed: int = 0) -> Pictures:
    """`count` of the pictures, all of them if there are no more, in random order."""
    images, targets = pictures
    rows = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))[:count]
    return images[rows], {key: value[rows] for key, value in targets.items() if isinstance(value, Tensor)}


@dataclass(frozen=True, kw_only=True)
class RealReference:
    """The real pictures and what is measured of them, each thing once and only when it is needed."""

    network: FeatureNetwork
    train: Pictures
    test: Pictures
    form: str = "label"  # of condition; names the measure of obedience
    count: int = 10_000  # pictures on either side of a comparison
    alike: Tensor | None = None  # real pictures, `NOISES` in a row under one condition, where there are such

    def __post_init__(self):
        least = self.network.width + 1  # a Gaussian needs more pictures than features
        most = min(len(self.train[0]), len(self.test[0]))
        if most < least:
            raise ValueError(f"figures need at least {least} real pictures to test with, there are {most}")
        if not least <= self.count <= most:
            raise ValueError(f"count must be from {least} to {most}, the real pictures, got {self.count}")
        name, measure, subjects = self.network.info.dataset, self.measure, self.network.info.subjects
        if not getattr(subjects, measure.reads):
            raise ValueError(
                f"the judge of data set {name} reads {subjects}, not the {measure.reads} by which obedience "
                f"to condition {self.form} is measured"
            )
        if measure.needs not in self.test[1]:
            raise ValueError(
                f"obedience to condition {self.form} is measured by the {measure.needs} of test pictures, "
                f"which data set {name} does not give"
            )

    @property
    def measure(self) -> Measure:
        """Of obedience to the form of condition."""
        return MEASURES[self.form]()

    def obedience(self, pictures: Pictures, judged: Judgement) -> dict[str, Any]:
        """What the measure says of pictures, and of what the judge reads off them."""
        return self.measure(*pictures, judged, self.network.info.subjects)

    @cached_property
    def train_features(self) -> Tensor:
        """[N, F]."""
        return self.network.features(self.train[0])

    @cached_property
    def gaussian(self) -> Gaussian:
        """Of the whole training set."""
        return Gaussian.of(self.train_features)

    @cached_property
    def manifold(self) -> Manifold:
        """Of `count` training pictures."""
        return Manifold.of(subset((self.train_features, {}), self.count)[0])

    @cached_property
    def variety(self) -> list[float]:
        """Of each class of the training set. ValueError if one has the same picture over and over."""
        names = self.network.info.classes
        spread = variety(self.train_features, self.train[1]["label"], len(names))
        if same := [name for name, own in zip(names, spread, strict=True) if not own]:
            raise ValueError(
                f"all training pictures of class {same[0]} are alike: there is no variety to tell"
            )
        return spread

    @cached_property
    def fresh(self) -> Pictures:
        """`count` test pictures."""
        return subset(self.test, self.count)

    @cached_property
    def fresh_features(self) -> Tensor:
        """[count, F]."""
        return self.network.features(self.fresh[0])

    @cached_property
    def fresh_frechet(self) -> float:
        """Fréchet distance of the test pictures to the training set."""
        return frechet_distance(self.gaussian, Gaussian.of(self.fresh_features))

    @cached_property
    def fresh_distances(self) -> Tensor:
        """From test pictures to their nearest training pictures. ValueError if they are the same."""
        distances = nearest(self.fresh[0][:NEAREST], self.train[0])[0]
        if not distances.any():
            raise ValueError("the test pictures are training pictures: figures need some never trained on")
        return distances

    @cached_property
    def floor(self) -> dict[str, Any]:
        """`score` of real pictures never trained on, and their variety under one condition."""
        floor = score(self.fresh, self)
        if self.alike is not None:
            floor["noise_variety"] = self.noise_variety(self.alike)
        return floor

    def noise_variety(self, pictures: Tensor) -> float:
        """Of pictures uint8, `NOISES` in a row under one condition."""
        return noise_variety(self.network.features(pictures), NOISES, self.fresh_features)


def score(pictures: Pictures, reference: RealReference) -> dict[str, Any]:
    """Every figure of one set of pictures against the training set, but usefulness; `evaluate` has the keys.

    ValueError if they are too few, of another size than the feature network's, or their targets do not fit.
    """
    images, targets = pictures
    judged = reference.network(images)
    other = Manifold.of(judged.features, reference.manifold.neighbours)
    result = {
        "obedience": reference.obedience(pictures, judged),
        "frechet": frechet_distance(reference.gaussian, Gaussian.of(judged.features)),
        "kernel": kernel_distance(reference.manifold.features, judged.features),
        **manifold_figures(reference.manifold, other),
        "nearest": memorisation(nearest(images[:NEAREST], reference.train[0])[0], reference.fresh_distances),
    }
    classes = len(reference.network.info.classes)
    if all(_pairs(each, classes) for each in (targets, reference.train[1])):
        spread = variety(judged.features, torch.as_tensor(targets["label"]), classes)
        ratios = [own / real for own, real in zip(spread, reference.variety, strict=True)]
        result["variety"] = {"ratio": statistics.fmean(ratios), "per_class": ratios}
    return result


def _pairs(targets: Mapping[str, Any], classes: int) -> bool:
    """Whether every class has two pictures; no, where there are no classes."""
    if not classes or "label" not in targets:
        return False
    return bool((torch.as_tensor(targets["label"]).bincount(minlength=classes) > 1).all())


def quick(draw: Draw, reference: RealReference, seed: int = 0) -> dict[str, float]:
    """For use in training: `reference.count` pictures of one seed, a few seconds.

    - obedience: the measure's headline figure
    - frechet: distance to the training set, in our features
    - frechet_ratio: the same over that of as many test pictures
    """
    pictures = draw(seed, reference.count, 1)
    judged = reference.network(pictures[0])
    distance = frechet_distance(reference.gaussian, Gaussian.of(judged.features))
    return {
        "obedience": reference.obedience(pictures, judged)[reference.measure.headline],
        "frechet": distance,
        "frechet_ratio": distance / reference.fresh_frechet,
    }


@dataclass(frozen=True, kw_only=True)
class Extent:
    """How much of what takes long is measured."""

    pupil_count: int = 0  # pictures that each of usefulness' classifiers sees; 0: no usefulness
    pupil_epochs: int = 12
    inception: bool = False  # also the standard FID


NO_EXTRAS = Extent()

Part: TypeAlias = dict[str, Any]
"""What one sample seed's pictures, or the real ones, score: figures, usefulness, inception_v3_fid."""


def part(draw: Draw, reference: RealReference, extent: Extent, seed: int | None) -> Part:
    """One sample seed's share of `evaluate`; of None, the floor: test pictures in place of generated ones.

    A function of its arguments alone, so that processes may share the seeds.
    """
    if seed is None:
        found, pictures = {"figures": reference.floor}, reference.fresh
    else:
        drawn = draw(seed, max(reference.count, extent.pupil_count), 1)
        found, pictures = {"figures": score(_first(drawn, reference.count), reference)}, drawn
        repeated = draw(seed, CONDITIONS * NOISES, NOISES)[0]
        found["figures"]["noise_variety"] = reference.noise_variety(repeated)
        if extent.pupil_count:
            pupils = _first(drawn, extent.pupil_count)
            found["usefulness"] = _pupils(pupils, reference, extent.pupil_epochs, seed)
    if extent.inception:
        training = subset(reference.train, reference.count)[0]
        found["inception_v3_fid"] = inception_v3_fid(training, pictures[0][: reference.count])
    return found


def evaluate(
    draw: Draw,
    reference: RealReference,
    *,
    seeds: Sequence[int] = (0, 1, 2),
    extent: Extent = NO_EXTRAS,
    parts: Callable[[Sequence[int | None]], Iterable[Part]] | None = None,
    progress: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """The whole report, ready for JSON. Distances are in our features, which it names; none is FID.

    - features {name, judge_accuracy}, form, headline (obedience's main key), seeds, count, neighbours
    - generated: what `score` gives, every number as {mean, std, values} over the seeds, lists as their mean
        - obedience: what the form's measure gives; see `cgan.metrics.obedience`
        - frechet, kernel: distances to the training set, the lower the better
        - precision, recall, density, coverage: see `manifold_figures`
        - nearest {distance, ratio, copies}: see `memorisation`
        - variety {ratio, per_class [K]}: spread within a class over that of the training set (labels only,
          and only if each class has two pictures on either side)
        - noise_variety: spread of one condition's pictures under several noises over that of real pictures,
          whatever they show; of real ones where the data set has several under one condition
    - real: the same of as many real test pictures, plain numbers: the floor
    - ratio: generated mean over real, for frechet, precision, recall, density, coverage
    - usefulness, if asked for: {generated, real} accuracies of classifiers that saw so many of these
      pictures only, for so many epochs, each {mean, std, values}; count, epochs
    - inception_v3_fid, if asked for: {generated, real}, the standard FID against `count` training pictures

    `parts` gives each seed's `part` in their order, where others than this process are to make them.
    ValueError as of `score`, `usefulness` and `inception_v3_fid`, or if there is no seed.
    """
    if not seeds:
        raise ValueError("seeds must name at least one sample seed")
    if 0 < extent.pupil_count < PUPIL.batch:
        raise ValueError(f"usefulness needs at least {PUPIL.batch} pictures, got {extent.pupil_count}")
    if extent.pupil_count > (most := len(reference.train[0])):
        raise ValueError(
            f"usefulness compares with as many training pictures: {most} at most, got {extent.pupil_count}"
        )
    if extent.pupil_count and not reference.network.info.classes:
        raise ValueError(
            f"usefulness needs a data set with labels, {reference.network.info.dataset} has none"
        )
    progress(f"measuring {reference.count} pictures a seed, and as many real ones: the floor")
    asked, found = [None, *seeds], []
    for seed, made in zip(
        asked, parts(asked) if parts else map(partial(part, draw, reference, extent), asked), strict=True
    ):
        found.append(made)
        progress("the floor: measured" if seed is None else f"seed {seed}: measured")
    floor, *own = found
    generated, real = across([made["figures"] for made in own]), floor["figures"]
    compared = ("frechet", "precision", "recall", "density", "coverage")
    if none := [key for key in compared if not real[key]]:
        raise ValueError(f"real test pictures have a {none[0]} of 0: do they show what training pictures do?")
    report = {
        "features": {"name": reference.network.name, "judge_accuracy": reference.network.info.test_accuracy},
        "form": reference.form,
        "headline": MEASURES[reference.form].headline,
        "seeds": list(seeds),
        "count": reference.count,
        "neighbours": NEIGHBOURS,
        "generated": generated,
        "real": real,
        "ratio": {key: generated[key]["mean"] / real[key] for key in compared},
    }
    if extent.pupil_count:
        pupils = across([made["usefulness"] for made in own])
        report["usefulness"] = {**pupils, "count": extent.pupil_count, "epochs": extent.pupil_epochs}
    if extent.inception:
        fids = [made["inception_v3_fid"] for made in own]
        report["inception_v3_fid"] = {"generated": summary(fids), "real": floor["inception_v3_fid"]}
    return report


def _first(pictures: Pictures, count: int) -> Pictures:
    return pictures[0][:count], rows_of(pictures[1], torch.arange(count))


def _pupils(drawn: Pictures, reference: RealReference, epochs: int, seed: int) -> dict[str, float]:
    """Usefulness of generated and of as many training pictures."""
    accuracies, classes = {}, len(reference.network.info.classes)
    test = reference.test[0], reference.test[1]["label"]
    for kind, (images, targets) in (
        ("generated", drawn),
        ("real", subset(reference.train, len(drawn[0]), seed)),
    ):
        labels = torch.as_tensor(targets["label"])
        accuracies[kind] = usefulness(images, labels, test, classes, epochs=epochs, seed=seed)
    return accuracies
