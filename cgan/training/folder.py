"""What a finished run leaves: a model folder, and in its metrics.json how it was made."""

from __future__ import annotations

import torch
from torchvision.utils import save_image

from cgan import timeline
from cgan.config import to_json
from cgan.evaluation import record
from cgan.model import SAMPLES
from cgan.training.log import sample_grid
from cgan.training.provenance import hardware
from cgan.training.trainer import Trainer


def finish(trainer: Trainer, command: str) -> None:
    """Write the model folder of a trainer that has reached its end. `command` goes into metrics.json."""
    if not trainer.accelerator.is_main_process:
        return
    folder, model = trainer.folder, trainer.averaged()
    model.save(folder)
    timeline.write(folder, trainer.snapshots)
    save_image(sample_grid(model).float() / 255, folder / SAMPLES)
    training = {
        "command": command,
        "commit": ", ".join(trainer.commits),
        "hardware": hardware(trainer.device),
        "torch": torch.__version__,
        "kimg": round(trainer.images_seen / 1000, 3),
        "minutes": round(trainer.seconds / 60, 1),
        "processes": trainer.accelerator.num_processes,
        "config": to_json(trainer.config),
    }
    record(folder, {"training": training, "curve": trainer.curve, "faults": trainer.faults})
