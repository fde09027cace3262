"""The log of a run: scalars and sample grids that TensorBoard reads.

Shapes: N pictures, C channels, H x W pixels.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter
from torchvision.utils import make_grid, save_image

from cgan.model import SAMPLES, ConditionalGAN

GRID_ROWS = 8


class Log:
    """Gathers a step's figures without waiting for the device and writes their means now and then."""

    def __init__(self, folder: Path, images_seen: int, every: int = 50, enabled: bool = True):
        self.folder, self.every = folder, every
        self.writer = SummaryWriter(folder / "log", purge_step=images_seen) if enabled else None
        self._pending: dict[str, list[Tensor]] = {}
        self._steps = 0

    def collect(self, figures: dict[str, Tensor], images_seen: int) -> dict[str, float]:
        """Add one step's figures; every `every` steps, the means since the last time, else an empty dict."""
        for name, value in figures.items():
            self._pending.setdefault(name, []).append(value)
        self._steps += 1
        if self._steps % self.every and all(value.isfinite() for value in figures.values()):
            return {}
        means = {name: torch.stack(values).float().mean().item() for name, values in self._pending.items()}
        self._pending.clear()
        if self.writer:
            for name, value in means.items():
                self.writer.add_scalar(name, value, images_seen)
        return means

    def evaluation(self, figures: dict[str, float], model: ConditionalGAN, images_seen: int) -> None:
        """An evaluation's figures and a sample grid."""
        if not self.writer:
            return
        for name, value in figures.items():
            self.writer.add_scalar(f"quality/{name}", value, images_seen)
        grid = sample_grid(model)
        self.writer.add_image("samples", grid, images_seen)
        save_image(grid.float() / 255, self.folder / SAMPLES)

    def close(self) -> None:
        if self.writer:
            self.writer.close()


@torch.no_grad()
def sample_grid(model: ConditionalGAN, columns: int = 10) -> Tensor:
    """uint8 [C, H, W]: a row a noise, a column a condition from the prior, drawn once."""
    raw = column_conditions(model, columns)
    noise = model.noise(0, GRID_ROWS).repeat_interleave(columns, 0)
    pictures = model.sample(noise, raw.repeat(GRID_ROWS, *[1] * (raw.ndim - 1)))
    return make_grid(pictures, nrow=columns, padding=1)


def column_conditions(model: ConditionalGAN, columns: int) -> Tensor:
    """Raw conditions [columns, ...]: every choice in turn where the condition is a choice, else from the
    prior."""
    fields = model.encoder.fields()
    if len(fields) == 1 and len(fields[0].choices) >= columns:
        return torch.cat(
            [model.encoder.parse({fields[0].name: name}) for name in fields[0].choices[:columns]]
        )
    return model.encoder.sample(columns, seed=0)
