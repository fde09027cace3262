"""What a finished run leaves: a model folder, and in its metrics.json how it was made."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

import torch
from torchvision.utils import save_image

from cgan import timeline
from cgan.config import to_json
from cgan.model import METRICS, SAMPLES, read_json, write_json
from cgan.training.log import sample_grid
from cgan.training.trainer import Trainer


def finish(trainer: Trainer, command: str) -> None:
    """Write the model folder of a trainer that has reached its end. `command` goes into metrics.json."""
    if not trainer.accelerator.is_main_process:
        return
    folder, model = trainer.folder, trainer.averaged()
    model.save(folder)
    timeline.write(folder, trainer.snapshots)
    save_image(sample_grid(model).float() / 255, folder / SAMPLES)
    metrics = read_json(folder / METRICS) if (folder / METRICS).exists() else {}
    metrics["training"] = {
        "command": command,
        "commit": commit(),
        "hardware": hardware(trainer.device),
        "torch": torch.__version__,
        "kimg": round(trainer.images_seen / 1000, 3),
        "minutes": round(trainer.seconds / 60, 1),
        "processes": trainer.accelerator.num_processes,
        "config": to_json(trainer.config),
    }
    metrics["curve"] = trainer.curve
    write_json(folder / METRICS, metrics)


def commit() -> str:
    """The commit of the code that runs, with '+changes' where files differ from it, or 'unknown' outside git."""
    here = Path(__file__).parent

    def git(*arguments: str) -> str:
        result = subprocess.run(["git", *arguments], cwd=here, capture_output=True, text=True, check=True)
        return result.stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", "../train.py")
        return git("rev-parse", "--short", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def hardware(device: torch.device) -> str:
    """The device that trained, in a person's words."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{_processor()}, {torch.get_num_threads()} of {os.cpu_count()} threads"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine()
    )
