"""The log of a run: scalars and sample grids that TensorBoard reads.

Shapes: N pictures, C channels, H x W pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter
from torchvision.transforms.functional import to_pil_image
from torchvision.utils import make_grid

from cgan.atomic import replacing
from cgan.conditions import Choice
from cgan.model import SAMPLES, ConditionalGAN

EVERY = 50  # steps between two entries
GRID_ROWS, GRID_PIXELS = 8, 125_000  # the most of a sample grid


@dataclass(frozen=True)
class Fault:
    """The first figure that was not finite."""

    name: str
    steps_ago: int


class Log:
    """Gathers figures without waiting for the device and writes their means now and then."""

    def __init__(self, folder: Path, images_seen: int, enabled: bool = True):
        """Of an earlier run's log, what came after `images_seen` is hidden."""
        self.folder = folder
        self.writer = SummaryWriter(folder / "log", purge_step=images_seen + 1) if enabled else None
        self._steps: list[dict[str, Tensor]] = []

    @property
    def full(self) -> bool:
        """Whether an entry is due."""
        return len(self._steps) >= EVERY

    def collect(self, figures: dict[str, Tensor]) -> None:
        """Add one step's figures."""
        self._steps.append(figures)

    def flush(self, images_seen: int) -> tuple[dict[str, float], Fault | None]:
        """Write the means of what was gathered. Returns them, and the first figure that was not finite, if
        any."""
        fault, means = None, {}
        for name in sorted({name for figures in self._steps for name in figures}):
            steps = [k for k, figures in enumerate(self._steps) if name in figures]
            values = torch.stack([self._steps[k][name].float() for k in steps])
            values = values.cpu().double()  # in which no sum of them overflows
            means[name] = values.mean().item()
            if not math.isfinite(means[name]):
                first = steps[int((~values.isfinite()).nonzero()[0])]
                found = Fault(name, len(self._steps) - 1 - first)
                fault = found if fault is None or found.steps_ago > fault.steps_ago else fault
        self._steps.clear()
        if self.writer:
            for name, value in means.items():
                self.writer.add_scalar(name, value, images_seen)
        return means, fault

    def health(self, variety: float, faults: list[str], images_seen: int) -> None:
        """The noise's variety, and what is going wrong, by name."""
        if self.writer:
            self.writer.add_scalar("health/variety", variety, images_seen)
            if faults:
                self.writer.add_text("health/faults", ", ".join(faults), images_seen)

    def evaluation(self, figures: dict[str, float], model: ConditionalGAN, images_seen: int) -> None:
        """An evaluation's figures and a sample grid."""
        if not self.writer:
            return
        for name, value in figures.items():
            self.writer.add_scalar(f"quality/{name}", value, images_seen)
        grid = sample_grid(model)
        self.writer.add_image("samples", grid, images_seen)
        save_samples(grid, self.folder / SAMPLES)

    def close(self) -> None:
        if self.writer:
            self.writer.close()


@torch.no_grad()
def sample_grid(model: ConditionalGAN, columns: int = 10) -> Tensor:
    """uint8 [C, H, W]: a row a noise, a column a condition from the prior, drawn once."""
    raw = column_conditions(model, columns)
    rows = max(1, min(GRID_ROWS, GRID_PIXELS // (columns * model.config.size**2)))
    noise = model.noise(0, rows).repeat_interleave(columns, 0)
    pictures = model.sample(noise, raw.repeat(rows, *[1] * (raw.ndim - 1)))
    return make_grid(pictures, nrow=columns, padding=1)


def save_samples(grid: Tensor, path: Path) -> None:
    """Write a grid uint8 [C, H, W] as PNG, in 256 colours, which take a third of the bytes."""
    picture = to_pil_image(grid)
    with replacing(path) as partial:
        (picture.quantize() if picture.mode == "RGB" else picture).save(partial, "PNG", optimize=True)


def column_conditions(model: ConditionalGAN, columns: int) -> Tensor:
    """Raw conditions [columns, ...]: every choice in turn where the condition is a choice, else from the
    prior."""
    field, *more = model.encoder.fields()
    if isinstance(field, Choice) and not more and len(field.choices) >= columns:
        return torch.cat([model.encoder.parse({field.name: name}) for name in field.choices[:columns]])
    return model.encoder.sample(columns, seed=0)
