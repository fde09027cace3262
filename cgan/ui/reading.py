"""What is told of a condition beside its picture: which words were not understood, and what the data set's
judge reads off the answer."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import torch

from cgan.conditions import Caption, Choice, Field, Paint, Sketch
from cgan.data import Dataset
from cgan.engine import Resident
from cgan.metrics.asked import asked
from cgan.metrics.features import FeatureNetwork
from cgan.metrics.judge import Subjects
from cgan.metrics.reading import READERS
from cgan.model import ConditionalGAN
from cgan.types import Raw
from cgan.ui.loaded import loaded
from cgan.ui.plans import Work, field_values, frame
from cgan.ui.query import Query


def remarks(query: Query, resident: Resident) -> bytes:
    """{"remarks": [{"kind", "values", "text"}] of what of the fields is understood only in part, "error": why
    they can't be used or null}."""
    encoder, values = resident.model.encoder, field_values(query, resident)
    try:
        encoder.parse(values)
        error = None
    except ValueError as refused:
        error = str(refused)
    found = [dataclasses.asdict(remark) for remark in encoder.remarks(values)]
    return json.dumps({"remarks": found, "error": error}).encode()


def reading(query: Query, resident: Resident) -> Work:
    """{"judge": its name, "rows": [{"name", "asked", "read", "match"}]} of the picture that /frame.png gives
    for the same query, the first if they are several. ValueError if the model has no judge."""
    plan, model = frame(query, resident), resident.model
    values, network = field_values(query, resident), judge(model)
    if network is None:
        raise ValueError(f"model {resident.name} has no judge that could read its pictures")

    def run() -> bytes:
        raw = model.encoder.parse(values)
        with torch.inference_mode():
            picture = model.to_uint8(model.generator(plan.noise[:1], plan.cond[:1]))
        judged, subjects = network(picture), network.info.subjects
        rows = READERS[model.encoder.form](_asked(model, raw, network), judged, subjects)
        told = [dataclasses.asdict(row) for row in rows]
        return json.dumps({"judge": network.name, "rows": told}).encode()

    return Work(run)


def judge(model: ConditionalGAN) -> FeatureNetwork | None:
    """The judge of the model's data set, if it reads off pictures of this size what the model is asked."""
    config, form = model.config, model.encoder.form
    network = loaded(FeatureNetwork.load, model)
    if network is None or (network.info.channels, network.info.size) != (config.channels, config.size):
        return None
    agree = _agree(model.encoder.fields(), network.info.subjects, config.dataset)
    return network if form in READERS and agree else None


def _agree(fields: Sequence[Field], subjects: Subjects, dataset: Dataset) -> bool:
    """Whether the judge's subjects are what the fields ask for."""
    match fields:
        case (Paint(classes=classes),):
            return classes == subjects.mask
        case (Sketch(channels=channels),):
            return channels == subjects.image
        case (Caption(),):
            return bool(subjects.attributes) and hasattr(dataset, "terms")
        case (Choice(choices=choices),) if choices == subjects.labels:
            return True
    names = [(field.name, getattr(field, "choices", ())) for field in fields]
    return names == [(attribute.name, attribute.choices) for attribute in subjects.attributes]


def _asked(model: ConditionalGAN, raw: Raw, network: FeatureNetwork) -> dict[str, Any]:
    """What raw [1, ...] asks for, as the readers want it."""
    form = model.encoder.form
    value = model.encoder.decode(raw)[form]
    if form == "text":
        value = [(str(value[0]),)]
    elif form == "image":
        value = torch.from_numpy(value).permute(0, 3, 1, 2)
    else:
        value = torch.from_numpy(value)
    known = {form: value, "weights": raw, "attribute_fields": network.info.subjects.attributes}
    return asked(model.config.dataset, form, known)
