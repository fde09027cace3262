"""What a finished run leaves: a model folder, and in its metrics.json how it was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cgan import timeline
from cgan.card import write_card
from cgan.config import ModelConfig, from_json, to_json
from cgan.evaluation import record
from cgan.model import CONFIG, METRICS, SAMPLES, TIMELINE, WEIGHTS, ModelError, read_json
from cgan.training.log import sample_grid, save_samples
from cgan.training.provenance import hardware
from cgan.training.trainer import Trainer

SPENT = {"kimg": 0.0, "minutes": 0.0}  # before a run that begins anew


@dataclass(frozen=True, kw_only=True)
class History:
    """What a model folder tells of its own training, as far as a run that begins from its weights goes on."""

    training: Mapping[str, Any] = field(default_factory=SPENT.copy)
    curve: Sequence[Mapping[str, float]] = ()
    snapshots: Sequence[tuple[float, dict[str, Tensor]]] = ()

    @staticmethod
    def of(folder: Path, config: ModelConfig) -> History:
        """For a model of that configuration: the curve where the data and the condition are the same, the
        snapshots where the generator is too. ModelError if metrics.json or the timeline is damaged."""
        own = from_json(ModelConfig, read_json(folder / CONFIG)["model"])
        alike = {name for name, value in vars(config).items() if getattr(own, name) == value}
        path = folder / METRICS
        metrics = read_json(path) if path.exists() else {}
        training, curve = metrics.get("training", {}), metrics.get("curve", [])
        if not isinstance(training, dict) or not isinstance(curve, list):
            raise ModelError(f"{path}: training must be an object and curve a list")
        training = SPENT | training
        if not all(type(training[name]) in (int, float) and 0 <= training[name] < 1e12 for name in SPENT):
            raise ModelError(f"{path}: the {' and '.join(SPENT)} of training must be numbers")
        fits = (folder / TIMELINE).exists() and {"condition", "generator", "size", "channels"} <= alike
        return History(
            training=training,
            curve=curve if {"dataset", "condition"} <= alike else (),
            snapshots=[(at, _copied(state)) for at, state in timeline.read(folder)] if fits else (),
        )


def _copied(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """In memory, where the file may change while the run lasts."""
    return {name: tensor.clone() for name, tensor in state.items()}


def finish(trainer: Trainer, command: str, before: History | None = None) -> None:
    """Write the model folder of a trainer that has reached its end. `command` goes into metrics.json; the
    history of the model that it began from comes first. What was measured of other weights that the folder
    held is forgotten."""
    if not trainer.accelerator.is_main_process:
        return
    earlier = before or History()
    since, minutes = (earlier.training[name] for name in SPENT)
    spent = {"kimg": since, "seconds": 60 * minutes}
    curve = [point | {name: point[name] + spent[name] for name in spent} for point in trainer.curve]
    snapshots = [(kimg + since, state) for kimg, state in trainer.snapshots if kimg or not earlier.snapshots]
    snapshots = [*earlier.snapshots, *snapshots]
    folder, model = trainer.folder, trainer.averaged()
    held = (folder / WEIGHTS).read_bytes() if (folder / WEIGHTS).exists() else b""
    model.save(folder)
    if (folder / WEIGHTS).read_bytes() != held:
        (folder / METRICS).unlink(missing_ok=True)
    if snapshots:
        timeline.write(folder, snapshots)
    else:
        (folder / TIMELINE).unlink(missing_ok=True)
    save_samples(sample_grid(model), folder / SAMPLES)
    training = {
        "command": command,
        "commit": ", ".join(trainer.commits),
        "hardware": hardware(trainer.device, trainer.config.training.precision),
        "torch": torch.__version__,
        "kimg": round(trainer.images_seen / 1000 + since, 3),
        "minutes": round(trainer.seconds / 60 + minutes, 1),
        "processes": trainer.accelerator.num_processes,
        "config": to_json(trainer.config),
    }
    training |= {"began_from": earlier.training} if before else {}
    record(folder, {"training": training, "curve": [*earlier.curve, *curve], "faults": trainer.faults})
    write_card(folder, model, folder.resolve().name)
