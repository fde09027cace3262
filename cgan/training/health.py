"""Watching training go wrong: a generator that collapses, a discriminator that wins, gradients that explode.

Shapes: N pictures, C channels, H x W pixels.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from cgan.types import Batch, Raw

COLLAPSED = 0.1  # pixel variety below this share of the data's
WON = 0.99  # share of pairs that the discriminator orders rightly
EXPLODED = 100.0  # times the median gradient norm
PATIENCE = 3  # entries in a row before a verdict counts as a win
MEMORY = 20  # entries of which the median is taken


@torch.no_grad()
def pixel_variety(draw: Callable[[Tensor, Raw], Tensor], noises: tuple[Tensor, Tensor], real: Batch) -> float:
    """How much the noise changes a picture of a given condition, as a share of how much two real pictures
    differ: mean |G(z1, c) - G(z2, c)| over mean |x1 - x2|. Near 0 the generator has collapsed.

    `draw`: (noise [N, Z], raw [N, ...]) -> pictures [N, C, H, W]; `noises`: two different ones.
    """
    first, second = (draw(noise.to(real.images.device), real.raw) for noise in noises)
    between_real = (real.images - real.images.roll(1, 0)).abs().mean()
    return ((first - second).abs().mean() / between_real.clamp(min=1e-8)).item()


@dataclass
class Watch:
    """Looks at each entry of the log and names what is wrong. What it remembers is ready for JSON."""

    norms: dict[str, list[float]] = field(default_factory=dict)  # the last gradient norms, by name
    wins: int = 0  # entries in a row that the discriminator has won

    def faults(self, figures: Mapping[str, float]) -> list[str]:
        """Names of what is wrong, from an entry's means: "collapse", "discriminator wins", "exploding
        gradients"."""
        found = []
        if figures.get("health/variety", 1.0) < COLLAPSED:
            found.append("collapse")
        self.wins = self.wins + 1 if figures.get("health/order", 0.0) >= WON else 0
        if self.wins >= PATIENCE:
            found.append("discriminator wins")
        norms = {name: value for name, value in figures.items() if name.startswith("gradient/")}
        exploded = [name for name, value in norms.items() if self._exploded(name, value)]
        if exploded:
            found.append("exploding gradients")
        return found

    def _exploded(self, name: str, value: float) -> bool:
        known = self.norms.get(name, [])
        self.norms[name] = [*known, value][-MEMORY:]
        return len(known) >= PATIENCE and value > EXPLODED * statistics.median(known)
