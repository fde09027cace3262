"""Which code trained, and on what."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

import torch

from cgan.precision import resolve


def commit() -> str:
    """The commit of the code that runs, with '+changes' where files differ from it, or 'unknown' outside
    git."""
    here = Path(__file__).parents[2]

    def git(*arguments: str) -> str:
        result = subprocess.run(["git", *arguments], cwd=here, capture_output=True, text=True, check=True)
        return result.stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "--", "cgan", "train.py")
        return git("rev-parse", "--short", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def hardware(device: torch.device, precision: str) -> str:
    """The device that trained and the numbers that it multiplied, in a person's words."""
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    else:
        name = f"{_processor()}, {torch.get_num_threads()} of {os.cpu_count()} threads"
    return f"{name}, {resolve(device, precision)}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine()
    )
