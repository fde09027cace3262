"""What a finished run leaves: a model folder, and in its metrics.json how it was made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cgan import timeline
from cgan.card import write_card
from cgan.config import ModelConfig, from_json, to_json
from cgan.evaluation import record
from cgan.model import CONFIG, METRICS, SAMPLES, TIMELINE, WEIGHTS, read_json
from cgan.training.log import sample_grid, save_samples
from cgan.training.provenance import hardware
from cgan.training.trainer import Trainer


def finish(trainer: Trainer, command: str, start: Path | None = None) -> None:
    """Write the model folder of a trainer that has reached its end. `command` goes into metrics.json. What
    the folder `start`, whose weights it began from, tells of its own training comes first: its curve where
    the data and the condition are the same, and its snapshots where the generator is too. What was measured
    of other weights that the folder held is forgotten."""
    if not trainer.accelerator.is_main_process:
        return
    earlier, curve, snapshots = _history(start, trainer.model.config)
    since = earlier["kimg"]
    spent = {"kimg": since, "seconds": 60 * earlier["minutes"]}
    curve += [point | {name: point[name] + spent[name] for name in spent} for point in trainer.curve]
    snapshots += [(kimg + since, state) for kimg, state in trainer.snapshots if kimg or not snapshots]
    folder, model = trainer.folder, trainer.averaged()
    before = (folder / WEIGHTS).read_bytes() if (folder / WEIGHTS).exists() else b""
    model.save(folder)
    if (folder / WEIGHTS).read_bytes() != before:
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
        "minutes": round(trainer.seconds / 60 + earlier["minutes"], 1),
        "processes": trainer.accelerator.num_processes,
        "config": to_json(trainer.config),
    }
    training |= {"began_from": earlier} if start else {}
    record(folder, {"training": training, "curve": curve, "faults": trainer.faults})
    write_card(folder, model, folder.resolve().name)


def _history(
    start: Path | None, config: ModelConfig
) -> tuple[dict[str, Any], list[dict[str, float]], list[tuple[float, dict[str, Tensor]]]]:
    """How a model folder says it was trained, and what of its curve and its snapshots a model of that
    configuration goes on from; of none, nothing."""
    earlier: dict[str, Any] = {"kimg": 0.0, "minutes": 0.0}
    if not start:
        return earlier, [], []
    before = from_json(ModelConfig, read_json(start / CONFIG)["model"])
    alike = {name for name, value in vars(config).items() if getattr(before, name) == value}
    metrics = read_json(start / METRICS) if (start / METRICS).exists() else {}
    curve = list(metrics.get("curve", [])) if {"dataset", "condition"} <= alike else []
    fits = (start / TIMELINE).exists() and {"condition", "generator", "size", "channels"} <= alike
    return earlier | metrics.get("training", {}), curve, timeline.read(start) if fits else []
