"""Obedience: does a picture show what was asked for? Each form of condition brings its own measure.

Shapes: N pictures, C channels, H x W pixels, A attributes, K classes, L channels of a drawing.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from cgan.metrics.judge import Judgement, Subjects

INK = 128  # what is darker in a drawing is a line
NOTHING = 255  # where a map asks for nothing
EDGE = 0.1  # least change of brightness from one pixel to the next, of 1, that is an edge


class Measure(Protocol):
    """How far pictures follow one form of condition. `headline` is the result's key that sums it up, 0 to 1;
    `needs` what it is asked with; `reads` which of the judge's subjects it compares that to."""

    headline: ClassVar[str]
    needs: ClassVar[str]
    reads: ClassVar[str]

    def __call__(
        self, images: Tensor, asked: Mapping[str, Any], judged: Judgement, subjects: Subjects
    ) -> dict[str, Any]:
        """Of pictures uint8 [N, C, H, W], what was asked of each, and what the judge of `subjects` says.

        Gives floats, (nested) lists of floats and dicts of these. ValueError if `asked` does not fit.
        """


@dataclass(frozen=True, kw_only=True)
class LabelObedience:
    """GAN-test: the judge's accuracy against the asked label (Shmelkov et al. 2018, section 3)."""

    headline: ClassVar[str] = "accuracy"
    needs: ClassVar[str] = "label"
    reads: ClassVar[str] = "labels"

    def __call__(
        self, images: Tensor, asked: Mapping[str, Any], judged: Judgement, subjects: Subjects
    ) -> dict[str, Any]:
        """
        - accuracy: share of pictures judged to be what was asked, 0 to 1; per_class: the same by class [K]
        - confusion: [K, K], row asked, column judged, each row sums to 1; a class never asked for has zeros
        """
        labels = torch.as_tensor(asked["label"])
        classes = judged.logits.shape[1]
        if len(labels) != len(judged) or not 0 <= labels.min() <= labels.max() < classes:
            raise ValueError(f"labels must be {len(judged)} whole numbers from 0 to {classes - 1}")
        counts = pairs(labels, judged.logits.argmax(1), classes).double()
        confusion = counts / counts.sum(1, keepdim=True).clamp(min=1)
        return {
            "accuracy": judged.accuracy(labels),
            "per_class": confusion.diagonal().tolist(),
            "confusion": confusion.tolist(),
        }


@dataclass(frozen=True, kw_only=True)
class AttributesObedience:
    """How well the judge's reading of each attribute tells what was asked. Pictures in which an attribute
    could not be seen, whatever its value ("visible" bool [N, A], if it is given), do not count for it."""

    headline: ClassVar[str] = "score"
    needs: ClassVar[str] = "attributes"
    reads: ClassVar[str] = "attributes"

    def __call__(
        self, images: Tensor, asked: Mapping[str, Any], judged: Judgement, subjects: Subjects
    ) -> dict[str, Any]:
        """
        - spearman: rank correlation of asked and read, by continuous attribute, -1 to 1
        - accuracy: share of pictures with the choice that was asked, by categorical attribute, 0 to 1
        - error: mean absolute difference, by continuous attribute in its own units
        - score: the mean of all that stands in `spearman` and `accuracy`
        """
        values, seen = asked["attributes"], asked.get("visible")
        result: dict[str, Any] = {"spearman": {}, "accuracy": {}, "error": {}}
        for k, attribute in enumerate(subjects.attributes):
            rows = slice(None) if seen is None else seen[:, k]
            wanted, found = values[rows, k], judged.attributes[rows, k]
            if len(wanted) < 2:
                raise ValueError(f"attribute {attribute.name} can be seen in under 2 of the pictures")
            if attribute.choices:
                result["accuracy"][attribute.name] = (wanted == found).double().mean().item()
            else:
                result["spearman"][attribute.name] = spearman(wanted, found)
                result["error"][attribute.name] = (wanted - found).abs().double().mean().item()
        scores = [*result["spearman"].values(), *result["accuracy"].values()]
        return {"score": statistics.fmean(scores), **result}


@dataclass(frozen=True, kw_only=True)
class TextObedience:
    """Whether the judge reads off a picture what its caption names: "terms" [N, A, 2] are the intervals that
    a caption asks the attributes to lie in, NaN where it names none."""

    headline: ClassVar[str] = "term_accuracy"
    needs: ClassVar[str] = "terms"
    reads: ClassVar[str] = "attributes"

    def __call__(
        self, images: Tensor, asked: Mapping[str, Any], judged: Judgement, subjects: Subjects
    ) -> dict[str, Any]:
        """
        - term_accuracy: share of all the named attributes whose reading lies in the interval, 0 to 1
        - terms: the same by attribute, of those that any caption names
        - whole: share of pictures in which everything named is right
        """
        low, high = asked["terms"].unbind(2)
        named, right = ~low.isnan(), (low <= judged.attributes) & (judged.attributes <= high)
        if not named.any():
            raise ValueError("the captions name no attribute that could be looked for")
        return {
            "term_accuracy": right[named].double().mean().item(),
            "terms": {
                attribute.name: right[named[:, k], k].double().mean().item()
                for k, attribute in enumerate(subjects.attributes)
                if named[:, k].any()
            },
            "whole": (right | ~named).all(1).double().mean().item(),
        }


@dataclass(frozen=True, kw_only=True)
class MaskObedience:
    """Overlap of the asked map with the judge's segmentation of the picture."""

    headline: ClassVar[str] = "iou"
    needs: ClassVar[str] = "mask"
    reads: ClassVar[str] = "mask"

    def __call__(
        self, images: Tensor, asked: Mapping[str, Any], judged: Judgement, subjects: Subjects
    ) -> dict[str, Any]:
        """
        - iou: the mean over classes of intersection over union, each summed over all pictures, 0 to 1
        - classes: the same by class, of those that are asked for or found
        - pixels: share of the pixels with the class that was asked
        """
        maps, given = asked["mask"], asked["mask"] != NOTHING
        counts = pairs(maps[given].long(), judged.mask[given].long(), len(subjects.mask)).double()
        union = counts.sum(0) + counts.sum(1) - counts.diagonal()
        overlap = counts.diagonal() / union
        classes = {name: overlap[k].item() for k, name in enumerate(subjects.mask) if union[k] > 0}
        if not classes:
            raise ValueError("the maps ask for nothing")
        pixels = (counts.diagonal().sum() / counts.sum()).item()
        return {"iou": statistics.fmean(classes.values()), "classes": classes, "pixels": pixels}


@dataclass(frozen=True, kw_only=True)
class ImageObedience:
    """Whether the lines of the answer are those of the drawing. The judge draws the answer's."""

    headline: ClassVar[str] = "f1"
    needs: ClassVar[str] = "image"
    reads: ClassVar[str] = "image"

    def __call__(
        self, images: Tensor, asked: Mapping[str, Any], judged: Judgement, subjects: Subjects
    ) -> dict[str, Any]:
        """Of line pixels, all pictures together; two are the same that are one pixel apart or less.

        - f1: harmonic mean of `precision`, the share of the judge's that were asked, and `recall`, the share
          of the asked that the judge draws
        - edges: share of the asked at which the picture has any edge, no judge needed
        - difference: mean absolute difference of the judge's drawing and the asked one, 0 to 1
        """
        sums = torch.zeros(6, dtype=torch.float64)
        parts = zip(*(x.split(500) for x in (images, asked["image"], judged.image)), strict=True)
        for pictures, drawn, found in parts:
            wanted, drawing = ink(drawn), ink(found)
            edge = near(edges(pictures))
            hits = (wanted, drawing, wanted & near(drawing), drawing & near(wanted), wanted & edge)
            apart = (drawn.float() - found.float()).abs().mean((1, 2, 3)).sum() / 255
            sums += torch.stack([*(hit.sum() for hit in hits), apart]).double()
        lines, drawn_lines, recalled, precise, on_edges, apart = sums.tolist()
        if not lines:
            raise ValueError("the drawings are empty")
        precision, recall = precise / max(drawn_lines, 1), recalled / lines
        return {
            "f1": 2 * precision * recall / max(precision + recall, 1e-12),
            "precision": precision,
            "recall": recall,
            "edges": on_edges / lines,
            "difference": apart / len(images),
        }


def pairs(rows: Tensor, columns: Tensor, classes: int) -> Tensor:
    """How often each class [K] of `rows` [N] meets each of `columns` [N]: int64 [K, K]."""
    return (rows * classes + columns).bincount(minlength=classes**2).view(classes, classes)


def spearman(a: Tensor, b: Tensor) -> float:
    """Rank correlation of [N] and [N] (Spearman 1904); 0 if one of them is constant."""
    return torch.stack([_ranks(a), _ranks(b)]).corrcoef()[0, 1].nan_to_num(0).item()


def _ranks(values: Tensor) -> Tensor:
    """[N] float64; equal values share the mean of their ranks."""
    _, inverse, counts = values.unique(return_inverse=True, return_counts=True)
    return (counts.cumsum(0) - (counts - 1) / 2).double()[inverse]


def ink(drawing: Tensor) -> Tensor:
    """Where there are lines in drawings uint8 [N, L, H, W]: bool [N, 1, H, W]."""
    return drawing.float().mean(1, keepdim=True) < INK


def near(pixels: Tensor) -> Tensor:
    """Pixels bool [N, 1, H, W] and the eight around each."""
    return F.max_pool2d(pixels.float(), 3, 1, 1) > 0


def edges(images: Tensor) -> Tensor:
    """Where pictures uint8 [N, C, H, W] change from a pixel to the next right or below: bool [N, 1, H, W]."""
    x = F.pad(images.float() / 255, (0, 1, 0, 1), mode="replicate")
    across, down = x[:, :, :-1, 1:] - x[:, :, :-1, :-1], x[:, :, 1:, :-1] - x[:, :, :-1, :-1]
    return torch.maximum(across.abs(), down.abs()).amax(1, keepdim=True) > EDGE
